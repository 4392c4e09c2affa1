"""A vocoder that learns from the real clips comes nearer to them, and training hears it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from crnn_hf.data import load_asvspoof5
from crnn_hf.training import vocoder as learning
from crnn_hf.training.vocoder import CLIPS, FRAMES, learn_vocoder, spectral_loss, stretches
from crnn_hf.vocoding import NeuralVocoder
from crnn_hf.vocoding.spectrum_vocoder import SpectrumVocoder, SpectrumVocoderConfig

LEARNT = {
    "vocoding": '{"probability": 0.9, "vocoders": [], "learned_steps": 4}',
    "num_train_epochs": "1",
}


def test_it_learns(tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []

    def noted(said: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        losses.append(spectral_loss(said, given))
        return losses[-1]

    monkeypatch.setattr(learning, "spectral_loss", noted)
    monkeypatch.setattr(learning, "WARMUP", 1)
    rows = load_asvspoof5(tiny_corpus, "train")
    state = torch.get_rng_state()
    learn_vocoder(rows, tmp_path / "first", 12, seed=0, quiet=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert len(losses) == 12
    assert losses[-1] < 0.8 * losses[0]
    learn_vocoder(rows, tmp_path / "again", 12, seed=0, quiet=True)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "again")]
    assert weights[0] == weights[1]
    waveform = np.random.default_rng(0).standard_normal(16_000, dtype=np.float32)
    assert NeuralVocoder(str(tmp_path / "first"))(waveform, 16_000, np.random.default_rng(0)).any()


def test_it_needs_real_clips(tiny_corpus: Path, tmp_path: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    fakes = rows.select([row for row, label in enumerate(rows["label"]) if label == 1])
    with pytest.raises(ValueError, match="there are no real clips of which a vocoder could learn to speak"):
        learn_vocoder(fakes, tmp_path, 1, seed=0)


def test_stretches_are_drawn_at_levels_that_are_drawn(tiny_corpus: Path) -> None:
    rows, config = load_asvspoof5(tiny_corpus, "train"), SpectrumVocoderConfig()
    first, again, other = (next(stretches(rows, config, np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert first.shape == (CLIPS, FRAMES * config.hop_length)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    peaks = first.abs().amax(1)
    assert 0.099 < peaks.min() < peaks.max() < 1.001


def test_training_hears_it(run_training: Callable, tmp_path: Path) -> None:
    run_training(tmp_path / "with", **LEARNT)
    assert isinstance(SpectrumVocoder.from_pretrained(tmp_path / "with" / "vocoder"), SpectrumVocoder)
    run_training(tmp_path / "without", num_train_epochs="1")
    assert not (tmp_path / "without" / "vocoder").exists()
    heard, unheard = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("with", "without"))
    assert heard != unheard


def test_a_run_that_goes_on_keeps_its_vocoder(run_training: Callable, tmp_path: Path) -> None:
    run_training(tmp_path, **LEARNT)
    learnt = (tmp_path / "vocoder" / "model.safetensors").stat().st_mtime_ns
    run_training(tmp_path, **{**LEARNT, "num_train_epochs": "2"})
    assert (tmp_path / "vocoder" / "model.safetensors").stat().st_mtime_ns == learnt
