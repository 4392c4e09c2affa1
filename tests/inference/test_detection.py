"""A verdict on a file is what the model says of it, whatever the format, and what cannot be judged is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import pipeline

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.inference import detect, load_detector


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_verdict_on_a_file(
    tiny_detector: Path, tmp_path: Path, speech: np.ndarray, form: str, logits_of: Callable, encoded: Callable
) -> None:
    path = tmp_path / "recording"
    path.write_bytes(encoded(speech, form))
    verdict = detect(*load_detector(tiny_detector), path)
    logits = logits_of(tiny_detector, read_audio(path))
    assert verdict.score == pytest.approx(float(logits[0] - logits[1]), abs=1e-5)
    assert verdict.label == ["real", "fake"][int(logits.argmax())]
    assert verdict.probability_of_fake is None
    assert detect(*load_detector(tiny_detector), path.read_bytes()) == verdict


def test_files_that_cannot_be_judged_are_named(
    tiny_detector: Path, tmp_path: Path, speech: np.ndarray, encoded: Callable
) -> None:
    detector = load_detector(tiny_detector)
    path = tmp_path / "short.wav"
    path.write_bytes(encoded(speech[:400], "WAV"))
    with pytest.raises(AudioReadError, match=r"short\.wav: clip 0 has 400 samples, less than one frame"):
        detect(*detector, path)
    path.write_bytes(encoded(speech, "FLAC")[:9_000])
    with pytest.raises(AudioReadError, match=r"short\.wav: cut off or damaged"):
        detect(*detector, path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        detect(*detector, tmp_path / "nowhere")


def test_an_undecided_score_is_not_called_fake(tiny_detector: Path, speech: np.ndarray, encoded: Callable) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.zero_()
    model.classifier.bias.data.zero_()
    verdict = detect(model, extractor, encoded(speech, "WAV"))
    assert (verdict.label, verdict.score) == ("real", 0.0)


def test_damaged_weights_give_no_verdict(tiny_detector: Path, speech: np.ndarray, encoded: Callable) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="not finite numbers"):
        detect(model, extractor, encoded(speech, "WAV"))


def test_every_way_of_running_a_calibrated_model_gives_the_same_score(
    tiny_detector: Path, speech: np.ndarray, encoded: Callable
) -> None:
    model, extractor = load_detector(tiny_detector)
    recording = encoded(speech, "WAV")
    raw = detect(model, extractor, recording).score
    model.config.calibration = {"scale": 3.0, "offset": -0.5, "abstain": [-1e6, 1e6], "thresholds": []}
    calibrated = detect(model, extractor, recording)
    assert calibrated.score == pytest.approx(3 * raw - 0.5, abs=1e-5)
    assert calibrated.label == "unsure"
    assert detect(model, extractor, recording, threshold=calibrated.score + 1).label == "fake"
    chances = {
        found["label"]: found["score"]
        for found in pipeline("audio-classification", model=model, feature_extractor=extractor)(
            {"raw": read_audio(recording), "sampling_rate": 16_000}
        )
    }
    assert calibrated.probability_of_fake == pytest.approx(chances["fake"], abs=1e-6)
