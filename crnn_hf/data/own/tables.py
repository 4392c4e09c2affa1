"""Tables of recordings that are texts: CSV, TSV and JSON lines, every cell as text, with the line that it is on."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = ".jsonl"
TEXT_TABLES = (*DELIMITERS, JSON_LINES)


@dataclass(frozen=True)
class TextTable:
    """Some columns of a table.

    Attributes:
        columns: the cells of each, from top to bottom; an absent one is `""`.
        lines: the line on which each row begins, counted from 1.
    """

    columns: dict[str, list[str]]
    lines: list[int]


def read_text_table(path: Path, wanted: Sequence[str]) -> TextTable:
    """Read some columns of a table.

    CSV and TSV have their columns' names on the first line, and may have quoted cells, also over several lines. JSON
    lines have an object a line. Text is UTF-8, with a byte order mark or without; blank lines do no harm.

    Args:
        path: ends in .csv, .tsv or .jsonl, upper case or lower.
        wanted: the columns' names.

    Raises:
        ValueError: a wanted column is not there, a line cannot be read or has not as many cells as the first, a name
            is on two columns, or the text is not UTF-8.
    """
    names = list(dict.fromkeys(wanted))
    rows = _json_rows(path, names) if path.suffix.lower() == JSON_LINES else _delimited_rows(path, names)
    cells: list[list[str]] = [[] for _ in names]
    lines = []
    try:
        for line, row in rows:
            lines.append(line)
            for column, cell in zip(cells, row, strict=True):
                column.append(cell)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8: {error}") from error
    return TextTable(dict(zip(names, cells, strict=True)), lines)


def check_columns(name: str, wanted: Sequence[str], found: Sequence[str]) -> None:
    """Raises ValueError where a table, so named, lacks a wanted column."""
    missing = [column for column in dict.fromkeys(wanted) if column not in found]
    if missing:
        columns = ", ".join(map(repr, found)) or "none"
        raise ValueError(f"{name}: no column {', '.join(map(repr, missing))}; it has {columns}. Name the columns.")


def _delimited_rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=DELIMITERS[path.suffix.lower()], strict=True)
        try:
            header = next(reader, [])
            check_columns(str(path), wanted, header)
            twice = sorted({name for name in wanted if header.count(name) > 1})
            if twice:
                raise ValueError(f"{path}: two columns are called {twice[0]!r}; expected one")
            places = [header.index(name) for name in wanted]
            line = reader.line_num + 1
            for row in reader:
                if row and len(row) != len(header):
                    raise ValueError(f"{path}, line {line}: {len(row)} cells; expected {len(header)}: {row!r}")
                if row:
                    yield line, [row[place] for place in places]
                # A row may span several lines; the reader says where it ended.
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from error


def _json_rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    found: dict[str, None] = {}
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}: {line.strip()!r}") from error
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {number}: expected an object, such as {{…}}: {line.strip()!r}")
            found.update(dict.fromkeys(row))
            yield number, [_as_text(row.get(name)) for name in wanted]
    check_columns(str(path), wanted, list(found))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
