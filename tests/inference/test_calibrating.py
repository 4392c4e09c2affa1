"""A calibration is fitted, kept with the model, and in force however the model is loaded."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForAudioClassification

from crnn_hf.contrast_crnn import NUM_STATISTICS
from crnn_hf.inference import calibration_record, is_calibrated_on, load_detector, save_calibration
from crnn_hf.metrics.trials import Trials


@pytest.fixture
def trials() -> Trials:
    rng = np.random.default_rng(0)
    is_fake = np.arange(400) % 4 > 0
    return Trials([f"E_{index}" for index in range(400)], rng.normal(np.where(is_fake, -1.0, 1.0)), is_fake)


def test_a_record_holds_what_serves_to_use_it(trials: Trials) -> None:
    record = calibration_record(trials, "a corpus")
    assert json.loads(json.dumps(record)) == record
    # Two normal distributions of deviation 1 and means 1 and -1: the log-likelihood ratio is twice the score.
    assert record["scale"] == pytest.approx(2.0, abs=0.35)
    assert record["offset"] == pytest.approx(0.0, abs=0.35)
    assert record["clips"] == {"real": 100, "fake": 300}
    assert {"equal_errors", "lowest_cost", "real_flagged_1%"} <= {point["name"] for point in record["thresholds"]}
    lower, upper = record["abstain"]
    ratios = record["scale"] * trials.scores + record["offset"]
    assert np.mean(ratios[~trials.is_fake] < lower) <= 0.05
    assert np.mean(ratios[trials.is_fake] >= upper) <= 0.05


@pytest.mark.parametrize("in_place", [True, False])
def test_a_stored_calibration_is_in_force(tiny_detector: Path, tmp_path: Path, trials: Trials, in_place: bool) -> None:
    model = Path(shutil.copytree(tiny_detector, tmp_path / "model"))
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    record = calibration_record(trials, "a corpus")
    folder = save_calibration(record, model, None if in_place else tmp_path / "copy")
    assert folder == (model if in_place else tmp_path / "copy")
    changed = {path.name for path in model.iterdir() if before.get(path.name) != path.read_bytes()}
    assert changed == ({"config.json"} if in_place else set())

    inputs = {"input_features": torch.randn(2, 60, 80), "contrast": torch.randn(2, NUM_STATISTICS)}
    raw = AutoModelForAudioClassification.from_pretrained(tiny_detector)(**inputs).logits
    found, _ = load_detector(folder, "cpu")
    assert found.config.calibration == record
    logits = found(**inputs).logits
    ratios = record["scale"] * (raw[:, 0] - raw[:, 1]) + record["offset"]
    torch.testing.assert_close(logits[:, 0] - logits[:, 1], ratios)
    torch.testing.assert_close(logits.mean(1), raw.mean(1))


def test_a_second_calibration_replaces_the_first(tiny_detector: Path, tmp_path: Path, trials: Trials) -> None:
    model = Path(shutil.copytree(tiny_detector, tmp_path / "model"))
    for data in ("first", "second"):
        save_calibration(calibration_record(trials, data), model)
    assert load_detector(model, "cpu")[0].config.calibration["data"] == "second"


def test_clips_that_a_calibration_was_fitted_to_are_known_again(
    tiny_detector: Path, tmp_path: Path, trials: Trials
) -> None:
    model = Path(shutil.copytree(tiny_detector, tmp_path / "model"))
    config = load_detector(model, "cpu")[0].config
    assert not is_calibrated_on(config, trials.utterances)
    config.calibration = calibration_record(trials, "a corpus")
    assert is_calibrated_on(config, trials.utterances[::-1])
    assert not is_calibrated_on(config, trials.utterances[:-1])
