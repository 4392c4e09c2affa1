"""Text files of a line a clip: how they are read, and how what is wrong with one is said."""

import os
from collections.abc import Sequence
from pathlib import Path

LONGEST_QUOTATION = 120  # characters; a line of a file that is none of ours can be as long as the file


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """The lines of a text in UTF-8; a byte order mark, Windows line ends and blank lines at the end do no harm.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a text in UTF-8, or nothing in it.
    """
    try:
        # Not splitlines(), which would part names at every character that Unicode calls a line's end.
        lines = Path(path).read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8: {error}") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError(f"{path}: empty; expected a line a clip")
    return lines


def write_lines(path: str | os.PathLike[str], lines: Sequence[str]) -> None:
    """Write a text in UTF-8, with a line feed after each line; its folder is made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")


def wrong_line(path: str | os.PathLike[str], number: int, line: str, wrong: str) -> ValueError:
    """The error that says what is wrong with a line; lines are counted from 1."""
    quotation = line if len(line) <= LONGEST_QUOTATION else line[:LONGEST_QUOTATION] + "..."
    return ValueError(f"{path}, line {number}: {quotation!r}; {wrong}")


def separator_of(line: str) -> str | None:
    """What parts the fields of a file whose first line this is: tabs, or else spaces, as `str.split` takes them.

    Names may hold spaces where tabs part them.
    """
    return "\t" if "\t" in line else None


def split_lines(
    path: str | os.PathLike[str], lines: Sequence[str], first: int, separator: str | None, expected: Sequence[str]
) -> list[list[str]]:
    """The columns of lines that all have the same fields.

    Args:
        path: named in errors.
        lines: at least one.
        first: the number of the first line.
        separator: what parts the fields, as `separator_of` gives it.
        expected: what the fields are called.

    Raises:
        ValueError: a line that has more fields, or fewer.
    """
    total, character = len(expected), separator or " "
    if {line.count(character) for line in lines} == {total - 1}:
        # A list of fields a line would take four times as long, most of it in the garbage collector.
        fields = character.join(lines).split(character)
        if separator or "" not in fields:
            return [fields[place::total] for place in range(total)]
    rows = [line.split(separator) for line in lines]
    for number, row in enumerate(rows, start=first):
        if len(row) != total:
            between = "a tab" if separator else "a space"
            wrong = f"expected {total} fields with {between} between ({', '.join(expected)}); found {len(row)}"
            raise wrong_line(path, number, lines[number - first], wrong)
    return [list(column) for column in zip(*rows, strict=True)]


def refuse_repetition(path: str | os.PathLike[str], lines: Sequence[str], first: int, names: Sequence[str]) -> None:
    """Raise ValueError if a clip has no name, or one is named twice; `first` is the number of the first line."""
    distinct = set(names)
    if "" in distinct:
        place = names.index("")
        raise wrong_line(path, first + place, lines[place], "the clip has no name")
    if len(distinct) == len(names):
        return
    number_of: dict[str, int] = {}
    for number, (name, line) in enumerate(zip(names, lines, strict=True), start=first):
        if name in number_of:
            raise wrong_line(path, number, line, f"{name} is on line {number_of[name]} already")
        number_of[name] = number


def refuse_unwritable(values: Sequence[str]) -> None:
    """Raise ValueError for a value that no field can hold, as it has a tab or a line's end in it."""
    for value in values:
        if "\t" in value or "\n" in value or "\r" in value:
            raise ValueError(f"a tab or a line's end in {value!r}: a field of a file cannot hold it")
