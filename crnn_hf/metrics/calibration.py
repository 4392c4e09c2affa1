"""Scores that mean something: log-likelihood ratios, thresholds named by what they cost, and when to say nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.detection_cost import BAYES_THRESHOLD, EFFECTIVE_PRIOR_OF_REAL
from crnn_hf.metrics.error_rates import ErrorRates, Ranking, equal_error_rate
from crnn_hf.metrics.trials import checked

STEPS = 100  # of Newton's method, which takes about ten
ABSTAIN_SHARE = 0.05
SHARES = (0.001, 0.01, 0.05, 0.1)


@dataclass(frozen=True)
class Calibration:
    """An affine map from a detector's scores to natural-log likelihood ratios: `scale * score + offset`.

    Attributes:
        scale: above 0.
        offset: of the ratio.
        prior_of_real: the prior for which it was fitted.
    """

    scale: float
    offset: float
    prior_of_real: float

    def __call__(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Log-likelihood ratios of scores, of the same shape."""
        return self.scale * np.asarray(scores, np.float64) + self.offset


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, named by what it costs on the clips that it was found on.

    Attributes:
        name: such as "real_flagged_1%".
        meaning: the same in words.
        threshold: a clip is called fake if its score is below.
        frr: false rejection rate in [0, 1], the share of real clips that are called fake.
        far: false acceptance rate in [0, 1], the share of fakes that are not.
    """

    name: str
    meaning: str
    threshold: float
    frr: float
    far: float


def calibrate(scores: ArrayLike, labels: ArrayLike, prior_of_real: float = EFFECTIVE_PRIOR_OF_REAL) -> Calibration:
    """Fit a calibration to scores of clips that training has not heard.

    Logistic regression in which the classes weigh as the prior says, however many clips there are of each (N. Bruemmer
    and J. du Preez, Computer Speech and Language 20, 2006). Its targets are not quite 0 and 1, so that scores without
    any error do not lead to infinite ratios. Both are drawn towards the prior, by the same share; with a prior of one
    half and as many clips of each class, they are those of J. Platt (Advances in Large Margin Classifiers, 1999).

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        prior_of_real: where the fit is to be best, above 0 and below 1. By default where ASVspoof 5's costs lie, at
            0.655.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`; a prior outside of its range; or no map can help because the
            scores are all equal, or on average no higher for real clips than for fakes.
    """
    scores, is_fake = checked(scores, labels)
    if not 0 < prior_of_real < 1:
        raise ValueError(f"prior_of_real must be above 0 and below 1; found {prior_of_real}")
    if scores.min() == scores.max():
        raise ValueError(f"all scores are {scores[0]}: there is nothing to calibrate")
    # On scores of mean 0 and deviation 1, whatever their own, Newton's method has no numerical trouble.
    center, spread = scores.mean(), scores.std()
    slope, intercept = _logistic_regression((scores - center) / spread, is_fake, prior_of_real)
    scale = float(slope / spread)
    mean_of_real, mean_of_fakes = scores[~is_fake].mean(), scores[is_fake].mean()
    # The best line rises just where the first mean is higher; of equal means, rounding alone would give its sign.
    if not (mean_of_real > mean_of_fakes and 0 < scale < math.inf):
        raise ValueError(
            f"no rising line makes ratios of these scores, whose mean is {mean_of_real:g} for real clips and "
            f"{mean_of_fakes:g} for fakes, with an EER of {equal_error_rate(scores, is_fake):.2%}: are they reversed, "
            "or do a few lie far from all others?"
        )
    return Calibration(scale, float(intercept - scale * center), prior_of_real)


def cross_calibrated(
    scores: ArrayLike,
    labels: ArrayLike,
    prior_of_real: float = EFFECTIVE_PRIOR_OF_REAL,
    *,
    folds: int = 5,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Ratios of the clips that a calibration is fitted to, each by a calibration fitted without it.

    Metrics of them say what the calibration is worth on other clips of the same kind; metrics of ratios by a
    calibration that was fitted to the same clips flatter.

    Args:
        scores, labels, prior_of_real: as `calibrate`.
        folds: into how many parts the clips are dealt, each class evenly.
        seed: of the deal.

    Returns:
        (clips,).

    Raises:
        ValueError: as `calibrate`, or there are fewer than two folds, or fewer than two clips of a class.
    """
    scores, is_fake = checked(scores, labels)
    if folds < 2:
        raise ValueError(f"expected two folds or more; found {folds}")
    fewest = int(min(is_fake.sum(), (~is_fake).sum()))
    if fewest < 2:
        raise ValueError(f"expected two clips or more of each class; found {fewest}")
    rng = np.random.default_rng(seed)
    fold_of = np.empty(len(scores), int)
    for members in (np.flatnonzero(is_fake), np.flatnonzero(~is_fake)):
        fold_of[rng.permutation(members)] = np.arange(len(members)) % min(folds, fewest)
    ratios = np.empty(len(scores))
    for fold in range(min(folds, fewest)):
        held_out = fold_of == fold
        ratios[held_out] = calibrate(scores[~held_out], is_fake[~held_out], prior_of_real)(scores[held_out])
    return ratios


def operating_points(ratios: ArrayLike, labels: ArrayLike, shares: Sequence[float] = SHARES) -> list[OperatingPoint]:
    """Thresholds for different wishes, in rising order: the higher, the more is called fake.

    A share is left out for which there are too few clips to tell: one clip of the class must not be more than it.

    Args:
        ratios: (clips,), calibrated scores, higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        shares: of real clips flagged, and of fakes missed, to be kept to.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    ranking = Ranking(ratios, labels)
    rates = ranking.rates()
    fakes = int(ranking.is_fake.sum())
    real = len(ranking.is_fake) - fakes
    found = [
        _point(
            "equal_errors",
            "as large a share of real clips flagged as of fakes missed",
            ranking,
            _equal_decision_index(rates),
        ),
        OperatingPoint(
            "lowest_cost",
            "lowest cost by ASVspoof 5's prior and costs, if the ratios are what they claim to be",
            BAYES_THRESHOLD,
            *rates_at(ranking.scores, ranking.is_fake, BAYES_THRESHOLD),
        ),
    ]
    for share in shares:
        text = f"{share * 100:g}"
        if real * share >= 1:
            last = int(np.flatnonzero(rates.can_decide & (rates.frr <= share))[-1])
            name, meaning = f"real_flagged_{text}%", f"at most {text} % of real clips flagged"
            found.append(_point(name, meaning, ranking, last))
        if fakes * share >= 1:
            first = int(np.flatnonzero(rates.can_decide & (rates.far <= share))[0])
            found.append(_point(f"fakes_missed_{text}%", f"at most {text} % of fakes missed", ranking, first))
    return sorted(found, key=lambda point: (point.threshold, point.name))


def abstention_band(ratios: ArrayLike, labels: ArrayLike, share: float = ABSTAIN_SHARE) -> tuple[float, float]:
    """Between which scores to say neither real nor fake.

    Below the band at most `share` of the real clips lie, and above it at most `share` of the fakes: whichever verdict
    a clip gets, no more than that share of the other class gets it too. Where the detector is so good that one
    threshold does for both, the band is empty: both ends are that threshold.

    Args:
        ratios: (clips,), calibrated scores, higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        share: above 0 and below 0.5.

    Returns:
        Lower and upper end: a clip is fake below the lower end, real from the upper end on, and unsure between.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`, or a share outside of its range.
    """
    if not 0 < share < 0.5:
        raise ValueError(f"share must be above 0 and below 0.5; found {share}")
    ranking = Ranking(ratios, labels)
    rates = ranking.rates()
    lower = _cut(ranking, int(np.flatnonzero(rates.can_decide & (rates.frr <= share))[-1]))
    upper = _cut(ranking, int(np.flatnonzero(rates.can_decide & (rates.far <= share))[0]))
    if lower < upper:
        return lower, upper
    # Any threshold from upper to lower serves. The one of the EER may lie outside where a clip is a large share.
    equal = min(max(_cut(ranking, _equal_decision_index(rates)), upper), lower)
    return equal, equal


def rates_at(scores: ArrayLike, labels: ArrayLike, threshold: float) -> tuple[float, float]:
    """FRR and FAR in [0, 1] where a clip is called fake if its score is below the threshold.

    Other arguments and errors are those of `crnn_hf.metrics.trials.checked`.
    """
    scores, is_fake = checked(scores, labels)
    called_fake = scores < threshold
    return float(called_fake[~is_fake].mean()), float((~called_fake)[is_fake].mean())


def _logistic_regression(
    scores: NDArray[np.float64], is_fake: NDArray[np.bool_], prior_of_real: float
) -> tuple[float, float]:
    """Slope and intercept of the log-likelihood ratio, by Newton's method with halved steps where it overshoots."""
    real = ~is_fake
    weights = np.where(real, prior_of_real / real.sum(), (1 - prior_of_real) / is_fake.sum())
    # Towards the prior and by the same share, the targets keep the prior for their mean, so that scores which tell
    # nothing get ratios of 0. Towards 1/2, as Platt's, doubts about the likely class would outweigh the unlikely one.
    doubt = 1 / (real.sum() + 2) + 1 / (is_fake.sum() + 2)
    targets = (1 - doubt) * real + doubt * prior_of_real
    prior_odds = math.log(prior_of_real / (1 - prior_of_real))

    def loss(at: NDArray) -> float:
        logits = at[0] * scores + at[1] + prior_odds
        return float(weights @ (targets * np.logaddexp(0, -logits) + (1 - targets) * np.logaddexp(0, logits)))

    at = np.array([1.0, 0.0])
    current = loss(at)
    for _ in range(STEPS):
        logits = at[0] * scores + at[1] + prior_odds
        chances = np.exp(-np.logaddexp(0, -logits))
        errors, curvature = weights * (chances - targets), weights * chances * (1 - chances)
        gradient = np.array([errors @ scores, errors.sum()])
        cross = curvature @ scores
        hessian = np.array([[curvature @ scores**2, cross], [cross, curvature.sum()]]) + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while loss(at - step) > current and np.abs(step).max() > 1e-12:
            step = step / 2
        at, current = at - step, loss(at - step)
        if np.abs(step).max() < 1e-10:
            break
    return float(at[0]), float(at[1])


def _equal_decision_index(rates: ErrorRates) -> int:
    """Where both error rates are closest, among the thresholds that no tie holds: one can decide there."""
    return int(np.argmin(np.where(rates.can_decide, np.abs(rates.frr - rates.far), np.inf)))


def _point(name: str, meaning: str, ranking: Ranking, index: int) -> OperatingPoint:
    threshold = _cut(ranking, index)
    return OperatingPoint(name, meaning, threshold, *rates_at(ranking.scores, ranking.is_fake, threshold))


def _cut(ranking: Ranking, index: int) -> float:
    """A threshold half way between the scores that are rejected at an index of the error rates and the next ones."""
    score = ranking.thresholds[index]
    just_above = np.nextafter(score, np.inf)
    place = np.searchsorted(ranking.scores, score, side="right")
    if place == len(ranking.scores):
        return float(just_above)
    # Halved one by one, for the sum may overflow; and between neighbours, half way may round to the lower one.
    return float(max(score / 2 + ranking.scores[place] / 2, just_above))
