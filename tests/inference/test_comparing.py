"""Two detectors score the same clips, those that both can score, and what makes them unlike is told."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data import ClipReader, load_asvspoof5
from crnn_hf.inference import load_detector, save_calibration, score_clips
from crnn_hf.inference.calibrating import fingerprint
from crnn_hf.inference.comparing import doubts, score_pair


@pytest.fixture
def other_detector(tmp_path: Path) -> Callable:
    def make(**of_extractor: int) -> Path:
        torch.manual_seed(1)
        folder = tmp_path / f"other{len(list(tmp_path.iterdir()))}"
        CRNNForAudioClassification(CRNNConfig(conv_channels=[4, 8], hidden_size=4)).save_pretrained(folder)
        CRNNFeatureExtractor(**of_extractor).save_pretrained(folder)
        return folder

    return make


@pytest.mark.parametrize(("of_extractor", "readings"), [({}, 1), ({"sampling_rate": 8_000, "f_max": 4_000}, 2)])
def test_each_scores_what_it_scores_alone(
    tiny_detector: Path,
    other_detector: Callable,
    tiny_corpus: Path,
    of_extractor: dict,
    readings: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    detectors = load_detector(tiny_detector), load_detector(other_detector(**of_extractor))
    alone = [score_clips(*detector, clips).trials for detector in detectors]
    read = ClipReader.__call__
    calls = []
    monkeypatch.setattr(ClipReader, "__call__", lambda self, batch: calls.append(self) or read(self, batch))
    pair = score_pair(*detectors, clips, batch_size=3)
    assert len(calls) == readings * len(clips)
    for scored, one in zip((pair.old, pair.new), alone, strict=True):
        assert scored.utterances == one.utterances
        assert scored.columns == one.columns
        np.testing.assert_allclose(scored.scores, one.scores, atol=1e-5)
    assert (pair.thresholds, pair.faults) == ((0.0, 0.0), [])


def test_clips_that_one_of_them_cannot_score_are_left_out(
    tiny_detector: Path, other_detector: Callable, tiny_corpus: Path, encoded: Callable
) -> None:
    def damage(row: dict, index: int) -> dict:
        damaged = {1: encoded(np.random.default_rng(0).normal(0, 0.1, 700), "FLAC"), 4: row["audio"]["bytes"][:9_000]}
        return {"audio": {**row["audio"], "bytes": damaged.get(index, row["audio"]["bytes"])}}

    whole = load_asvspoof5(tiny_corpus, "validation")
    damaged = whole.map(damage, with_indices=True)
    detectors = load_detector(tiny_detector), load_detector(other_detector(n_fft=1024))
    pair = score_pair(*detectors, damaged)
    kept = [0, 2, 3, 5, 6, 7]
    assert pair.old.utterances == pair.new.utterances == [whole[index]["utterance"] for index in kept]
    np.testing.assert_allclose(pair.new.scores, score_clips(*detectors[1], whole).trials.scores[kept], atol=1e-5)
    assert pair.old.columns["speaker"] == [whole[index]["speaker"] for index in kept]
    cut, short = pair.faults  # each once, though neither could read the one that is cut off
    assert "D_0000000004.flac: cut off or damaged" in cut
    assert short.startswith("D_0000000001: has 700 samples, less than one frame")


def test_what_makes_two_detectors_unlike_is_told(tiny_detector: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    plain = load_detector(tiny_detector)
    assert doubts(plain, plain, score_pair(plain, plain, clips)) == []

    folder = shutil.copytree(tiny_detector, tmp_path / "calibrated")
    record = {"scale": 2.0, "offset": 0.5, "abstain": [-0.25, 0.75], "fingerprint": fingerprint(clips["utterance"])}
    save_calibration(record, folder)
    calibrated = load_detector(folder)
    pair = score_pair(plain, calibrated, clips)
    assert pair.thresholds == (0.0, -0.25)
    alone, fitted = doubts(plain, calibrated, pair)
    assert alone.startswith("the new model alone is calibrated: actDCF, Cllr and the verdicts differ for that reason")
    assert fitted.startswith("the calibration of the new model was fitted to these very clips")
