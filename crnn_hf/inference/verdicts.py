"""From a score to a verdict."""

import math
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedConfig


@dataclass(frozen=True)
class Verdict:
    """What a detector says of a recording.

    Attributes:
        label: "real", "fake", or "unsure" where the score lies in the band in which a calibrated detector abstains.
        score: logit(real) - logit(fake), below 0 where fake is likelier; of a calibrated detector, the natural-log
            likelihood ratio of real to fake.
        probability_of_fake: in [0, 1], at the prior that was asked for; None from a detector without calibration,
            whose scores are no chances.
    """

    label: str
    score: float
    probability_of_fake: float | None


def verdict(
    score: float, config: PreTrainedConfig, threshold: float | str | None = None, prior_of_fake: float = 0.5
) -> Verdict:
    """The verdict on a score.

    Args:
        score: of the model with this config.
        config: may hold a calibration.
        threshold: call everything below it fake and the rest real: a number, or the name of one of the calibration's
            thresholds. By default the calibration's band of abstention decides, or 0 where there is none.
        prior_of_fake: how likely a recording is fake before it is heard, above 0 and below 1.

    Raises:
        ValueError: no threshold has that name, or a prior outside of its range.
    """
    if not 0 < prior_of_fake < 1:
        raise ValueError(f"prior_of_fake must be above 0 and below 1; found {prior_of_fake}")
    lower, upper = decision_band(config, threshold)
    label = "fake" if score < lower else "real" if score >= upper else "unsure"
    if calibration_of(config) is None:
        return Verdict(label, score, None)
    log_odds_of_fake = math.log(prior_of_fake / (1 - prior_of_fake)) - score
    return Verdict(label, score, _sigmoid(log_odds_of_fake))


def decision_band(config: PreTrainedConfig, threshold: float | str | None = None) -> tuple[float, float]:
    """Below which score a recording is fake, and from which on it is real. Arguments and errors are `verdict`'s."""
    calibration = calibration_of(config)
    if threshold is None:
        return tuple((calibration or {}).get("abstain", (0.0, 0.0)))
    if isinstance(threshold, str):
        if calibration is None:
            raise ValueError(f"the model is not calibrated, so that it has no threshold named {threshold!r}")
        named = {point["name"]: point["threshold"] for point in calibration.get("thresholds", [])}
        if threshold not in named:
            raise ValueError(f"no threshold is named {threshold!r}; expected a number or one of {', '.join(named)}")
        threshold = named[threshold]
    if not math.isfinite(threshold):
        raise ValueError(f"a threshold must be a finite number; found {threshold}")
    return threshold, threshold


def calibration_of(config: PreTrainedConfig) -> dict[str, Any] | None:
    """What the config of any model for audio classification says of its calibration; None if it says nothing."""
    return getattr(config, "calibration", None)


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))
