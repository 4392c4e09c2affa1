"""False rejections and false acceptances over all thresholds, where they are equal, and the area they leave."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.trials import checked


class ErrorRates(NamedTuple):
    """Error rates at each threshold, in rising order; every array has shape (clips + 1,).

    Attributes:
        thresholds: a clip passes for real if its score is above.
        frr: false rejection rate, the share of real clips that do not pass.
        far: false acceptance rate, the share of fakes that pass.
    """

    thresholds: NDArray[np.float64]
    frr: NDArray[np.float64]
    far: NDArray[np.float64]

    @property
    def can_decide(self) -> NDArray[np.bool_]:
        """Where a decision can be made, (clips + 1,): not within ties, through which no threshold goes."""
        return np.append(self.thresholds[:-1] < self.thresholds[1:], True)


class Ranking:
    """Clips sorted by score once, for error rates under any number of weightings. Among equals the real come first.

    Attributes:
        order: which clip stands at each place, (clips,).
        scores: of the clips in that order, (clips,).
        is_fake: of the clips in that order, (clips,).
        thresholds: as in `ErrorRates`; the first one is just below all scores.
    """

    def __init__(self, scores: ArrayLike, labels: ArrayLike) -> None:
        """Arguments and errors are those of `error_rates`."""
        scores, is_fake = checked(scores, labels)
        by_class = np.concatenate([np.flatnonzero(~is_fake), np.flatnonzero(is_fake)])
        self.order = by_class[np.argsort(scores[by_class], kind="stable")]
        self.scores = scores[self.order]
        self.is_fake = is_fake[self.order]
        self.thresholds = np.concatenate([[np.nextafter(self.scores[0], -np.inf)], self.scores])

    def rates(self, weights: NDArray | None = None) -> ErrorRates:
        """Error rates, where each clip counts for as many as its weight says; both classes need some.

        Args:
            weights: (clips,), at least 0, in the clips' own order. By default every clip counts once. Of several
                weightings, (weightings, clips), the rates are of shape (weightings, clips + 1).
        """
        weights = np.ones(len(self.scores)) if weights is None else np.asarray(weights, np.float64)[..., self.order]
        fakes_below = np.cumsum(weights * self.is_fake, axis=-1)
        real_below = np.cumsum(weights * ~self.is_fake, axis=-1)
        start = np.zeros((*weights.shape[:-1], 1))
        fakes = fakes_below[..., -1:]
        # Divided like this and not otherwise: the EER of equally close thresholds hangs on the last bit.
        frr = np.concatenate([start, real_below / real_below[..., -1:]], axis=-1)
        far = np.concatenate([start + 1, (fakes - fakes_below) / fakes], axis=-1)
        return ErrorRates(self.thresholds, frr, far)


def error_rates(scores: ArrayLike, labels: ArrayLike) -> ErrorRates:
    """Error rates as ASVspoof 5's evaluation defines them.

    The thresholds are the scores themselves, and one below all of them, where everything passes. Among equal scores
    the real clips come first.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    return Ranking(scores, labels).rates()


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> float:
    """EER in [0, 1]: the mean of both error rates where they are closest, without interpolation.

    Arguments and errors are those of `error_rates`.
    """
    return eer_of(error_rates(scores, labels))


def eer_of(rates: ErrorRates) -> float:
    """EER of error rates that are computed already."""
    return float(eers_of(rates))


def eers_of(rates: ErrorRates) -> NDArray[np.float64]:
    """EER of each of several weightings, (weightings,)."""
    closest = np.argmin(np.abs(rates.frr - rates.far), axis=-1, keepdims=True)
    frr, far = (np.take_along_axis(each, closest, axis=-1) for each in (rates.frr, rates.far))
    return ((frr + far) / 2)[..., 0]


def equal_error_index(rates: ErrorRates) -> int:
    """Where both error rates are closest."""
    return int(np.argmin(np.abs(rates.frr - rates.far)))


def auc_of(rates: ErrorRates) -> float:
    """Area under the ROC curve in [0, 1]: how often a real clip scores above a fake, a tie counting one half."""
    frr, far = rates.frr[rates.can_decide], rates.far[rates.can_decide]
    return float(np.trapezoid((1 - frr)[::-1], far[::-1]))
