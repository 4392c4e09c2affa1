"""Score files as ASVspoof 5 wants them: tab-separated, a header, a line a clip."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

HEADER = "filename\tcm-score"


def write_scores(path: str | os.PathLike[str], utterances: Sequence[str], scores: ArrayLike) -> None:
    """Write a score file; its folder is made.

    Scores are written with nine significant digits, which is all that a float32 holds.

    Args:
        path: where to.
        utterances: each clip's name.
        scores: (clips,), higher for real.

    Raises:
        ValueError: not as many names as scores.
    """
    lines = [f"{name}\t{score:.9g}" for name, score in zip(utterances, np.asarray(scores), strict=True)]
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def read_scores(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Read a score file: names, and scores of shape (clips,).

    Raises:
        FileNotFoundError: no such file.
        ValueError: another header, or a line that is not a name and a number; the message names file and line.
    """
    header, *lines = Path(path).read_text(encoding="utf-8").splitlines() or [""]
    if header != HEADER:
        raise ValueError(f"{path}, line 1: {header!r}; expected the header {HEADER!r}")
    utterances, scores = [], []
    for number, line in enumerate(lines, start=2):
        try:
            utterance, score = line.split("\t")
            scores.append(float(score))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {line!r}; expected a name, a tab and a number") from error
        utterances.append(utterance)
    return utterances, np.array(scores)
