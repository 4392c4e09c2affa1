"""Where a detector fails: its figures for each attack, codec, speaker's gender, length, or whatever a column says."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.confidence import eer_interval
from crnn_hf.metrics.error_rates import equal_error_rate
from crnn_hf.metrics.summary import Meter
from crnn_hf.metrics.trials import UNKNOWN, checked, named

LENGTHS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 30.0)  # seconds, where a bucket begins


class Group(NamedTuple):
    """The figures of one value of a column. They are None where a class has no clip.

    Attributes:
        name: the value.
        real, fake: how many clips.
        metrics: the headline metrics.
        eer_interval: 95 % of the EER's resamples over clips, where they were asked for.
    """

    name: str
    real: int
    fake: int
    metrics: dict[str, float] | None
    eer_interval: tuple[float, float] | None


def breakdown(
    scores: ArrayLike, labels: ArrayLike, values: Sequence[str], *, threshold: float = 0.0, resamples: int = 0
) -> list[Group]:
    """Figures for each value of a column, in the order of the values' names.

    Where real clips and fakes share values, as with codecs, a group is the clips with that value. Where they share
    none, as with attacks, the column tells the fakes apart: each group of fakes is held against all real clips. What
    is unknown of both, "-", is nothing that they share.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        values: of each clip.
        threshold: of the verdicts, see `compute_cm_metrics`.
        resamples: bootstrap draws for the EER's interval; 0 gives none.

    Raises:
        ValueError: as `compute_cm_metrics`, or not as many values as clips.
    """
    scores, is_fake = checked(scores, labels)
    parts = parts_of(is_fake, values)
    return [_group(name, scores[chosen], is_fake[chosen], threshold, resamples) for name, chosen in parts]


def describes_fakes(is_fake: NDArray[np.bool_], values: Sequence[str]) -> bool:
    """Whether real clips and fakes share no known value, so that a value stands for a kind of fake."""
    values = named(values)
    of_fakes = set(np.unique(values[is_fake]).tolist()) - {UNKNOWN}
    return bool(of_fakes) and of_fakes.isdisjoint(np.unique(values[~is_fake]).tolist())


def macro_average(groups: Sequence[Group]) -> dict[str, float]:
    """The mean of each metric over the groups that have any, all groups counting the same; empty if none has."""
    measured = [group.metrics for group in groups if group.metrics is not None]
    return {
        name: float(np.mean([metrics[name] for metrics in measured])) for name in (measured[0] if measured else ())
    }


def eer_matrix(
    scores: ArrayLike, labels: ArrayLike, rows: Sequence[str], columns: Sequence[str]
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """EER for each pair of two columns' values, such as attack and codec.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        rows, columns: both values of each clip. A pair is made of the clips that have both; a column which tells
            the fakes apart, see `breakdown`, does not narrow the real clips.

    Returns:
        The names of the rows, those of the columns, and the EER in [0, 1], (rows, columns); NaN where a class has no
        clip.

    Raises:
        ValueError: as `breakdown`.
    """
    scores, is_fake = checked(scores, labels)
    by_row, by_column = (dict(parts_of(is_fake, values)) for values in (rows, columns))
    matrix = np.full((len(by_row), len(by_column)), np.nan)
    for row, in_row in enumerate(by_row.values()):
        for column, in_column in enumerate(by_column.values()):
            chosen = in_row & in_column
            if 0 < is_fake[chosen].sum() < chosen.sum():
                matrix[row, column] = equal_error_rate(scores[chosen], is_fake[chosen])
    return list(by_row), list(by_column), matrix


def length_buckets(seconds: ArrayLike) -> list[str]:
    """A name for how long each clip is, such as "04 to 06 s", whose order is that of the lengths.

    Raises:
        ValueError: a length is below 0 or not a number.
    """
    seconds = np.asarray(seconds, np.float64)
    if not (seconds >= 0).all():
        raise ValueError(f"lengths must be seconds, at least 0; found {seconds[~(seconds >= 0)][0]}")
    names = [f"{low:02.0f} to {high:02.0f} s" for low, high in pairwise(LENGTHS)]
    names.append(f"{LENGTHS[-1]:02.0f} s and more")
    return [names[bucket] for bucket in np.searchsorted(LENGTHS, seconds, side="right") - 1]


def parts_of(is_fake: NDArray[np.bool_], values: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The name of each value that makes a group, in order, and which clips the group is of, (clips,); see `breakdown`.

    Raises:
        ValueError: not as many values as clips.
    """
    values = _checked_values(values, len(is_fake))
    against_all_real = describes_fakes(is_fake, values)
    for name in np.unique(values[is_fake] if against_all_real else values):
        chosen = values == name
        yield str(name), (chosen & is_fake) | ~is_fake if against_all_real else chosen


def _checked_values(values: Sequence[str], clips: int) -> NDArray:
    values = named(values)
    if values.shape != (clips,):
        raise ValueError(f"expected one value a clip; found shape {values.shape} for {clips} clips")
    return values


def _group(name: str, scores: NDArray, is_fake: NDArray[np.bool_], threshold: float, resamples: int) -> Group:
    fakes = int(is_fake.sum())
    real = len(is_fake) - fakes
    if not (real and fakes):
        return Group(name, real, fakes, None, None)
    interval = eer_interval(scores, is_fake, resamples=resamples) if resamples else None
    return Group(name, real, fakes, Meter(scores, is_fake, threshold).headline(), interval)
