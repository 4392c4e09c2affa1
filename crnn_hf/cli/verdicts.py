"""Verdicts on recordings, line by line: for people, as JSON, as CSV."""

import argparse
import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

COLUMNS = ("file", "label", "probability_of_fake", "score", "seconds", "sounding_seconds", "fake_stretches", "error")


class Writer(Protocol):
    """Writes a recording's result as soon as it is there."""

    def write(self, file: str, found: Mapping[str, Any]) -> None:
        """Write the result of a recording, or, if it has an `error`, that."""


def writer_of(options: argparse.Namespace, files: Sequence[str]) -> Writer:
    """What the options ask for."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that the terminal cannot show
    if options.json:
        return JsonLines()
    return Csv() if options.csv else Table(files)


class JsonLines:
    """All that was found, one JSON object a line."""

    def write(self, file: str, found: Mapping[str, Any]) -> None:
        """Write a line."""
        print(json.dumps({"file": file, **found}), flush=True)


class Csv:
    """A table for other programs; a recording that cannot be read has its row too."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, file: str, found: Mapping[str, Any]) -> None:
        """Write a row."""
        values = [found.get(name) for name in ("label", "probability", "score", "duration", "sounding")]
        self._writer.writerow([file, *values, stretches(found, "{:g}-{:g}"), found.get("error")])
        sys.stdout.flush()


class Table:
    """For people. What cannot be read is told at the end."""

    def __init__(self, files: Sequence[str]) -> None:
        self._width = max(len("file"), *map(len, files))
        print(f"{'file':{self._width}}  label   P(fake)    score  seconds  fake from-to")

    def write(self, file: str, found: Mapping[str, Any]) -> None:
        """Print a line."""
        if "error" in found:
            return
        chance = "-" if found["probability"] is None else f"{found['probability']:.3f}"
        where = stretches(found, "{:.1f}-{:.1f}") or "-"
        if found["label"] == "unsure" and found["reason"].startswith("too little"):
            where = found["reason"]
        what = f"{found['label']:6}  {chance:>7}  {found['score']:+7.2f}  {found['duration']:7.1f}"
        print(f"{file:{self._width}}  {what}  {where}", flush=True)


def stretches(found: Mapping[str, Any], form: str) -> str:
    """The fake stretches of a result: "1.5-4.0 9.0-12.5"."""
    fakes = [segment for segment in found.get("segments", ()) if segment["label"] == "fake"]
    return " ".join(form.format(segment["start"], segment["end"]) for segment in fakes)
