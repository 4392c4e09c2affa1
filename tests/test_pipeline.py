"""transformers' stock audio-classification pipeline runs our models."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import AudioClassificationPipeline, pipeline

from crnn_hf.audio import resample


@pytest.fixture(scope="module")
def classifier(tiny_detector: Path) -> AudioClassificationPipeline:
    return pipeline("audio-classification", model=str(tiny_detector))


def by_label(results: list[dict]) -> dict[str, float]:
    return {result["label"]: result["score"] for result in results}


def test_arrays(classifier: AudioClassificationPipeline, speech: np.ndarray) -> None:
    scores = by_label(classifier(speech))
    assert set(scores) == {"real", "fake"}
    assert sum(scores.values()) == pytest.approx(1)
    assert by_label(classifier(torch.from_numpy(speech))) == pytest.approx(scores)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_dicts_at_any_rate(classifier: AudioClassificationPipeline, speech: np.ndarray, rate: int) -> None:
    resampled = resample(speech, 16_000, rate)
    scores = by_label(classifier({"raw": resampled, "sampling_rate": rate}))
    assert by_label(classifier({"array": resampled, "sampling_rate": rate})) == scores
    assert set(scores) == {"real", "fake"}
    if rate >= 16_000:
        assert scores == pytest.approx(by_label(classifier(speech)), abs=0.05)


@pytest.mark.parametrize("batch_size", [2, 4])
def test_batches_give_what_clips_alone_give(
    classifier: AudioClassificationPipeline, speech: np.ndarray, batch_size: int
) -> None:
    clips = [speech, speech[:9_000], speech[8_000:8_600], speech[:20_001], speech[::-1].copy()]
    alone = [by_label(classifier(clip)) for clip in clips]
    batched = classifier([clip.copy() for clip in clips], batch_size=batch_size)
    for one, other in zip(alone, map(by_label, batched), strict=True):
        assert other == pytest.approx(one, abs=1e-5)


def test_bad_clips_raise_what_the_extractor_raises(classifier: AudioClassificationPipeline) -> None:
    with pytest.raises(ValueError, match="less than one frame"):
        classifier(np.zeros(100, np.float32))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the stock pipeline reads files with the ffmpeg program")
def test_files(classifier: AudioClassificationPipeline, speech: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    soundfile.write(path, speech, 16_000, subtype="FLOAT")
    assert by_label(classifier(str(path))) == pytest.approx(by_label(classifier(speech)), abs=1e-3)
