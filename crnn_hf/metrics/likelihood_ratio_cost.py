"""How good scores are as log-likelihood ratios, whatever decision they serve."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.trials import checked


def cllr(scores: ArrayLike, labels: ArrayLike) -> float:
    """Cllr in bits (N. Bruemmer and J. du Preez, Computer Speech and Language 20, 2006); 0 is perfect.

    Scores that all are 0, which say nothing, have 1.0; scores that mislead have more.

    Args:
        scores: (clips,), natural-log likelihood ratios, higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    scores, is_fake = checked(scores, labels)
    return cllr_of(bits_lost(scores, is_fake), is_fake, np.ones(len(scores)))


def bits_lost(scores: NDArray, is_fake: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What each clip's score costs at even odds, log2(1 + e^-score) if it is real and log2(1 + e^score) if fake."""
    return np.logaddexp(0, np.where(is_fake, scores, -scores)) / np.log(2)


def cllr_of(bits: NDArray, is_fake: NDArray[np.bool_], weights: NDArray) -> float:
    """Cllr of what each clip costs, where it counts for as many as its weight says; all of shape (clips,)."""
    real, fake = weights * ~is_fake, weights * is_fake
    return float((real @ bits / real.sum() + fake @ bits / fake.sum()) / 2)
