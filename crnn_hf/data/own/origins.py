"""Where rows came from, so that an error can say which of them are wrong in the words of whoever made them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 5


@dataclass(frozen=True)
class Origin:
    """A table of recordings.

    Attributes:
        name: what errors call it: a path, or the name of a dataset.
        folder: what relative paths in it are relative to; None where they must be absolute.
        lines: for a text, the line on which each row begins, as an editor counts; None where rows are counted.
    """

    name: str
    folder: Path | None = None
    lines: Sequence[int] | None = None

    def place(self, row: int) -> str:
        """The name of a row, counted from 0, for people: `"line 7"` or `"row 7"`, counted from 1."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def complaint(self, rows: Sequence[int], found: Callable[[int], str], expected: str) -> str:
        """What to say of rows that are wrong: how many they are, the first of them, and what was expected.

        Args:
            rows: the wrong ones, at least one.
            found: what is in a row.
            expected: what should be.
        """
        first = "; ".join(f"{self.place(row)}: {found(row)}" for row in rows[:SHOWN])
        more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        return f"{self.name}: expected {expected} in every row; {len(rows)} lack it: {first}{more}"
