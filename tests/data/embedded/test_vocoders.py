"""Every vocoder throws the waveform away and keeps what is heard; nothing else gives it away."""

import numpy as np
import pytest

from crnn_hf.data.embedded.vocoders import VOCODERS, linear_prediction, stft, track_f0
from crnn_hf.data.embedded.voice import SAMPLING_RATE, Samples, draw_speaker, synthesize_utterance

SAMPLES = 40_001  # odd, and no multiple of any hop


@pytest.fixture(scope="module")
def speech() -> Samples:
    rng = np.random.default_rng(0)
    waveform = np.zeros(SAMPLES, dtype=np.float32)
    waveform[:-1] = synthesize_utterance(draw_speaker(rng, "x", "M"), 2.5, rng)
    return waveform


@pytest.fixture(scope="module")
def vocoded(speech) -> dict[str, Samples]:
    return {name: vocoder(speech, SAMPLING_RATE, np.random.default_rng(1)) for name, vocoder in VOCODERS.items()}


def envelope(waveform: Samples) -> Samples:
    """Log power (frames, 64) in broad bands, down to 50 dB below the loudest."""
    power = (np.abs(stft(waveform, 512, 128)[:, :256]) ** 2).reshape(-1, 64, 4).mean(axis=2)
    return np.log(power + 1e-5 * power.max())


@pytest.mark.parametrize("name", VOCODERS)
def test_length_level_and_balance_stay(name, speech, vocoded):
    result = vocoded[name]
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
def test_waveform_changes_and_envelope_stays(name, speech, vocoded):
    # Above 2.5 kHz, as the residual-excited one transmits the waveform of the low band by design.
    after, before = (np.fft.rfft(waveform)[SAMPLES * 2500 // SAMPLING_RATE :] for waveform in (vocoded[name], speech))
    coherence = np.abs(np.vdot(after, before)) / (np.linalg.norm(after) * np.linalg.norm(before))
    assert coherence < 0.5
    assert np.corrcoef(envelope(vocoded[name]).ravel(), envelope(speech).ravel())[0, 1] > 0.8


@pytest.mark.parametrize("name", VOCODERS)
def test_repeats_for_a_seed(name, speech, vocoded):
    again = VOCODERS[name](speech, SAMPLING_RATE, np.random.default_rng(1))
    np.testing.assert_array_equal(again, vocoded[name])


@pytest.mark.parametrize("name", VOCODERS)
@pytest.mark.parametrize("kind", ["silence", "loud noise", "short", "offset"])
def test_awkward_input_stays_in_range(name, kind):
    rng = np.random.default_rng(2)
    waveform = {
        "silence": np.zeros(8000),
        "loud noise": rng.uniform(-1, 1, 8000),
        "short": 0.1 * rng.standard_normal(500),
        "offset": 0.5 + 0.1 * rng.standard_normal(8000),
    }[kind].astype(np.float32)
    result = VOCODERS[name](waveform, SAMPLING_RATE, rng)
    assert result.shape == waveform.shape
    assert np.isfinite(result).all()
    assert np.abs(result).max() < 1
    assert abs(result.mean()) < 1e-4
    if kind == "silence":
        assert np.abs(result).max() < 1e-4


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="samples"):
        VOCODERS["lpc_vocoder"](np.zeros((1, 100), dtype=np.float32), SAMPLING_RATE, np.random.default_rng())


@pytest.mark.parametrize("f0", [80.0, 131.0, 240.0, 330.0])
def test_f0_tracker_finds_a_harmonic_tone(f0):
    time = np.arange(SAMPLING_RATE) / SAMPLING_RATE
    tone = sum(np.cos(2 * np.pi * k * f0 * time) / k for k in range(1, 9)).astype(np.float32)
    tracked, voiced = track_f0(tone, SAMPLING_RATE)
    assert voiced[5:-5].all()
    assert tracked[5:-5] == pytest.approx(f0, rel=0.01)
    assert track_f0(np.random.default_rng(0).standard_normal(16000).astype(np.float32), 16000)[1].mean() < 0.1


def test_linear_prediction_recovers_an_autoregression():
    poles = np.array([1.0, -1.2, 0.8], dtype=np.float32)
    noise = np.random.default_rng(0).standard_normal(SAMPLING_RATE).astype(np.float32)
    waveform = np.fft.irfft(np.fft.rfft(noise) / np.fft.rfft(poles, SAMPLING_RATE)).astype(np.float32)
    coefficients, gain = linear_prediction(waveform, SAMPLING_RATE, order=2)
    assert coefficients[5:-5].mean(axis=0) == pytest.approx(poles, abs=0.03)
    assert gain[5:-5].mean() == pytest.approx(1, abs=0.1)
