"""The vocoder that a training run teaches is a vocoder like the others."""

from pathlib import Path

import numpy as np
import pytest
import torch

from crnn_hf.vocoding import NeuralVocoder
from crnn_hf.vocoding.short_time import Samples
from crnn_hf.vocoding.spectrum_vocoder import SpectrumVocoder, SpectrumVocoderConfig, spectrum_vocoder

RATE = 16_000


@pytest.fixture
def untaught() -> SpectrumVocoder:
    torch.manual_seed(0)
    return SpectrumVocoder(SpectrumVocoderConfig(width=8, blocks=2)).eval()


def test_its_spectrogram_is_of_amplitudes_in_mel_bands(untaught: SpectrumVocoder) -> None:
    tone = torch.sin(torch.arange(RATE) * 2 * torch.pi * 1_000 / RATE)[None]
    spectrogram = untaught.log_mel(tone)
    assert spectrogram.shape == (1, 80, 81)
    # 1000 Hz is the 15th mel of Slaney's 45.25 up to 8 kHz, which 81 steps are spread over.
    assert spectrogram[0, :, 40].argmax() == pytest.approx(15 / 45.25 * 81 - 1, abs=1)
    torch.testing.assert_close(untaught.log_mel(0.5 * tone)[0, 26, 40], spectrogram[0, 26, 40] - np.log(2).item())


def test_it_is_saved_and_used_as_any_other(untaught: SpectrumVocoder, voice: Samples, tmp_path: Path) -> None:
    untaught.save_pretrained(tmp_path)
    vocoder = NeuralVocoder(str(tmp_path))
    said = vocoder(voice, RATE, np.random.default_rng(0))
    assert said.shape == voice.shape
    assert np.std(said) == pytest.approx(np.std(voice), rel=0.01)
    other_rate = vocoder(voice[:8_000], 8_000, np.random.default_rng(0))
    assert other_rate.shape == (8_000,)
    assert not vocoder(np.zeros(3_000, np.float32), RATE, np.random.default_rng(0)).any()


def test_the_level_does_not_matter(untaught: SpectrumVocoder, voice: Samples) -> None:
    with torch.inference_mode():
        loud, quiet = (spectrum_vocoder(untaught, "", level * voice, np.random.default_rng(0)) for level in (1, 0.01))
    torch.testing.assert_close(100 * quiet, loud, atol=1e-4, rtol=1e-4)
