"""Score files: as ASVspoof 5 wants them, tab-separated below a header, and as the older challenges do, without one."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.exchange.text_lines import (
    read_lines,
    refuse_repetition,
    refuse_unwritable,
    separator_of,
    split_lines,
    write_lines,
    wrong_line,
)

HEADER = "filename\tcm-score"
FIELDS = ("name", "score")


def write_scores(path: str | os.PathLike[str], utterances: Sequence[str], scores: ArrayLike) -> None:
    """Write a score file; its folder is made.

    Scores are written with nine significant digits, which is all that a float32 holds.

    Args:
        path: where to.
        utterances: each clip's name.
        scores: (clips,), higher for real.

    Raises:
        ValueError: not as many names as scores, or a name with a tab or a line's end in it.
    """
    lines = [f"{name}\t{score:.9g}" for name, score in zip(utterances, np.asarray(scores), strict=True)]
    refuse_unwritable(utterances)
    write_lines(path, [HEADER, *lines])


def read_scores(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Read a score file: names, and scores of shape (clips,).

    The file has a name and a score a line, with a tab between or, as the older challenges have it, a space. The header
    may be missing.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a line that is not a name and a finite number, a name that is there twice, or no clip at all; the
            message names file and line.
    """
    lines = read_lines(path)
    separator, first = separator_of(lines[0]), 1
    if lines[0].split(separator) == HEADER.split("\t"):
        lines, first = lines[1:], 2
        if not lines:
            raise ValueError(f"{path}: a header and no clip")
    utterances, values = split_lines(path, lines, first, separator, FIELDS)
    scores = _numbers(path, lines, first, values)
    refuse_repetition(path, lines, first, utterances)
    return utterances, scores


def _numbers(
    path: str | os.PathLike[str], lines: Sequence[str], first: int, values: Sequence[str]
) -> NDArray[np.float64]:
    scores = []
    for number, value in enumerate(values, start=first):
        try:
            scores.append(float(value))
        except ValueError:
            hint = f", or the header {HEADER!r}" if number == 1 else ""
            raise wrong_line(path, number, lines[number - first], f"expected a number for a score{hint}") from None
    finite = np.isfinite(scores)
    if not finite.all():
        place = int(finite.argmin())
        raise wrong_line(path, first + place, lines[place], "the score is not a finite number")
    return np.array(scores)
