"""How good the verdicts at one threshold are."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.trials import checked


def decision_metrics(
    scores: ArrayLike, labels: ArrayLike, threshold: float = 0.0, *, balanced: bool = False
) -> dict[str, float]:
    """Accuracy, precision, recall and F1, with *fake* as the positive class.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        threshold: a clip counts as fake if its score is below. At 0, for a score that is the difference of two logits,
            the likelier label wins.
        balanced: count the clips such that both classes weigh the same, however many there are of each.

    Returns:
        `accuracy`, `precision`, `recall` and `f1`, in [0, 1]. With no clip called fake, precision and F1 are 0.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    scores, is_fake = checked(scores, labels)
    weights = balancing_weights(is_fake) if balanced else np.ones(len(scores))
    return decision_metrics_of(scores < threshold, is_fake, weights)


def decision_metrics_of(
    called_fake: NDArray[np.bool_], is_fake: NDArray[np.bool_], weights: NDArray
) -> dict[str, float]:
    """The metrics of verdicts, where each clip counts for as many as its weight says; all of shape (clips,)."""
    called = weights @ called_fake
    hits = weights @ (called_fake & is_fake)
    fakes = weights @ is_fake
    return {
        "accuracy": float(weights @ (called_fake == is_fake) / weights.sum()),
        "precision": float(hits / called) if called else 0.0,
        "recall": float(hits / fakes),
        "f1": float(2 * hits / (called + fakes)),
    }


def balancing_weights(is_fake: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A weight for each clip with which both classes count the same; 1 on average."""
    share = is_fake.mean()
    return np.where(is_fake, 0.5 / share, 0.5 / (1 - share))
