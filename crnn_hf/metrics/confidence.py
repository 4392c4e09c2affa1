"""How far chance alone may have moved a figure, or the difference between two detectors."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.error_rates import Ranking, eer_of
from crnn_hf.metrics.summary import Meter
from crnn_hf.metrics.trials import checked, named

FEW_CLIPS = 30  # of a class, below which a bootstrap over clips has too little to draw from


class Difference(NamedTuple):
    """How two detectors differ in a figure.

    Attributes:
        first, second: the figure of each.
        difference: second - first.
        lower, upper: ends of the difference's interval.
        p_value: two-sided, how often chance would give a difference as large if there were none, from the bootstrap.
    """

    first: float
    second: float
    difference: float
    lower: float
    upper: float
    p_value: float


def bootstrap_intervals(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    threshold: float = 0.0,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap of the headline metrics (B. Efron, Annals of Statistics 7(1), 1979).

    Clips of one speaker are alike. Drawn clip by clip, the interval says how a figure would vary over other clips of
    the same speakers; drawn by speaker, over other speakers too. Neither speaks of other systems or corpora.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        groups: the speaker of each clip, or what else it shares with others: groups are drawn whole. By default clips
            are drawn one by one, as many of each class as there are.
        threshold: of the verdicts, see `compute_cm_metrics`.
        resamples: how often to draw.
        confidence: share of the resamples that the interval holds, above 0 and at most 1.
        seed: of the draws.

    Returns:
        Lower and upper end by the figure's name.

    Raises:
        ValueError: as `compute_cm_metrics`; or there is no resample, a confidence outside of its range, fewer than two
            groups of a class, or another number of groups than of clips.
    """
    ends = _ends(confidence)
    meter = Meter(scores, labels, threshold)
    draws = [meter.headline(weights) for weights in _resampled(meter.is_fake, groups, resamples, seed)]
    return {name: tuple(np.quantile([draw[name] for draw in draws], ends).tolist()) for name in draws[0]}


def eer_interval(
    scores: ArrayLike, labels: ArrayLike, *, resamples: int, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval of the EER alone, over clips: the same as `bootstrap_intervals` gives, in less time."""
    scores, is_fake = checked(scores, labels)
    ranking = Ranking(scores, is_fake)
    draws = [eer_of(ranking.rates(weights)) for weights in _resampled(is_fake, None, resamples, seed)]
    return tuple(np.quantile(draws, _ends(confidence)).tolist())


def paired_differences(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    threshold: float = 0.0,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """How two detectors differ on the same clips: both are measured on every resample.

    That tells differences apart which two separate intervals, each as wide as the clips are hard, would hide.

    Args:
        first, second: each detector's scores of the same clips in the same order, (clips,).
        labels, groups, threshold, resamples, confidence, seed: as `bootstrap_intervals`.

    Raises:
        ValueError: as `bootstrap_intervals`.
    """
    ends = _ends(confidence)
    meters = Meter(first, labels, threshold), Meter(second, labels, threshold)
    whole = [meter.headline() for meter in meters]
    drawn: dict[str, list[float]] = {name: [] for name in whole[0]}
    for weights in _resampled(meters[0].is_fake, groups, resamples, seed):
        one, other = (meter.headline(weights) for meter in meters)
        for name, differences in drawn.items():
            differences.append(other[name] - one[name])
    found = {}
    for name, differences in drawn.items():
        lower, upper = np.quantile(differences, ends).tolist()
        # One more in the numerator and in the denominator, for the sample itself is one of the draws.
        beyond = 1 + min(np.sum(np.array(differences) <= 0), np.sum(np.array(differences) >= 0))
        p_value = min(1.0, float(2 * beyond / (resamples + 1)))
        one, other = whole[0][name], whole[1][name]
        found[name] = Difference(one, other, other - one, lower, upper, p_value)
    return found


def _ends(confidence: float) -> list[float]:
    """The quantiles at which an interval begins and ends."""
    if not 0 < confidence <= 1:
        raise ValueError(f"confidence must be above 0 and at most 1; found {confidence}")
    return [(1 - confidence) / 2, (1 + confidence) / 2]


def _resampled(
    is_fake: NDArray[np.bool_], groups: Sequence[str] | None, resamples: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """How often each clip is drawn, (clips,), `resamples` times."""
    if resamples < 1:
        raise ValueError(f"expected one resample or more; found {resamples}")
    rng = np.random.default_rng(seed)
    if groups is None:
        real, fake = np.flatnonzero(~is_fake), np.flatnonzero(is_fake)
        for _ in range(resamples):
            weights = np.empty(len(is_fake))
            for members in (real, fake):
                drawn = rng.integers(len(members), size=len(members))
                weights[members] = np.bincount(drawn, minlength=len(members))
            yield weights
        return
    if len(groups) != len(is_fake):
        raise ValueError(f"expected one group a clip; found {len(groups)} groups and {len(is_fake)} clips")
    names, group_of = np.unique(named(groups), return_inverse=True)
    for name, chosen in (("real", ~is_fake), ("fake", is_fake)):
        if (found := len(np.unique(group_of[chosen]))) < 2:
            raise ValueError(f"expected two groups or more of {name} clips to draw from; found {found}")
    for _ in range(resamples):
        yield _groups_with_both_classes(rng, group_of, len(names), is_fake)


def _groups_with_both_classes(
    rng: np.random.Generator, group_of: NDArray, count: int, is_fake: NDArray[np.bool_]
) -> NDArray[np.float64]:
    # Each class is in some group, which a draw misses with a probability of less than one half.
    while True:
        weights = np.bincount(rng.integers(count, size=count), minlength=count)[group_of].astype(np.float64)
        if (weights * is_fake).any() and (weights * ~is_fake).any():
            return weights
