"""From a score to a verdict: the band of abstention, thresholds by name, and chances only where there are any."""

import math

import pytest

from crnn_hf import CRNNConfig
from crnn_hf.inference import decision_band, verdict

CALIBRATION = {
    "scale": 2.0,
    "offset": 0.0,
    "abstain": [-1.5, 2.5],
    "thresholds": [{"name": "real_flagged_1%", "meaning": "", "threshold": -3.0, "frr": 0.01, "far": 0.4}],
}


@pytest.mark.parametrize(("score", "label"), [(-0.1, "fake"), (0.0, "real"), (0.1, "real")])
def test_without_calibration_zero_decides_and_no_chance_is_named(score: float, label: str) -> None:
    found = verdict(score, CRNNConfig())
    assert (found.label, found.score, found.probability_of_fake) == (label, score, None)


@pytest.mark.parametrize(
    ("score", "label"), [(-1.6, "fake"), (-1.5, "unsure"), (0.0, "unsure"), (2.4, "unsure"), (2.5, "real")]
)
def test_a_calibrated_detector_abstains_within_its_band(score: float, label: str) -> None:
    found = verdict(score, CRNNConfig(calibration=CALIBRATION))
    assert found.label == label
    assert found.probability_of_fake == pytest.approx(1 / (1 + math.exp(score)))


def test_the_prior_moves_the_chance_and_not_the_score() -> None:
    config = CRNNConfig(calibration=CALIBRATION)
    found = verdict(0.0, config, prior_of_fake=0.05)
    assert found.probability_of_fake == pytest.approx(0.05)
    assert found.score == 0.0
    assert verdict(-800.0, config).probability_of_fake == 1.0
    assert verdict(800.0, config).probability_of_fake == pytest.approx(0.0, abs=1e-300)


def test_a_threshold_leaves_nothing_unsure() -> None:
    config = CRNNConfig(calibration=CALIBRATION)
    assert verdict(0.0, config, threshold=0.5).label == "fake"
    assert verdict(-2.9, config, threshold="real_flagged_1%").label == "real"
    assert decision_band(config, "real_flagged_1%") == (-3.0, -3.0)


def test_scale_and_offset_alone_are_a_calibration() -> None:
    config = CRNNConfig(calibration={"scale": 2.0, "offset": 0.0})
    assert decision_band(config) == (0.0, 0.0)
    assert verdict(-1.0, config).probability_of_fake == pytest.approx(1 / (1 + math.exp(-1.0)))
    with pytest.raises(ValueError, match="no threshold is named 'best'"):
        decision_band(config, "best")


def test_what_cannot_be_meant_is_refused() -> None:
    config = CRNNConfig(calibration=CALIBRATION)
    with pytest.raises(ValueError, match="no threshold is named 'best'; expected a number or one of real_flagged_1%"):
        verdict(0.0, config, threshold="best")
    with pytest.raises(ValueError, match="not calibrated, so that it has no threshold named 'best'"):
        verdict(0.0, CRNNConfig(), threshold="best")
    with pytest.raises(ValueError, match="finite number; found nan"):
        verdict(0.0, config, threshold=math.nan)
    for prior in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="prior_of_fake must be above 0 and below 1"):
            verdict(0.0, config, prior_of_fake=prior)
