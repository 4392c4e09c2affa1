"""Detection and scoring give what the model gives, for files of any format, and name what they cannot judge."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.data import load_asvspoof5, waveform_of
from crnn_hf.inference import detect, load_detector, score_clips


def logits_of(detector: Path, waveform: np.ndarray) -> torch.Tensor:
    extractor = AutoFeatureExtractor.from_pretrained(detector)
    model = AutoModelForAudioClassification.from_pretrained(detector)
    with torch.no_grad():
        return model(**extractor(waveform, sampling_rate=16_000, return_tensors="pt")).logits[0]


def encoded(speech: np.ndarray, form: str, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, speech, rate, format=form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_verdict_on_a_file(tiny_detector: Path, tmp_path: Path, speech: np.ndarray, form: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(encoded(speech, form))
    verdict = detect(*load_detector(tiny_detector), path)
    logits = logits_of(tiny_detector, read_audio(path))
    assert verdict.score == pytest.approx(float(logits[0] - logits[1]), abs=1e-5)
    assert verdict.label == ["real", "fake"][int(logits.argmax())]
    assert verdict.probability == pytest.approx(float(logits.softmax(0).max()), abs=1e-5)
    assert detect(*load_detector(tiny_detector), path.read_bytes()) == verdict


def test_files_that_cannot_be_judged_are_named(tiny_detector: Path, tmp_path: Path, speech: np.ndarray) -> None:
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


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_scores_of_a_corpus(tiny_detector: Path, tiny_corpus: Path, batch_size: int) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    scores = score_clips(*load_detector(tiny_detector), clips, batch_size)
    alone = [logits_of(tiny_detector, waveform_of(clip["audio"])) for clip in clips]
    np.testing.assert_allclose(scores, [float(logits[0] - logits[1]) for logits in alone], atol=1e-5)


def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    CRNNForAudioClassification(CRNNConfig(conv_channels=[4], num_labels=3)).save_pretrained(tmp_path)
    CRNNFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"expected a model with the labels 'real' and 'fake'; found \['LABEL_0'"):
        load_detector(tmp_path)


def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        load_detector(tmp_path / "nowhere")
