"""How far chance alone may have moved a figure, or the difference between two detectors."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.error_rates import Ranking, eer_of, eers_of
from crnn_hf.metrics.summary import Meter
from crnn_hf.metrics.trials import checked, named

BLOCK_SIZE = 1_000_000  # clips that are weighed at a time
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
    return {
        name: _difference(whole[0][name], whole[1][name], differences, ends) for name, differences in drawn.items()
    }


def paired_eer_differences(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    parts: Mapping[str, NDArray[np.bool_]],
    *,
    groups: Sequence[str] | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[dict[str, Difference], Difference]:
    """How two detectors differ in the EER of parts of the same clips, such as each attack's, and in its mean.

    All parts are measured on every resample, so that the mean's interval knows what they have in common. Drawn one by
    one, there are as many clips of each part and class as there were; a resample of groups that lacks a class of a
    part says nothing of it, and the mean is then over the others.

    Args:
        first, second: each detector's scores of the same clips in the same order, (clips,).
        labels, groups, resamples, confidence, seed: as `bootstrap_intervals`.
        parts: the clips of each part by its name, (clips,), with real clips and fakes; parts may overlap.

    Returns:
        The difference of each part, and that of the mean over the parts, all counting the same.

    Raises:
        ValueError: as `bootstrap_intervals`, of the clips of all parts; a part lacks a class; or there is no part.
    """
    ends = _ends(confidence)
    if not parts:
        raise ValueError("expected one part or more of the clips; found none")
    members = [np.asarray(part, bool) for part in parts.values()]
    some = np.logical_or.reduce(members)
    first, is_fake = checked(np.asarray(first)[some], np.asarray(labels)[some])
    second, _ = checked(np.asarray(second)[some], is_fake)
    members = [part[some] for part in members]
    rankings = [[Ranking(scores[part], is_fake[part]) for part in members] for scores in (first, second)]
    groups = None if groups is None else named(groups)[some]
    strata = np.unique(np.stack([is_fake, *members]), axis=1, return_inverse=True)[1].reshape(-1)
    draws = _resampled(is_fake, groups, resamples, seed, strata)
    blocks = []
    # Many at a time, for most parts are small.
    while block := list(islice(draws, max(1, BLOCK_SIZE // len(is_fake)))):
        weights = np.stack(block)
        blocks.append(np.full((len(block), len(members)), np.nan))
        for column, part in enumerate(members):
            drawn = weights[:, part]
            has_both = (drawn @ is_fake[part] > 0) & (drawn @ ~is_fake[part] > 0)
            one, other = (eers_of(ranking[column].rates(drawn[has_both])) for ranking in rankings)
            blocks[-1][has_both, column] = other - one
    differences = np.concatenate(blocks)
    whole = [[eer_of(ranking.rates()) for ranking in of_parts] for of_parts in rankings]
    found = {
        name: _difference(one, other, differences[:, column], ends)
        for column, (name, one, other) in enumerate(zip(parts, *whole, strict=True))
    }
    means = np.nanmean(differences[~np.isnan(differences).all(1)], axis=1)
    return found, _difference(*(float(np.mean(figures)) for figures in whole), means, ends)


def _difference(first: float, second: float, differences: ArrayLike, ends: Sequence[float]) -> Difference:
    """A difference, with what its resamples say of it; those that are NaN say nothing."""
    differences = np.asarray(differences)
    differences = differences[~np.isnan(differences)]
    lower, upper = np.quantile(differences, ends).tolist()
    # One more in the numerator and in the denominator, for the sample itself is one of the draws.
    beyond = 1 + min(np.sum(differences <= 0), np.sum(differences >= 0))
    p_value = min(1.0, float(2 * beyond / (len(differences) + 1)))
    return Difference(first, second, second - first, lower, upper, p_value)


def _ends(confidence: float) -> list[float]:
    """The quantiles at which an interval begins and ends."""
    if not 0 < confidence <= 1:
        raise ValueError(f"confidence must be above 0 and at most 1; found {confidence}")
    return [(1 - confidence) / 2, (1 + confidence) / 2]


def _resampled(
    is_fake: NDArray[np.bool_],
    groups: Sequence[str] | None,
    resamples: int,
    seed: int,
    strata: NDArray[np.integer] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """How often each clip is drawn, (clips,), `resamples` times.

    Without groups, as many clips of each stratum are drawn as there are; by default the classes are the strata.
    """
    if resamples < 1:
        raise ValueError(f"expected one resample or more; found {resamples}")
    rng = np.random.default_rng(seed)
    if groups is None:
        strata = is_fake if strata is None else strata
        every = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
        for _ in range(resamples):
            weights = np.empty(len(is_fake))
            for members in every:
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
