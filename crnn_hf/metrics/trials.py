"""Scored clips, as metrics take them and as reports do, and the refusal of what cannot be right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Label 0 is real and label 1 is fake; beside the numbers, the model's names and the field's.
NAMES_OF_REAL = ("real", "bonafide")
NAMES_OF_FAKE = ("fake", "spoof")
UNKNOWN = "-"  # what a column holds where nothing is known, or there is nothing to know
EXPECTED_LABELS = "0 or 1, 'real' or 'fake', 'bonafide' or 'spoof'"


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores, and whether each clip is fake.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".

    Raises:
        ValueError: scores and labels do not match, a score is not a finite number, a label is none of those, or one
            class has no clip.
    """
    try:
        scores = np.asarray(scores, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"scores must be numbers: {error}") from error
    labels = np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(f"expected one score and one label a clip; found shapes {scores.shape} and {labels.shape}")
    finite = np.isfinite(scores)
    if not finite.all():
        first = int(finite.argmin())
        raise ValueError(f"{(~finite).sum()} scores are not finite numbers, the first at {first}: {scores[first]}")
    is_fake = fakes_among(labels)
    if is_fake.all() or not is_fake.any():
        found = "no clip" if not len(labels) else "fakes only" if is_fake.all() else "real clips only"
        raise ValueError(f"error rates need real clips and fakes; found {found}")
    return scores, is_fake


def fakes_among(labels: NDArray) -> NDArray[np.bool_]:
    """Whether each label says fake; raises ValueError for one that says neither, as `checked` does."""
    if labels.dtype == object:  # as pandas keeps text, and may keep numbers
        labels = np.array(labels.tolist())
    if labels.dtype.kind in "biuf":
        is_fake, is_real = labels == 1, labels == 0
    else:
        is_fake, is_real = np.isin(labels, NAMES_OF_FAKE), np.isin(labels, NAMES_OF_REAL)
    understood = is_fake | is_real
    if not understood.all():
        others = sorted({repr(label) for label in labels[~understood].tolist()})
        raise ValueError(f"labels must be {EXPECTED_LABELS}; found {', '.join(others[:5])}")
    return is_fake


def named(values: Sequence[str]) -> NDArray:
    """A column's values as an array that can be sorted: beside text, None and its like become text."""
    values = np.asarray(values)
    return values.astype(str) if values.dtype == object else values


@dataclass(frozen=True, eq=False)
class Trials:
    """Scored clips, and what is known of each.

    Attributes:
        utterances: each clip's name.
        scores: (clips,), float64, higher for real.
        is_fake: (clips,).
        columns: what else is known, by name, such as "speaker", "attack", "codec" and "length": a string a clip.
    """

    utterances: Sequence[str]
    scores: NDArray[np.float64]
    is_fake: NDArray[np.bool_]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.utterances)
