"""How good the verdicts at one threshold are."""

import numpy as np
from numpy.typing import ArrayLike

from crnn_hf.metrics.error_rates import checked


def decision_metrics(scores: ArrayLike, labels: ArrayLike, threshold: float = 0.0) -> dict[str, float]:
    """Accuracy, precision, recall and F1, with *fake* as the positive class.

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), 0 for real and 1 for fake.
        threshold: a clip counts as fake if its score is below. At 0, for a score that is the difference of two logits,
            the likelier label wins.

    Returns:
        `accuracy`, `precision`, `recall` and `f1`, in [0, 1]. With no clip called fake, precision and F1 are 0.

    Raises:
        ValueError: as `error_rates`.
    """
    scores, is_fake = checked(scores, labels)
    called_fake = scores < threshold
    hits = np.sum(called_fake & is_fake)
    return {
        "accuracy": float(np.mean(called_fake == is_fake)),
        "precision": float(hits / max(1, called_fake.sum())),
        "recall": float(hits / is_fake.sum()),
        "f1": float(2 * hits / (called_fake.sum() + is_fake.sum())),
    }
