"""What a run of scoring has finished so far, in a folder that outlives it.

The folder holds `header.json`, which says what the run is of, and a file for each process, to which it appends a line
of JSON for each batch that it has finished. A line counts from its line end on, so that a process killed at any moment
leaves whole batches, and perhaps the beginning of one more line, which is dropped. The header is there before any
batch, and goes before they do: a folder without one holds nothing.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crnn_hf.inference.bulk.identity import Identity

HEADER = "header.json"
PART = "part-{process}.jsonl"


@dataclass(frozen=True)
class FinishedBatch:
    """A batch whose clips are done with.

    Attributes:
        number: of the batch.
        scores: by row; a float's JSON gives the very float back.
        faults: why a row has no score.
    """

    number: int
    scores: dict[int, float]
    faults: dict[int, str]

    def as_line(self) -> bytes:
        """The batch as a line of a part file."""
        values = {"batch": self.number, "scores": self.scores, "faults": self.faults}
        return json.dumps(values, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "FinishedBatch":
        """The batch of such a line. Raises ValueError, KeyError or AttributeError for any other line."""
        values = json.loads(line)
        scores = {int(row): float(score) for row, score in values["scores"].items()}
        return cls(values["batch"], scores, {int(row): fault for row, fault in values["faults"].items()})


@dataclass(frozen=True)
class Parts:
    """The folder of a run.

    Attributes:
        folder: where it is.
        identity: what the run is of.
    """

    folder: Path
    identity: Identity

    def are_there(self) -> bool:
        """Whether an earlier run was broken off, and can be gone on with.

        Raises:
            ValueError: there was one, but of something else; the message says what differs.
        """
        header = self.folder / HEADER
        if not header.exists():
            return False
        try:
            found = dict(json.loads(header.read_bytes()))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{header}: not the header of a run: {error}; {self._way_out}") from error
        if differences := self.identity.differences(found):
            raise ValueError(f"{self.folder} is of another run: {'; '.join(differences)}; {self._way_out}")
        return True

    def begin(self) -> None:
        """Make the folder anew, with its header, which is there whole or not at all."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        draft = self.folder / f"{HEADER}.draft"
        draft.write_text(json.dumps(self.identity.as_dict(), indent=2) + "\n", encoding="utf-8")
        draft.replace(self.folder / HEADER)

    def finished(self) -> dict[int, FinishedBatch]:
        """The batches that any process of any run has finished, by their number.

        Raises:
            ValueError: a line that no process has written; the message names file and line.
        """
        batches = {}
        for path in self._files():
            lines, _ = _whole_lines(path)
            for number, line in enumerate(lines, start=1):
                try:
                    batch = FinishedBatch.from_line(line)
                except (ValueError, KeyError, AttributeError, TypeError) as error:
                    raise ValueError(f"{path}, line {number}: no finished batch; {self._way_out}") from error
                batches[batch.number] = batch
        return batches

    @contextmanager
    def written_by(self, process: int) -> Iterator[Callable[[FinishedBatch], None]]:
        """A function that keeps a finished batch in the file of a process: once it returns, a kill cannot undo it."""
        path = self.folder / PART.format(process=process)
        if path.exists():
            _, size = _whole_lines(path)
            os.truncate(path, size)
        with path.open("ab") as file:

            def keep(batch: FinishedBatch) -> None:
                file.write(batch.as_line())
                file.flush()

            yield keep

    def count(self, sizes: dict[Path, int]) -> int:
        """How many batches have been written since the files had these sizes, which are brought up to date."""
        lines = 0
        for path in self._files():
            with path.open("rb") as file:
                file.seek(sizes.get(path, 0))
                lines += file.read().count(b"\n")
                sizes[path] = file.tell()
        return lines

    def remove(self) -> None:
        """Remove the folder; the header first, so that what a kill may leave of the rest counts as nothing."""
        (self.folder / HEADER).unlink()
        shutil.rmtree(self.folder)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(PART.format(process="*")))

    @property
    def _way_out(self) -> str:
        return f"delete the folder {self.folder} to score anew, or choose another output"


def _whole_lines(path: Path) -> tuple[list[bytes], int]:
    """The lines that have their end, and how many bytes they take; what follows them is a line half written."""
    content = path.read_bytes()
    size = content.rfind(b"\n") + 1
    return content[:size].splitlines(), size
