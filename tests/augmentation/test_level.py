from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.augmentation.level import DirectCurrent, Gain, HighPass, amplitude, at_level, rms


@pytest.mark.parametrize("augmentation", [Gain(), DirectCurrent(), HighPass()])
def test_keeps_the_protocol(augmentation: Gain, check_protocol: Callable[..., None]) -> None:
    check_protocol(augmentation)


def test_gain_is_exact(speech: np.ndarray) -> None:
    louder = Gain(1, decibels=[6, 6])(speech, 16_000, np.random.default_rng(0))
    np.testing.assert_allclose(louder, speech * 10 ** (6 / 20), rtol=1e-6)


def test_gain_is_drawn_from_the_whole_range(speech: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    gains = [20 * np.log10(rms(Gain(1, (-12, 12))(speech, 16_000, rng)) / rms(speech)) for _ in range(200)]
    assert -12 <= min(gains) < -11
    assert 11 < max(gains) <= 12


def test_direct_current_adds_a_constant(speech: np.ndarray) -> None:
    added = DirectCurrent(1, (0.01, 0.02))(speech, 16_000, np.random.default_rng(0)) - speech
    assert np.ptp(added) < 1e-6
    assert 0.01 <= added.mean() <= 0.02


def test_high_pass_removes_offset_and_rumble_but_no_speech() -> None:
    time = np.arange(32_000) / 16_000
    rumble = 0.2 + 0.1 * np.sin(2 * np.pi * 10 * time)
    voice = 0.1 * np.sin(2 * np.pi * 1_000 * time)
    high_pass = HighPass(1, (100, 100))
    quiet = high_pass(rumble.astype(np.float32), 16_000, np.random.default_rng(0))
    assert abs(quiet.mean()) < 1e-4
    assert rms(quiet[1_600:-1_600]) < 0.1 / np.sqrt(2) * amplitude(-39)  # 12 dB an octave: 40 dB a decade
    kept = high_pass((rumble + voice).astype(np.float32), 16_000, np.random.default_rng(0))
    assert rms(kept[1_600:-1_600]) == pytest.approx(0.1 / np.sqrt(2), rel=0.01)


def test_high_pass_is_at_minus_3_decibels_at_its_cutoff() -> None:
    tone = np.sin(2 * np.pi * 100 * np.arange(32_000) / 16_000).astype(np.float32)
    filtered = HighPass(1, (100, 100))(tone, 16_000, np.random.default_rng(0))
    assert 20 * np.log10(rms(filtered[4_000:-4_000]) / rms(tone)) == pytest.approx(-3.01, abs=0.05)


def test_high_pass_does_not_ring_before_a_sound() -> None:
    click = np.zeros(16_000, np.float32)
    click[8_000] = 1
    filtered = HighPass(1, (50, 50))(click, 16_000, np.random.default_rng(0))
    assert np.abs(filtered[4_000:8_000]).max() < 1e-6
    assert np.abs(filtered[8_001:8_100]).max() > 1e-2


def test_a_level_is_set_and_silence_stays_silent(speech: np.ndarray) -> None:
    assert rms(at_level(speech, 0.05)) == pytest.approx(0.05, rel=1e-5)
    assert not at_level(np.zeros(10, np.float32), 0.05).any()
    assert not at_level(np.full(10, 1e-40, np.float32), 0.05).any()


@pytest.mark.parametrize(
    ("kind", "settings", "name"),
    [
        (Gain, {"probability": 2}, "probability"),
        (Gain, {"decibels": (12, -12)}, "decibels"),
        (Gain, {"decibels": 6}, "decibels"),
        (DirectCurrent, {"offset": (-3, 0)}, "offset"),
        (HighPass, {"cutoff_hz": (0, 100)}, "cutoff_hz"),
    ],
)
def test_refuses_settings_by_name(kind: type, settings: dict, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        kind(**settings)
