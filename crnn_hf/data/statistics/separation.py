"""How far measures of the clips, without the voice, tell real clips from fakes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.data.columns import LABELS, UNKNOWN
from crnn_hf.metrics import equal_error_rate
from crnn_hf.metrics.confidence import eer_interval

RESAMPLES = 500  # of the clips, for the intervals
FOLDS = 5
RIDGE = 1.0  # what the sum of squared weights counts against the clips' summed log losses
MOST_STEPS = 50  # of Newton's method, which takes five to ten
ENOUGH = 1e-6  # a step of which changes nothing that could be seen
SAME = 1e-9  # the deviation of a measure that is the same for all clips, but for rounding


class Separation(NamedTuple):
    """How well a measure tells the classes apart.

    Attributes:
        eer: of a detector that hears nothing else, in [0, 0.5]: 0.5 tells nothing, 0 tells all.
        interval: where 95 % of the EER's resamples over clips lie.
        higher: the class whose clips have more of it, "real" or "fake".
    """

    eer: float
    interval: tuple[float, float]
    higher: str


class SeparationTogether(NamedTuple):
    """How well all measures together tell the classes apart.

    Attributes:
        eer: in [0, 1]; above 0.5 where what the other clips teach misleads.
        interval: where 95 % of the EER's resamples over clips lie.
        held_out: what is kept whole from the fit that judges it, "speaker" or "clip".
    """

    eer: float
    interval: tuple[float, float]
    held_out: str


def separation(values: ArrayLike, labels: ArrayLike) -> Separation:
    """How well a measure alone tells the classes apart, by the better of its two directions.

    That the better direction is known flatters a little: what tells nothing comes out just below 0.5.

    Args:
        values: (clips,).
        labels: (clips,), 0 for real and 1 for fake.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    scores = _ties_mixed(np.asarray(values, np.float64), np.asarray(labels))
    upwards, downwards = equal_error_rate(scores, labels), equal_error_rate(-scores, labels)
    if downwards < upwards:
        scores = -scores
    interval = eer_interval(scores, labels, resamples=RESAMPLES)
    # No worse than to toss a coin, though with few clips the EER of both directions can be.
    return Separation(min(upwards, downwards, 0.5), interval, LABELS[int(downwards < upwards)])


def separation_together(table: ArrayLike, labels: ArrayLike, speakers: Sequence[str]) -> SeparationTogether | None:
    """How well all measures together tell the classes apart, by logistic regression.

    Each clip is judged by a regression fitted to other speakers, a fifth of them at a time; or to other clips, where
    not all speakers are known or a class has too few of them.

    Args:
        table: (clips, measures).
        labels: (clips,), 0 for real and 1 for fake.
        speakers: of each clip, "-" where unknown.

    Returns:
        None where a class has fewer than two clips, of which none can be held out.
    """
    table, labels, speakers = np.asarray(table, np.float64), np.asarray(labels), np.asarray(speakers)
    by_clip = np.arange(len(labels)).astype(str)
    for kept_whole, groups in (("speaker", speakers), ("clip", by_clip)):
        if UNKNOWN in groups or (fold_of := _folds(groups, labels)) is None:
            continue
        scores = np.empty(len(labels))
        for fold in np.unique(fold_of):
            held_out = fold_of == fold
            scores[held_out] = _regressed(table[~held_out], labels[~held_out], table[held_out])
        interval = eer_interval(scores, labels, resamples=RESAMPLES)
        return SeparationTogether(equal_error_rate(scores, labels), interval, kept_whole)
    return None


def _folds(groups: NDArray[np.str_], labels: NDArray[np.integer]) -> NDArray[np.int64] | None:
    """The fold of each clip, (clips,): groups stay whole, and are dealt evenly; None where a class is in one fold."""
    names, group_of = np.unique(groups, return_inverse=True)
    # Groups of real clips alone, of both, and of fakes alone are dealt one after the other, each in random order.
    share = np.bincount(group_of, labels) / np.bincount(group_of)
    kinds = np.sign(share) + (share == 1)
    order = np.lexsort([np.random.default_rng(0).permutation(len(names)), kinds])
    fold_of_group = np.empty(len(names), int)
    fold_of_group[order] = np.arange(len(names)) % FOLDS
    fold_of = fold_of_group[group_of]
    spread = all(len(np.unique(fold_of[labels == label])) > 1 for label in range(len(LABELS)))
    return fold_of if spread else None


def _regressed(table: NDArray, labels: NDArray, others: NDArray) -> NDArray[np.float64]:
    """Log odds of real, of `others`, (clips,), by a logistic regression on `table`, (clips, measures).

    Both classes weigh the same, and the weights are kept small (A. Hoerl and R. Kennard, Technometrics 12(1), 1970),
    as measures that say the same would make them large.
    """
    center, spread = table.mean(0), table.std(0)
    spread[spread < SAME] = np.inf
    inputs, outputs = (
        np.column_stack([(values - center) / spread, np.ones(len(values))]) for values in (table, others)
    )
    sign = np.where(labels == 0, 1.0, -1.0)
    weights = np.where(labels == 0, 0.5 / (labels == 0).mean(), 0.5 / (labels == 1).mean())
    penalty = RIDGE * np.array([*np.ones(table.shape[1]), 0])

    def loss(vector: NDArray[np.float64]) -> float:
        return float(weights @ np.logaddexp(0, -sign * (inputs @ vector)) + penalty @ np.square(vector) / 2)

    found = np.zeros(inputs.shape[1])
    for _ in range(MOST_STEPS):
        wrong = np.exp(-np.logaddexp(0, sign * (inputs @ found)))  # the chance of the other class
        gradient = inputs.T @ (weights * sign * wrong) - penalty * found
        curvature = (inputs * (weights * wrong * (1 - wrong))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.lstsq(curvature, gradient)[0]
        while loss(found + step) > loss(found) and np.abs(step).max() > ENOUGH:
            step /= 2
        found += step
        if np.abs(step).max() < ENOUGH:
            break
    return outputs @ found


def _ties_mixed(values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores in the order of the values, with the classes evenly mixed among equal values.

    `equal_error_rate` puts the real clips first among equal ones, which is the worst there is for a detector: a
    measure that is the same for every clip would have an EER of 100 %. Mixed, it has 50 %. Many clips have no
    digital zeros, or the same edge silence.
    """
    rank = np.unique(values, return_inverse=True)[1]
    scores = rank.astype(np.float64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        mine = mine[np.argsort(rank[mine], kind="stable")]
        sizes = np.bincount(rank[mine])
        before = np.cumsum(sizes) - sizes
        place = np.arange(len(mine)) - before[rank[mine]]
        scores[mine] += (place + 0.5) / sizes[rank[mine]]
    return scores
