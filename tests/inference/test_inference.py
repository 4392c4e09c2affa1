"""Detection and scoring give what the model gives, for files of any format, and name what they cannot judge."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, CRNNModel
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
    scored = score_clips(*load_detector(tiny_detector), clips, batch_size)
    alone = [logits_of(tiny_detector, waveform_of(clip["audio"])) for clip in clips]
    assert (scored.utterances, scored.labels, scored.faults) == (list(clips["utterance"]), list(clips["label"]), [])
    np.testing.assert_allclose(scored.scores, [float(logits[0] - logits[1]) for logits in alone], atol=1e-5)


def test_clips_that_cannot_be_scored_are_named_and_the_others_scored(tiny_detector: Path, tiny_corpus: Path) -> None:
    def damage(row: dict, index: int) -> dict:
        content = {2: row["audio"]["bytes"][:9_000], 5: encoded(np.zeros(100), "FLAC")}.get(
            index, row["audio"]["bytes"]
        )
        return {"audio": {**row["audio"], "bytes": content}}

    whole = load_asvspoof5(tiny_corpus, "validation")
    damaged = whole.map(damage, with_indices=True)
    detector = load_detector(tiny_detector)
    scored = score_clips(*detector, damaged, batch_size=3)
    kept = [0, 1, 3, 4, 6, 7]
    assert scored.utterances == [whole[index]["utterance"] for index in kept]
    np.testing.assert_allclose(scored.scores, score_clips(*detector, whole).scores[kept], atol=1e-5)
    cut, short = scored.faults
    assert "D_0000000002.flac: cut off or damaged" in cut
    assert short.startswith("D_0000000005: has 100 samples, less than one frame")


def test_damaged_weights_give_no_verdict(tiny_detector: Path, tiny_corpus: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="not finite numbers"):
        detect(model, extractor, encoded(speech, "WAV"))
    with pytest.raises(ValueError, match="not finite numbers"):
        score_clips(model, extractor, load_asvspoof5(tiny_corpus, "validation"))


def test_an_undecided_score_is_not_called_fake(tiny_detector: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.zero_()
    model.classifier.bias.data.zero_()
    verdict = detect(model, extractor, encoded(speech, "WAV"))
    assert (verdict.label, verdict.probability, verdict.score) == ("real", 0.5, 0.0)


def test_a_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    CRNNModel(CRNNConfig(conv_channels=[4])).save_pretrained(tmp_path)
    CRNNFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"lacks the weights \['classifier.bias', 'classifier.weight'\]"):
        load_detector(tmp_path)


def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    CRNNForAudioClassification(CRNNConfig(conv_channels=[4], num_labels=3)).save_pretrained(tmp_path)
    CRNNFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"expected a model with the labels 'real' and 'fake'; found \['LABEL_0'"):
        load_detector(tmp_path)


def test_no_such_model(tmp_path: Path) -> None:
    for name in (tmp_path / "nowhere", "nowhere", "tests/nowhere"):
        with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
            load_detector(name)
