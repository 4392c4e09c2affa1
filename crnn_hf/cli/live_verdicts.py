"""A verdict that keeps changing: as a line drawn again and again, as lines, as JSON."""

import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from crnn_hf.inference import StreamVerdict

BAR_WIDTH = 20
CLEAR_LINE = "\r\x1b[K"
DIGITS = 4

# The chance, or what stands for it, that the latest window is fake, in [0, 1].
Latest = Callable[[float], float]


class Writer(Protocol):
    """Writes what is known at each step, and in the end."""

    def step(self, found: StreamVerdict) -> None:
        """Write the verdict until now."""

    def end(self, found: StreamVerdict) -> None:
        """Write the verdict on all."""


def writer_of(as_json: bool, latest: Latest) -> Writer:
    """One for what standard output is."""
    if as_json:
        return JsonLines()
    return Redrawn(latest) if sys.stdout.isatty() else Lines()


class JsonLines:
    """A JSON object a step; the last has "final": true."""

    def step(self, found: StreamVerdict) -> None:
        """Write a line."""
        self._write(found, final=False)

    def end(self, found: StreamVerdict) -> None:
        """Write the last line."""
        self._write(found, final=True)

    def _write(self, found: StreamVerdict, final: bool) -> None:
        values = {name: round(v, DIGITS) if isinstance(v, float) else v for name, v in asdict(found).items()}
        print(json.dumps({**values, "final": final}), flush=True)


class Lines:
    """A line a step."""

    def step(self, found: StreamVerdict) -> None:
        """Print a line."""
        figures = "  ".join(_figures(found))
        print(f"{found.seconds:8.1f} s  {found.label:6}  {figures}  latest {found.latest:+.2f}", flush=True)

    def end(self, found: StreamVerdict) -> None:
        """Print the last line."""
        print(_summary(found), flush=True)


class Redrawn:
    """One line of a terminal, in place, with a bar that shows how fake the latest seconds are."""

    def __init__(self, latest: Latest) -> None:
        self._latest = latest
        self._full, self._empty = _blocks()

    def step(self, found: StreamVerdict) -> None:
        """Draw the line again."""
        full = round(BAR_WIDTH * self._latest(found.latest))
        bar = self._full * full + self._empty * (BAR_WIDTH - full)
        line = f"{found.seconds:8.1f} s  {found.label:6}  {_figures(found)[0]}  now real {bar} fake"
        print(CLEAR_LINE + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)

    def end(self, found: StreamVerdict) -> None:
        """Leave the line, and print the last one below it."""
        print(f"\n{_summary(found)}", flush=True)


def sigmoid_of_fake(score: float) -> float:
    """What a detector without calibration gives for fake: no chance, but in [0, 1]."""
    return (1 - math.tanh(score / 2)) / 2


def _figures(found: StreamVerdict) -> list[str]:
    """The chance that it is fake, of a detector that has chances to tell, and the score."""
    score = f"score {found.score:+.2f}"
    return [score] if found.probability is None else [f"P(fake) {found.probability:.3f}", score]


def _summary(found: StreamVerdict) -> str:
    if found.score is None:
        return "In the end: unsure; too little was heard to be judged."
    what = ", ".join([found.label, *_figures(found)])
    return f"In the end: {what}, of {found.seconds:.1f} s, {found.sounding:.1f} s of them sound."


def _blocks() -> tuple[str, str]:
    """Full and empty, in what the terminal can show."""
    try:
        "█░".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return "#", "-"
    return "█", "░"
