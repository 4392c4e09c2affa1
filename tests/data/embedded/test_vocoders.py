"""The embedded corpus's vocoders leave nothing else that gives them away."""

import numpy as np
import pytest

from crnn_hf.data.embedded.vocoders import VOCODERS
from crnn_hf.data.embedded.voice import SAMPLING_RATE, Samples, draw_speaker, synthesize_utterance

SAMPLES = 40_001  # odd, and no multiple of any hop


@pytest.fixture(scope="module")
def speech() -> Samples:
    rng = np.random.default_rng(0)
    waveform = np.zeros(SAMPLES, dtype=np.float32)
    waveform[:-1] = synthesize_utterance(draw_speaker(rng, "x", "M"), 2.5, rng)
    return waveform


@pytest.mark.parametrize("name", VOCODERS)
def test_length_level_and_balance_stay(name, speech):
    result = VOCODERS[name](speech, SAMPLING_RATE, np.random.default_rng(1))
    assert result.dtype == np.float32
    assert result.shape == speech.shape
    assert np.isfinite(result).all()
    assert np.abs(result).max() < 1
    assert abs(result.mean()) < 1e-5
    assert np.std(result) == pytest.approx(np.std(speech), rel=0.01)
    before, after = (np.abs(np.fft.rfft(waveform)) ** 2 for waveform in (speech, result))
    for low, high in ((200, 1000), (1000, 3000), (3000, 7500)):
        band = slice(low * SAMPLES // SAMPLING_RATE, high * SAMPLES // SAMPLING_RATE)
        assert abs(10 * np.log10(after[band].sum() / before[band].sum())) < 2


@pytest.mark.parametrize("name", VOCODERS)
def test_what_would_exceed_full_scale_is_turned_down(name):
    rng = np.random.default_rng(2)
    result = VOCODERS[name](rng.uniform(-1, 1, 8000).astype(np.float32), SAMPLING_RATE, rng)
    assert 0.5 < np.abs(result).max() < 1
