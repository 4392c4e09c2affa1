"""False rejections and false acceptances over all thresholds, and where they are equal."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def error_rates(scores: ArrayLike, labels: ArrayLike) -> ErrorRates:
    """Error rates as ASVspoof 5's evaluation defines them.

    The thresholds are the scores themselves, and one below all of them, where everything passes. Among equal scores
    the real clips come first.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), 0 for real and 1 for fake.

    Raises:
        ValueError: scores and labels do not match, a score is not finite, a label is neither 0 nor 1, or one class has
            no clip.
    """
    scores, is_fake = checked(scores, labels)
    order = np.lexsort((is_fake, scores))
    sorted_is_fake = is_fake[order]
    fakes = int(is_fake.sum())
    frr = np.concatenate([[0.0], np.cumsum(~sorted_is_fake) / (len(scores) - fakes)])
    far = np.concatenate([[1.0], 1.0 - np.cumsum(sorted_is_fake) / fakes])
    thresholds = np.concatenate([[-np.inf], scores[order]])
    return ErrorRates(thresholds, frr, far)


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> float:
    """EER in [0, 1]: the mean of both error rates where they are closest, without interpolation.

    Arguments and errors are those of `error_rates`.
    """
    return eer_of(error_rates(scores, labels))


def eer_of(rates: ErrorRates) -> float:
    """EER of error rates that are computed already."""
    closest = np.argmin(np.abs(rates.frr - rates.far))
    return float((rates.frr[closest] + rates.far[closest]) / 2)


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores and whether each clip is fake; raises ValueError as `error_rates` says."""
    scores, labels = np.asarray(scores, np.float64), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ValueError(f"expected one score and one label a clip; found shapes {scores.shape} and {labels.shape}")
    finite = np.isfinite(scores)
    if not finite.all():
        first = int(finite.argmin())
        raise ValueError(f"{(~finite).sum()} scores are not finite numbers, the first at {first}: {scores[first]}")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"labels must be 0 (real) or 1 (fake); found {sorted(set(labels.tolist()) - {0, 1})}")
    is_fake = labels == 1
    if is_fake.all() or not is_fake.any():
        found = "no clip" if not len(labels) else "fakes only" if is_fake.all() else "real clips only"
        raise ValueError(f"error rates need real clips and fakes; found {found}")
    return scores, is_fake
