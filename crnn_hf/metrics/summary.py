"""From the model's logits to the field's score, and from scores to all metrics at once."""

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.decisions import balancing_weights, decision_metrics_of
from crnn_hf.metrics.detection_cost import BAYES_THRESHOLD, act_dcf_of, min_dcf_index, min_dcf_of
from crnn_hf.metrics.error_rates import ErrorRates, Ranking, auc_of, eer_of, equal_error_index, equal_error_rate
from crnn_hf.metrics.likelihood_ratio_cost import bits_lost, cllr_of
from crnn_hf.metrics.trials import checked

# Of the mean of two rates of 1/2, to be multiplied by the root of 1 / real + 1 / fakes.
STANDARD_ERROR_AT_CHANCE = 0.25
HEADLINE = ("eer", "min_dcf", "act_dcf", "cllr", "auc", "accuracy", "precision", "recall", "f1")


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


def compute_cm_metrics(scores: ArrayLike, labels: ArrayLike, threshold: float = 0.0) -> dict[str, Any]:
    """All metrics of a countermeasure (CM).

    Args:
        scores: (clips,), higher for real.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        threshold: a clip is called fake if its score is below; finite.

    Returns:
        - `eer`, `min_dcf`, `act_dcf`, `cllr`: as ASVspoof 5's evaluation defines them. The last two take the scores
          for natural-log likelihood ratios.
        - `auc`: area under the ROC curve.
        - `accuracy`, `precision`, `recall`, `f1`: of the verdicts at `threshold`, with *fake* as the positive class.
        - `balanced`: the same four if both classes had equally many clips.
        - `thresholds`: `decision`, the one above; `eer` and `min_dcf`, above which a clip would pass for real there;
          `act_dcf`, from which on it does there.
        - `counts`: of `real` clips and of `fake` ones.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`, or the threshold is not a finite number.
    """
    meter = Meter(scores, labels, threshold)
    rates = meter.ranking.rates()
    fakes = int(meter.is_fake.sum())
    return {
        **meter.headline_of(rates),
        "balanced": decision_metrics_of(meter.called_fake, meter.is_fake, balancing_weights(meter.is_fake)),
        "thresholds": {
            "decision": float(threshold),
            "eer": float(rates.thresholds[equal_error_index(rates)]),
            "min_dcf": float(rates.thresholds[min_dcf_index(rates)]),
            "act_dcf": BAYES_THRESHOLD,
        },
        "counts": {"real": len(meter.is_fake) - fakes, "fake": fakes},
    }


class Meter:
    """Takes the headline metrics of the same scores under any number of weightings of the clips.

    What does not depend on the weights, above all the sorting, is done once.
    """

    def __init__(self, scores: ArrayLike, labels: ArrayLike, threshold: float = 0.0) -> None:
        """Arguments and errors are those of `compute_cm_metrics`."""
        self.scores, self.is_fake = checked(scores, labels)
        if not (isinstance(threshold, Real) and math.isfinite(threshold)):
            raise ValueError(f"threshold must be a finite number; found {threshold!r}")
        self.ranking = Ranking(self.scores, self.is_fake)
        self.called_fake = self.scores < threshold
        self._bits = bits_lost(self.scores, self.is_fake)

    def headline(self, weights: NDArray | None = None) -> dict[str, float]:
        """The metrics named in `HEADLINE`, where each clip counts for as many as its weight says.

        Args:
            weights: (clips,), at least 0, both classes with some above. By default every clip counts once.
        """
        return self.headline_of(self.ranking.rates(weights), weights)

    def headline_of(self, rates: ErrorRates, weights: NDArray | None = None) -> dict[str, float]:
        """`headline` where the error rates under these weights are computed already."""
        weights = np.ones(len(self.scores)) if weights is None else np.asarray(weights, np.float64)
        return {
            "eer": eer_of(rates),
            "min_dcf": min_dcf_of(rates),
            "act_dcf": act_dcf_of(self.scores, self.is_fake, weights),
            "cllr": cllr_of(self._bits, self.is_fake, weights),
            "auc": auc_of(rates),
            **decision_metrics_of(self.called_fake, self.is_fake, weights),
        }


def polarity_warning(scores: ArrayLike, labels: ArrayLike) -> str | None:
    """What to tell whose scores tell real from fake better the other way round; None where they do not.

    Arguments and errors are those of `compute_cm_metrics`.
    """
    scores, is_fake = checked(scores, labels)
    eer = equal_error_rate(scores, is_fake)
    # By chance alone, half of all scores that say nothing are better with the opposite sign, but not by so much.
    chance = 2 * STANDARD_ERROR_AT_CHANCE * math.sqrt(1 / is_fake.sum() + 1 / (~is_fake).sum())
    if eer <= 0.5 or (other_way := equal_error_rate(-scores, is_fake)) > 0.5 - chance:
        return None
    return (
        f"the scores look reversed: the EER is {eer:.2%} as they are and {other_way:.2%} with the opposite sign. "
        "Expected higher scores for real clips"
    )
