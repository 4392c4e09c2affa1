from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.audio import AudioReadError
from crnn_hf.augmentation.level import rms
from crnn_hf.augmentation.reverberation import RecordedReverberation, Reverberation

RATE = 16_000


@pytest.fixture
def impulse() -> np.ndarray:
    """Two seconds with an impulse at 0.1 s."""
    impulse = np.zeros(2 * RATE, np.float32)
    impulse[RATE // 10] = 1
    return impulse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One impulse response: silence, the direct sound at sample 500, inverted, and a reflection 1000 samples on."""
    response = np.zeros(4_000)
    response[[500, 1_500]] = -0.8, 0.4
    soundfile.write(tmp_path / "room.wav", response, RATE, subtype="FLOAT")
    return tmp_path


def _reverberation_time(tail: np.ndarray) -> float:
    """By Schroeder's backward integration ("New Method of Measuring Reverberation Time", 1965), from -5 to -30 dB."""
    remaining = np.cumsum(tail[::-1].astype(np.float64) ** 2)[::-1]
    decibels = 10 * np.log10(remaining / remaining[0] + 1e-12)
    fitted = np.flatnonzero((decibels < -5) & (decibels > -30))
    return -60 / np.polyfit(fitted / RATE, decibels[fitted], 1)[0]


def test_keep_the_protocol(check_protocol: Callable[..., None], tmp_path: Path) -> None:
    check_protocol(Reverberation())
    for number in (1, 2, 3):
        response = np.random.default_rng(number).standard_normal(2_000) * np.exp(-np.arange(2_000) / 300)
        soundfile.write(tmp_path / f"room{number}.wav", response / 4, RATE)
    check_protocol(RecordedReverberation(1, str(tmp_path)))


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8])
def test_reverberation_time_is_what_was_asked_for(impulse: np.ndarray, seconds: float) -> None:
    for seed in range(5):
        heard = Reverberation(1, (seconds, seconds))(impulse, RATE, np.random.default_rng(seed))
        assert _reverberation_time(heard[RATE // 10 + 1 :]) == pytest.approx(seconds, rel=0.2)


@pytest.mark.parametrize("decibels", [0, 10])
def test_direct_to_reverberant_ratio_is_what_was_asked_for(impulse: np.ndarray, decibels: int) -> None:
    heard = Reverberation(1, (0.3, 0.3), (decibels, decibels))(impulse, RATE, np.random.default_rng(0))
    direct = heard[RATE // 10] ** 2
    found = 10 * np.log10(direct / (np.sum(heard.astype(np.float64) ** 2) - direct))
    assert found == pytest.approx(decibels, abs=0.5)


def test_direct_sound_stays_in_place_and_the_level_is_kept(impulse: np.ndarray, speech: np.ndarray) -> None:
    heard = Reverberation(1)(impulse, RATE, np.random.default_rng(0))
    assert np.abs(heard).argmax() == RATE // 10
    assert np.abs(heard[: RATE // 10]).max() < 1e-5
    assert rms(Reverberation(1)(speech, RATE, np.random.default_rng(0))) == pytest.approx(rms(speech), rel=1e-4)


def test_recorded_response_is_aligned_to_its_strongest_peak(impulse: np.ndarray, folder: Path) -> None:
    heard = RecordedReverberation(1, str(folder))(impulse, RATE, np.random.default_rng(0))
    assert np.abs(heard).argmax() == RATE // 10
    assert heard[RATE // 10 + 1_000] / heard[RATE // 10] == pytest.approx(-0.5, abs=1e-4)
    assert rms(heard) == pytest.approx(rms(impulse), rel=1e-4)


def test_recorded_response_is_taken_to_the_clips_rate(folder: Path) -> None:
    impulse = np.zeros(16_000, np.float32)
    impulse[800] = 1
    heard = RecordedReverberation(1, str(folder))(impulse, 8_000, np.random.default_rng(0))
    assert np.abs(heard).argmax() == 800
    assert 800 + np.abs(heard[900:]).argmax() + 100 == 800 + 500


def test_a_silent_response_is_named(speech: np.ndarray, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(100), RATE)
    with pytest.raises(AudioReadError, match=r"silent\.wav: silent; expected an impulse response"):
        RecordedReverberation(1, str(tmp_path))(speech, RATE, np.random.default_rng(0))


def test_refuses_settings_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^probability must be"):
        Reverberation(1.5)
    with pytest.raises(ValueError, match=r"^seconds must be"):
        Reverberation(seconds=(0, 1))
    with pytest.raises(ValueError, match=r"^decibels must be"):
        Reverberation(decibels=(20, 0))
    with pytest.raises(ValueError, match=r"^folder must hold recordings"):
        RecordedReverberation(1, str(tmp_path))
