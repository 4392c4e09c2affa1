"""The codec augmentation: real codecs, at what bit rate and band they claim, and nothing else of the clip changed."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.audio import coding
from crnn_hf.augmentation import codec
from crnn_hf.augmentation.codec import SETTINGS, Coding

RATE = 16_000


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """One and a half seconds of a gliding harmonic tone in noise, up to 8 kHz; float32 of shape (24001,)."""
    time = np.arange(24_001) / RATE
    phase = 2 * np.pi * (110 * time + 30 * time**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 40)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    return (0.1 * wave + 0.01 * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


def error(coded: np.ndarray, waveform: np.ndarray) -> float:
    """Distance of their spectrograms' magnitudes relative to the waveform's; phases, codecs may turn unheard."""
    frames = [np.lib.stride_tricks.sliding_window_view(w, 512)[::160] * np.hanning(512) for w in (coded, waveform)]
    found, wanted = np.abs(np.fft.rfft(frames))
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def test_keeps_the_protocol(check_protocol: Callable[..., None]) -> None:
    check_protocol(Coding(codecs=["opus", "amr", "g711"]))


@pytest.mark.parametrize("name", SETTINGS)
def test_each_codec_changes_a_clip_without_moving_it(voice: np.ndarray, name: str) -> None:
    coded = Coding(codecs=[name])(voice, RATE, np.random.default_rng(1))
    assert (coded.shape, coded.dtype) == (voice.shape, np.float32)
    assert 0.01 < error(coded, voice) < 0.8
    assert error(coded, voice) < error(np.roll(coded, 160), voice)
    assert np.array_equal(coded, Coding(codecs=[name])(voice, RATE, np.random.default_rng(1)))


@pytest.mark.parametrize("name", ["opus", "mp3", "aac", "amr"])
def test_fewer_bits_spoil_more(voice: np.ndarray, name: str) -> None:
    settings = [setting for setting in SETTINGS[name] if setting.sampling_rate == SETTINGS[name][0].sampling_rate]
    lowest, highest = min(settings, key=lambda s: s.bit_rate), max(settings, key=lambda s: s.bit_rate)
    errors = [error(coding.through_codec(voice, RATE, setting), voice) for setting in (lowest, highest)]
    assert errors[0] > 1.02 * errors[1]


@pytest.mark.parametrize("name", ["opus", "mp3", "aac", "amr", "g711", "g722"])
def test_the_bit_rate_reaches_the_encoder(voice: np.ndarray, name: str) -> None:
    for setting in SETTINGS[name]:
        seconds = 8
        bits = 8 * len(coding._encoded(np.resize(voice, seconds * setting.sampling_rate), setting))
        # Opus spends less on what is as simple as this; and containers add to the rate, Ogg about 1 kb/s.
        assert 0.6 * setting.bit_rate < bits / seconds < 1.1 * setting.bit_rate + 1_000


@pytest.mark.parametrize("name", ["amr", "g711"])
def test_telephones_pass_nothing_above_half_their_rate(name: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    power = np.abs(np.fft.rfft(Coding(codecs=[name])(noise, RATE, np.random.default_rng(0)))) ** 2
    assert power[len(power) * 9 // 16 :].sum() < 1e-3 * power.sum()


def test_the_generator_draws_codec_and_setting(voice: np.ndarray) -> None:
    rng, short = np.random.default_rng(0), voice[:4_000]
    results = {Coding()(short, RATE, rng).tobytes() for _ in range(20)}
    assert len(results) > 8


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("samples", [0, 1, 90, 800, 1_749])
def test_short_and_silent_clips_come_back_whole(voice: np.ndarray, name: str, samples: int) -> None:
    for waveform in (voice[:samples], np.zeros(samples, np.float32)):
        coded = Coding(codecs=[name])(waveform, RATE, np.random.default_rng(0))
        assert (coded.shape, coded.dtype) == ((samples,), np.float32)
        assert np.isfinite(coded).all()
        assert not np.shares_memory(coded, waveform)


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_other_rates_will_do(voice: np.ndarray, rate: int) -> None:
    assert Coding()(voice, rate, np.random.default_rng(3)).shape == voice.shape


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 1.5}, "probability must be a number"),
        ({"codecs": []}, "codecs must be a list of names"),
        ({"codecs": "opus"}, "codecs must be a list of names"),
        ({"codecs": ["opus", "speex"]}, "codecs must be of opus, .*; found 'speex'"),
        ({"codecs": [["opus"]]}, "codecs must be of opus"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Coding(**settings)


def test_a_missing_encoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "has_encoder", lambda encoder: encoder != "libopencore_amrnb")
    Coding(codecs=["opus", "g711"])
    with pytest.raises(ValueError, match="codecs has 'amr', whose encoder libopencore_amrnb the installed PyAV lacks"):
        Coding()
