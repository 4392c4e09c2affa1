"""The points of a report's curves, as numbers: as few of them as draw the same picture."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.error_rates import ErrorRates, equal_error_index
from crnn_hf.metrics.trials import checked

BINS = 10
NORMAL = NormalDist()
TWO_SIDED_95 = NORMAL.inv_cdf(0.975)


class Bin(NamedTuple):
    """Clips whose scores promise about the same.

    Attributes:
        promised: the mean chance of being real that their scores stand for, in [0, 1].
        found: the share of them that is real.
        lower, upper: ends of that share's 95 % interval (E. Wilson, Journal of the American Statistical Association
            22, 1927).
        clips: how many.
    """

    promised: float
    found: float
    lower: float
    upper: float
    clips: int


def probit(rates: ArrayLike) -> NDArray[np.float64]:
    """The deviations from the mean below which a share of a normal distribution lies; infinite at 0 and 1.

    On axes like that, the error rates of normally distributed scores lie on a straight line.

    Args:
        rates: in [0, 1], of any shape.
    """
    rates = np.asarray(rates, np.float64)
    inside = (rates > 0) & (rates < 1)
    deviations = np.where(rates > 0.5, np.inf, -np.inf)
    deviations[inside] = [NORMAL.inv_cdf(rate) for rate in rates[inside]]
    return deviations


def det_points(rates: ErrorRates, low: float, high: float, steps: int) -> tuple[NDArray, NDArray]:
    """FAR and FRR of the thresholds that a DET curve needs (A. Martin et al., Eurospeech 1997).

    Both probit axes from `low` to `high` are cut into cells, and of the thresholds that fall into one cell the first
    is kept. The curve stays within a cell of the whole one, and goes through the point of equal errors.

    Args:
        rates: at each threshold.
        low, high: ends of both axes, above 0 and below 1.
        steps: cells along an axis.

    Returns:
        Two arrays of shape (points,), with at most about `2 * steps` points.
    """
    edges = np.array([NORMAL.cdf(place) for place in np.linspace(*probit([low, high]), steps + 1)])
    cells = np.searchsorted(edges, rates.far) * (steps + 2) + np.searchsorted(edges, rates.frr)
    first_of_cell = np.flatnonzero(np.diff(cells, prepend=-1))
    kept = np.union1d(first_of_cell, [equal_error_index(rates), len(cells) - 1])
    return rates.far[kept], rates.frr[kept]


def calibration_bins(scores: ArrayLike, labels: ArrayLike, bins: int = BINS) -> list[Bin]:
    """What scores promise, read as natural-log likelihood ratios among clips of these shares, and what holds.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        bins: of equal width, from a chance of 0 to one of 1. Those without a clip are left out.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    scores, is_fake = checked(scores, labels)
    prior_odds = np.log((~is_fake).sum() / is_fake.sum())
    promised = np.exp(-np.logaddexp(0, -(scores + prior_odds)))
    bin_of = np.minimum((promised * bins).astype(int), bins - 1)
    clips = np.bincount(bin_of, minlength=bins)
    real = np.bincount(bin_of[~is_fake], minlength=bins)
    sums = np.bincount(bin_of, weights=promised, minlength=bins)
    return [
        Bin(float(sums[at] / clips[at]), float(real[at] / clips[at]), *_wilson(real[at], clips[at]), int(clips[at]))
        for at in np.flatnonzero(clips)
    ]


def _wilson(hits: int, of: int) -> tuple[float, float]:
    share, square = hits / of, TWO_SIDED_95**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = TWO_SIDED_95 / (1 + square / of) * np.sqrt(share * (1 - share) / of + square / (4 * of**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
