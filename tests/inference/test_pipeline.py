"""The detection pipeline: verdict, segments and timeline of recordings of any length."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import pipeline

import crnn_hf
from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.data.embedded.voice import coloured_noise
from crnn_hf.inference import load_detector
from crnn_hf.inference.backends import export_onnx

TASK = "audio-deepfake-detection"
RATE = 16_000


@pytest.fixture(scope="module")
def detector(tiny_detector: Path) -> crnn_hf.DeepfakeDetectionPipeline:
    return pipeline(TASK, model=str(tiny_detector))


@pytest.fixture
def long_speech(speech: np.ndarray) -> np.ndarray:
    """Eleven seconds and a half."""
    return np.concatenate([speech * gain for gain in (1, 0.7, 1.3, 0.4, 2, 1)])[: int(11.5 * RATE)]


def score_of(detector: crnn_hf.DeepfakeDetectionPipeline, waveform: np.ndarray) -> float:
    """The model's own score of a waveform, by its parts."""
    inputs = detector.feature_extractor(waveform, sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        logits = detector.model(**inputs).logits[0]
    return float(logits[0] - logits[1])


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_short_recording_has_the_score_of_the_whole_clip(
    detector: crnn_hf.DeepfakeDetectionPipeline,
    tiny_detector: Path,
    tmp_path: Path,
    speech: np.ndarray,
    form: str,
    logits_of: Callable,
    encoded: Callable,
) -> None:
    path = tmp_path / "recording"
    path.write_bytes(encoded(speech, form))
    found = detector(str(path))
    logits = logits_of(tiny_detector, read_audio(path))
    assert found["score"] == pytest.approx(float(logits[0] - logits[1]), abs=2e-4)
    assert found["label"] == ["real", "fake"][int(logits.argmax())]
    assert (found["calibrated"], found["probability"]) == (False, None)
    assert found["duration"] == pytest.approx(2.0, abs=0.1)
    assert [(part["start"], part["end"]) for part in found["segments"]] == [(0.0, found["duration"])]
    assert found["timeline"]["step"] == 0.5
    assert found["timeline"]["scores"][:4] == pytest.approx([found["score"]] * 4, abs=0.01 if form == "MP3" else 2e-4)


def test_an_undecided_score_is_not_called_fake(tiny_detector: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.zero_()
    model.classifier.bias.data.zero_()
    model.contrast.weight.zero_()
    found = pipeline(TASK, model=model, feature_extractor=extractor)(speech)
    assert (found["label"], found["score"]) == ("real", 0.0)


def test_the_stock_pipeline_gives_the_same_chance(tiny_detector: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.config.calibration = {"scale": 3.0, "offset": -0.5, "abstain": [-1e6, 1e6], "thresholds": []}
    stock = pipeline("audio-classification", model=model, feature_extractor=extractor)
    chances = {found["label"]: found["score"] for found in stock({"raw": speech.copy(), "sampling_rate": RATE})}
    found = pipeline(TASK, model=model, feature_extractor=extractor)(speech)
    assert found["probability"] == pytest.approx(chances["fake"], abs=1e-4)


def test_no_part_contradicts_a_recording_of_one_window(
    detector: crnn_hf.DeepfakeDetectionPipeline, long_speech: np.ndarray
) -> None:
    found = detector(long_speech[: 4 * RATE])
    assert found["timeline"]["scores"] == [found["score"]] * 8
    assert [part["label"] for part in found["segments"]] == [found["label"]]
    longer = detector(long_speech[: int(4.5 * RATE)])
    assert len(set(longer["timeline"]["scores"])) > 1


def test_a_long_recording_is_the_mean_of_its_windows(
    detector: crnn_hf.DeepfakeDetectionPipeline, long_speech: np.ndarray
) -> None:
    found = detector(long_speech, whole_window=4.0)
    starts = [0, 2, 4, 6, 7.5]  # every two seconds, and the last to end with the recording
    scores = [score_of(detector, long_speech[int(start * RATE) : int((start + 4) * RATE)]) for start in starts]
    assert found["score"] == pytest.approx(np.mean(scores), abs=1e-4)
    assert found["duration"] == 11.5
    assert len(found["timeline"]["scores"]) == 23
    assert found["segments"][0]["start"] == 0
    assert found["segments"][-1]["end"] == 11.5
    # The first step is in one window alone.
    assert found["timeline"]["scores"][0] == pytest.approx(score_of(detector, long_speech[: 2 * RATE]), abs=1e-4)


def test_a_recording_is_parted_where_it_changes(detector: crnn_hf.DeepfakeDetectionPipeline) -> None:
    rng = np.random.default_rng(0)
    parts = [0.05 * coloured_noise(int(3.2 * RATE), exponent, rng).astype(np.float32) for exponent in (0.0, 2.0)]
    scores = detector(np.concatenate(parts))["timeline"]["scores"]
    first, second = scores[0], scores[-1]
    assert scores == [first] * 6 + [second] * 7
    assert [first, second] == pytest.approx([score_of(detector, part) for part in parts], abs=0.05)
    found = detector(np.concatenate(parts), threshold=(first + second) / 2)["segments"]
    assert [part["label"] for part in found] == (["real", "fake"] if first > second else ["fake", "real"])
    assert found[0]["end"] == found[1]["start"] == pytest.approx(3.2, abs=0.05)


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_batches_across_recordings_change_nothing(
    detector: crnn_hf.DeepfakeDetectionPipeline, long_speech: np.ndarray, batch_size: int
) -> None:
    lengths = [3.0, 11.5, 0.4, 2.0, 4.0, 1.3]
    recordings = [long_speech[: int(length * RATE)] for length in lengths]
    alone = [detector(recording, batch_size=1) for recording in recordings]
    together = detector(recordings, batch_size=batch_size)
    assert [found["duration"] for found in together] == lengths
    for one, other in zip(alone, together, strict=True):
        assert other["score"] == pytest.approx(one["score"], abs=2e-4)
        assert other["timeline"]["scores"] == pytest.approx(one["timeline"]["scores"], abs=2e-4)


def test_generators_are_read_as_they_come(detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray) -> None:
    asked = []

    def recordings() -> Iterator[np.ndarray]:
        for index in range(1000):
            asked.append(index)
            yield speech[: RATE + index]

    found = detector(recordings(), batch_size=2)
    assert next(found)["duration"] == 1.0
    assert len(asked) < 10


def test_no_recordings(detector: crnn_hf.DeepfakeDetectionPipeline) -> None:
    assert detector([]) == []


def test_silence_and_what_is_hardly_there_are_unsure(
    detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray
) -> None:
    found = detector(np.zeros(3 * RATE, np.float32))
    assert found["label"] == "unsure"
    assert found["reason"].startswith("too little sounds: 0.00 s; expected at least 0.5 s")
    assert [part["label"] for part in found["segments"]] == ["silence"]
    assert found["timeline"]["scores"] == [None] * 6
    short = detector(speech[: int(0.3 * RATE)])
    assert (short["label"], short["sounding"]) == ("unsure", pytest.approx(0.3, abs=0.021))


@pytest.mark.parametrize("samples", [9_000, 15_999, 16_000, 16_001, 31_900, 32_000])
def test_a_recording_of_any_length_sounds_as_long_as_it_does(
    detector: crnn_hf.DeepfakeDetectionPipeline, samples: int
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    assert detector(noise)["sounding"] == pytest.approx(samples / RATE, abs=0.021)


def test_silence_within_speech_counts_for_nothing(
    detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray
) -> None:
    silence = np.zeros(6 * RATE, np.float32)
    found = detector(np.concatenate([speech, speech, silence]))
    assert [part["label"] for part in found["segments"]][-1] == "silence"
    assert found["sounding"] == pytest.approx(4.0, abs=0.3)


def test_a_calibrated_model_abstains_and_says_why(tiny_detector: Path, long_speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.config.calibration = {"scale": 2.0, "offset": 0.1, "abstain": [-1e6, 1e6], "thresholds": []}
    found = pipeline(TASK, model=model, feature_extractor=extractor)(long_speech)
    assert (found["label"], found["calibrated"]) == ("unsure", True)
    assert "errs too often" in found["reason"]
    assert found["probability"] == pytest.approx(1 / (1 + np.exp(found["score"])), abs=1e-3)
    decided = pipeline(TASK, model=model, feature_extractor=extractor, threshold=found["score"] + 1)(long_speech)
    assert (decided["label"], decided["reason"]) == ("fake", None)


def test_a_recording_that_cannot_be_read_is_raised_or_returned(
    detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "text.wav").write_text("this is no sound")
    recordings = [speech, str(tmp_path / "text.wav"), str(tmp_path / "none.wav"), speech[:100], speech[:RATE]]
    with pytest.raises(AudioReadError, match=r"text\.wav: no audio in a known format"):
        detector(recordings)
    found = detector(recordings, on_error="return")
    assert [sorted(result) == ["error"] for result in found] == [False, True, True, True, False]
    assert "less than one frame" in found[3]["error"]
    assert found[4]["score"] == pytest.approx(detector(speech[:RATE])["score"], abs=2e-4)


def test_damaged_weights_give_no_verdict(tiny_detector: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="not finite numbers"):
        pipeline(TASK, model=model, feature_extractor=extractor)([speech], on_error="return")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 5.0}, "expected step <= window <= whole_window"),
        ({"step": 0.0}, "step must be above 0 seconds"),
        ({"least_sound": 9.0}, "least_sound must be from 0 to 2 s"),
        ({"windows": 2.0}, "no such settings of audio-deepfake-detection: windows"),
        ({"on_error": "skip"}, "on_error must be one of"),
        ({"threshold": "nope"}, "no threshold named 'nope'"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_impossible_settings_are_named(
    detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray, settings: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        detector([speech], **settings)


def test_a_file_object_is_read_where_it_stands(
    detector: crnn_hf.DeepfakeDetectionPipeline, speech: np.ndarray, encoded: Callable
) -> None:
    assert detector(io.BytesIO(encoded(speech, "WAV")))["duration"] == 2.0


def test_onnx_judges_alike(tiny_detector: Path, tmp_path: Path, long_speech: np.ndarray) -> None:
    pytest.importorskip("onnxruntime")
    export_onnx(tiny_detector, tmp_path)
    expected = pipeline(TASK, model=str(tmp_path))(long_speech)
    for other in (
        pipeline(TASK, model=str(tmp_path), backend="onnx"),
        crnn_hf.DeepfakeDetectionPipeline.from_pretrained(tmp_path, backend="onnx"),
        crnn_hf.DeepfakeDetectionPipeline.from_pretrained(tmp_path),
    ):
        found = other(long_speech)
        assert found["score"] == pytest.approx(expected["score"], abs=2e-4)
        assert found["timeline"]["scores"] == pytest.approx(expected["timeline"]["scores"], abs=2e-4)


def test_a_saved_pipeline_is_a_model_like_any_other(
    detector: crnn_hf.DeepfakeDetectionPipeline, tmp_path: Path, speech: np.ndarray
) -> None:
    detector.save_pretrained(tmp_path)
    for task in (TASK, "audio-classification"):
        assert pipeline(task, model=str(tmp_path))(speech.copy())  # without trust_remote_code
