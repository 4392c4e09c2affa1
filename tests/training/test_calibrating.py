"""A run can end with a calibration, of what it was evaluated on, and tells who measures it there."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from crnn_hf import CRNNConfig
from crnn_hf.data import load_corpus
from crnn_hf.inference import DeepfakeDetectionPipeline, is_calibrated_on, load_detector, score_clips
from crnn_hf.metrics import calibrate
from crnn_hf.training.fusion import fusion_factor

CODED = {"evaluation_sets__coded__augmentation__codec": "null", "metric_for_best_model": "mean_eer"}
LEARNS = {"num_train_epochs": "12", "learning_rate": "0.01"}


def test_a_run_ends_with_a_calibrated_model(
    run_training: Callable, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_training(tmp_path, calibrate="true", **CODED, **LEARNS)
    printed = capsys.readouterr().out
    assert "Calibrated on 8 real and 8 fake clips of validation, coded: log-likelihood ratio = " in printed
    assert "They have chosen the model too" in printed
    model, extractor = load_detector(tmp_path)
    calibration = model.config.calibration
    assert calibration["sets"] == ["validation", "coded"]
    assert calibration["data"] == "tiny, validation"
    assert calibration["clips"] == {"real": 8, "fake": 8}
    clips = load_corpus(tiny_corpus, "validation")
    assert is_calibrated_on(model.config, clips["utterance"])
    detector = DeepfakeDetectionPipeline(model=model, feature_extractor=extractor)
    assert 0 < detector(clips[0]["audio"])["probability"] < 1


def test_it_is_that_of_the_saved_model(run_training: Callable, tiny_corpus: Path, tmp_path: Path) -> None:
    run_training(tmp_path, calibrate="true", ema_decay="0.5", **LEARNS)
    model, extractor = load_detector(tmp_path)
    calibration, model.config.calibration = model.config.calibration, None
    trials = score_clips(model, extractor, load_corpus(tiny_corpus, "validation")).trials
    expected = calibrate(trials.scores, trials.is_fake)
    assert (calibration["scale"], calibration["offset"]) == pytest.approx((expected.scale, expected.offset), rel=1e-3)


def test_the_second_opinion_counts_as_much_as_other_clips_say(
    run_training: Callable, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"architecture__contrast": "true", **LEARNS}
    run_training(tmp_path / "fitted", **own)
    assert "The second opinion counts" not in capsys.readouterr().out
    run_training(tmp_path / "weighed", calibrate="true", **own)
    printed = capsys.readouterr().out
    model, extractor = load_detector(tmp_path / "fitted")
    clips, fitted = load_corpus(tiny_corpus, "validation"), dict(model.state_dict())
    both = score_clips(model, extractor, clips).trials
    model.contrast, extractor.return_contrast = None, False
    alone = score_clips(model, extractor, clips).trials
    factor = fusion_factor(alone.scores, both.scores - alone.scores, both.is_fake)
    assert factor != 1
    assert f"The second opinion counts {factor:.3g} times what it was fitted to, by validation." in printed
    for name, value in load_detector(tmp_path / "weighed")[0].state_dict().items():
        is_weighed = name in ("contrast.weight", "contrast.bias")
        torch.testing.assert_close(value, (factor if is_weighed else 1) * fitted[name], rtol=1e-3, atol=1e-6)


def test_scores_that_cannot_be_calibrated_do_not_undo_the_run(
    run_training: Callable, tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, extractor = load_detector(tiny_detector, device="cpu")
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.zero_()
    model.contrast, model.config.contrast, extractor.return_contrast = None, False, False
    for part in (model, extractor):
        part.save_pretrained(tmp_path / "stone")
    own = {"architecture.conv_channels": None, "architecture.hidden_size": None, "model": str(tmp_path / "stone")}
    run_training(tmp_path / "run", calibrate="true", num_train_epochs="1", learning_rate="0", **own)
    assert "Not calibrated: all scores are 0.0: there is nothing to calibrate" in capsys.readouterr().out
    assert CRNNConfig.from_pretrained(tmp_path / "run").calibration is None
