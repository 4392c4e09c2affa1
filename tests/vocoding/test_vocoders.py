"""Every vocoder throws the waveform away and keeps what is heard; nothing else gives it away."""

import numpy as np
import pytest

from crnn_hf.vocoding import VOCODERS
from crnn_hf.vocoding.short_time import Samples, stft

RATE = 16_000
# They keep the waveform of the low band by design.
LOW_BAND_KEPT = {"residual_excited", "upsampled", "mel_phase_noise"}


@pytest.fixture(scope="module")
def vocoded(voice) -> dict[str, Samples]:
    return {name: vocoder(voice, RATE, np.random.default_rng(1)) for name, vocoder in VOCODERS.items()}


def envelope(waveform: Samples) -> Samples:
    """Log power (frames, 64) in broad bands, down to 50 dB below the loudest."""
    power = (np.abs(stft(waveform, 512, 128)[:, :256]) ** 2).reshape(-1, 64, 4).mean(axis=2)
    return np.log(power + 1e-5 * power.max())


@pytest.mark.parametrize("name", VOCODERS)
def test_length_level_and_balance_stay(name, voice, vocoded):
    result = vocoded[name]
    assert result.dtype == np.float32
    assert result.shape == voice.shape
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 1
    assert result.mean() == pytest.approx(voice.mean(), abs=1e-5)
    assert np.std(result) == pytest.approx(np.std(voice), rel=0.01)
    before, after = (np.abs(np.fft.rfft(waveform)) ** 2 for waveform in (voice, result))
    for low, high in ((200, 1000), (1000, 3000), (3000, 7500)):
        band = slice(low * len(voice) // RATE, high * len(voice) // RATE)
        assert abs(10 * np.log10(after[band].sum() / before[band].sum())) < 1


@pytest.mark.parametrize("name", VOCODERS)
def test_waveform_changes_and_envelope_stays(name, voice, vocoded):
    low = 5_000 if name in LOW_BAND_KEPT else 0
    after, before = (np.fft.rfft(waveform)[low * len(voice) // RATE :] for waveform in (vocoded[name], voice))
    coherence = np.abs(np.vdot(after, before)) / (np.linalg.norm(after) * np.linalg.norm(before))
    assert coherence < 0.5
    assert np.corrcoef(envelope(vocoded[name]).ravel(), envelope(voice).ravel())[0, 1] > 0.75


@pytest.mark.parametrize("name", VOCODERS)
def test_the_generator_decides(name, voice, vocoded):
    np.testing.assert_array_equal(VOCODERS[name](voice, RATE, np.random.default_rng(1)), vocoded[name])
    others = [VOCODERS[name](voice, RATE, np.random.default_rng(seed)) for seed in (2, 3)]
    assert any(np.abs(other - vocoded[name]).max() > 1e-3 for other in others)


@pytest.mark.parametrize("name", VOCODERS)
def test_every_setting_works(name, voice):
    vocoder = VOCODERS[name]
    for setting, values in vocoder.settings.items():
        for value in values:
            result = vocoder.resynthesize(voice[8_000:12_000], RATE, np.random.default_rng(0), **{setting: value})
            assert result.shape == (4_000,), (setting, value)
            assert np.isfinite(result).all(), (setting, value)


@pytest.mark.parametrize("name", VOCODERS)
@pytest.mark.parametrize("kind", ["silence", "loud noise", "one sample", "short", "offset", "half silence"])
def test_awkward_input_stays_in_range(name, kind, voice):
    rng = np.random.default_rng(2)
    waveform = {
        "silence": np.zeros(8000),
        "loud noise": rng.uniform(-1, 1, 8000),
        "one sample": np.full(1, 0.1),
        "short": 0.1 * rng.standard_normal(500),
        "offset": 0.5 + 0.1 * rng.standard_normal(8000),
        "half silence": np.append(voice[8_000:12_000], np.zeros(4_000)),
    }[kind].astype(np.float32)
    given = waveform.copy()
    result = VOCODERS[name](waveform, RATE, rng)
    np.testing.assert_array_equal(waveform, given)
    assert result.shape == waveform.shape
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 1
    assert result.mean() == pytest.approx(waveform.mean(), abs=5e-3)
    if kind == "silence":
        assert not result.any()
    if kind == "half silence":
        assert not result[4_000:].any()


@pytest.mark.parametrize("name", VOCODERS)
@pytest.mark.parametrize("sampling_rate", [8_000, 22_050, 48_000])
def test_any_sampling_rate_will_do(name, sampling_rate, voice):
    result = VOCODERS[name](voice[:6_000], sampling_rate, np.random.default_rng(0))
    assert result.shape == (6_000,)
    assert np.isfinite(result).all()


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="samples"):
        VOCODERS["lpc_vocoder"](np.zeros((1, 100), dtype=np.float32), RATE, np.random.default_rng())
