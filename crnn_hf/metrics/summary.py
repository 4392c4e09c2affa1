"""From the model's logits to the field's score, and from scores to all metrics at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.decisions import decision_metrics
from crnn_hf.metrics.detection_cost import min_dcf_of
from crnn_hf.metrics.error_rates import eer_of, error_rates


def real_scores(logits: ArrayLike, label2id: dict[str, int]) -> NDArray[np.float64]:
    """The field's score, `logit(real) - logit(fake)`: higher is more real, and 0 is undecided.

    Args:
        logits: (clips, labels).
        label2id: the model's labels, of which two are named "real" and "fake".

    Returns:
        (clips,), float64.

    Raises:
        ValueError: the model has no such labels, or a logit is not a finite number.
    """
    if not {"real", "fake"} <= set(label2id):
        raise ValueError(f"expected a model with the labels 'real' and 'fake'; found {sorted(label2id)}")
    logits = np.asarray(logits, np.float64)
    if not np.isfinite(logits).all():
        raise ValueError(
            "the model gives logits that are not finite numbers: its training diverged (try a lower learning rate), "
            "or its weights are damaged"
        )
    return logits[:, label2id["real"]] - logits[:, label2id["fake"]]


def compute_metrics(scores: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """EER and minDCF, and accuracy, precision, recall and F1 for *fake* at a score of 0.

    Arguments and errors are those of `error_rates`. All values but minDCF lie in [0, 1].
    """
    rates = error_rates(scores, labels)
    return {"eer": eer_of(rates), "min_dcf": min_dcf_of(rates), **decision_metrics(scores, labels)}
