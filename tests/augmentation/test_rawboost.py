"""RawBoost's noises: the filters, levels and shares that were asked for."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.augmentation.rawboost import ConvolutiveNoise, ImpulsiveNoise, NotchFilters, StationaryNoise, notch

RATE = 16_000
KINDS = [ConvolutiveNoise, ImpulsiveNoise, StationaryNoise]


@pytest.fixture
def noise() -> np.ndarray:
    """Four seconds of white noise; float32 of shape (64000,)."""
    return np.random.default_rng(7).normal(0, 0.1, 64_000).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_the_protocol(check_protocol: Callable[..., None], kind: type) -> None:
    check_protocol(kind())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("waveform", [[], [0.5] * 5_000, [1e-30] * 300], ids=["empty", "constant", "faint"])
def test_odd_clips_come_back_finite(kind: type, waveform: list[float]) -> None:
    changed = kind()(np.array(waveform, np.float32), RATE, np.random.default_rng(0))
    assert (changed.shape, changed.dtype) == ((len(waveform),), np.float32)
    assert np.isfinite(changed).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_exceeds_full_scale(kind: type) -> None:
    loud = np.sign(np.random.default_rng(0).standard_normal(20_000)).astype(np.float32)
    assert np.abs(kind()(loud, RATE, np.random.default_rng(0))).max() <= 1


def test_a_notch_stops_its_band_and_passes_the_rest() -> None:
    gain = np.abs(np.fft.rfft(notch(0.25, 0.5, 101), 8_000))  # 4001 values up to half the sampling rate
    assert gain[1_200:1_800].max() < 0.01
    assert gain[:800] == pytest.approx(1, abs=0.01)
    assert gain[2_200:] == pytest.approx(1, abs=0.01)


def test_filters_are_centred_and_never_amplify() -> None:
    for seed in range(20):
        taps = NotchFilters().draw(RATE, np.random.default_rng(seed))
        assert len(taps) % 2 == 1
        assert taps == pytest.approx(taps[::-1])
        assert np.abs(np.fft.rfft(taps, 8_192)).max() == pytest.approx(1, abs=0.01)


def test_convolutive_noise_cuts_a_notch_where_it_was_asked_to(noise: np.ndarray) -> None:
    one = ConvolutiveNoise(powers=1, notches=1, centres_hz=(3_000, 3_000), widths_hz=(800, 800), taps=(101, 101))
    changed = one(noise, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(changed)) ** 2 / np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    assert np.median(power[np.abs(hertz - 3_000) < 200]) < 1e-3
    assert np.median(power[np.abs(hertz - 3_000) > 800]) == pytest.approx(1, abs=0.05)


def test_linear_convolutive_noise_does_not_shift(noise: np.ndarray) -> None:
    changed = ConvolutiveNoise(powers=1)(noise, RATE, np.random.default_rng(0))
    likeness = np.fft.irfft(np.fft.rfft(changed) * np.conj(np.fft.rfft(noise)))
    assert likeness.argmax() == 0


def test_powers_add_overtones_at_their_gain_whatever_the_level() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE).astype(np.float32)
    # Stop bands of no width leave the filter a mere 1.
    square = ConvolutiveNoise(powers=2, widths_hz=(0, 0), power_decibels=(-10, -10))
    for level in (1e-3, 0.5):
        spectrum = np.abs(np.fft.rfft(square(level * tone, RATE, np.random.default_rng(0))))
        # sin^2 is half as high at twice the frequency.
        assert 20 * np.log10(spectrum[1_000] / spectrum[500]) == pytest.approx(-10 - 6.02, abs=0.1)


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_impulsive_noise_changes_the_share_of_samples_that_was_asked_for(share: float, noise: np.ndarray) -> None:
    changed = ImpulsiveNoise(share=(share, share), gain=2)(noise, RATE, np.random.default_rng(0))
    assert np.mean(changed != noise) == pytest.approx(share, abs=0.001)
    assert (np.abs(changed - noise) <= 2 * np.abs(noise) + 1e-6).all()


@pytest.mark.parametrize("decibels", [0.0, 10.0, 40.0])
def test_stationary_noise_has_the_drawn_snr(decibels: float, noise: np.ndarray) -> None:
    added = StationaryNoise(decibels=(decibels, decibels))(noise, RATE, np.random.default_rng(0)) - noise
    assert 20 * np.log10(np.linalg.norm(noise) / np.linalg.norm(added)) == pytest.approx(decibels, abs=0.1)
    assert abs(np.corrcoef(added, noise)[0, 1]) < 0.02


def test_stationary_noise_is_coloured(noise: np.ndarray) -> None:
    one = StationaryNoise(notches=1, centres_hz=(3_000, 3_000), widths_hz=(800, 800), taps=(101, 101))
    power = np.abs(np.fft.rfft(one(noise, RATE, np.random.default_rng(0)) - noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    assert np.median(power[np.abs(hertz - 3_000) < 200]) < 1e-2 * np.median(power)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        *[(kind, {"probability": -0.1}, "probability must be a number") for kind in KINDS],
        (ConvolutiveNoise, {"powers": 0}, "powers must be an integer of at least 1"),
        (ConvolutiveNoise, {"linear_decibels": (0,)}, "linear_decibels must be two numbers"),
        (ConvolutiveNoise, {"power_decibels": (-5, -20)}, "power_decibels must be two numbers, the lower first"),
        (ConvolutiveNoise, {"notches": 2.5}, "notches must be an integer"),
        (ConvolutiveNoise, {"centres_hz": (-1, 8_000)}, "centres_hz must be two numbers"),
        (StationaryNoise, {"widths_hz": "wide"}, "widths_hz must be two numbers"),
        (StationaryNoise, {"taps": (0, 10)}, "taps must be two numbers from 1"),
        (StationaryNoise, {"decibels": 10}, "decibels must be two numbers"),
        (ImpulsiveNoise, {"share": (0, 1.5)}, "share must be two numbers from 0 to 1"),
        (ImpulsiveNoise, {"gain": -1}, "gain must be a number of at least 0; found -1"),
    ],
)
def test_impossible_settings_are_refused(kind: type, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**settings)
