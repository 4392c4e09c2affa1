from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.audio import AudioReadError
from crnn_hf.augmentation.level import rms
from crnn_hf.augmentation.noise import ColouredNoise, RecordedNoise, coloured_noise, recordings_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Noises in several formats, at several rates, long and short; and a list of them."""
    rng = np.random.default_rng(0)
    for name, rate, seconds in (("street.wav", 16_000, 5), ("sub/rain.FLAC", 8_000, 0.3), ("sub/hum.ogg", 24_000, 3)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, rng.standard_normal(round(seconds * rate)) * 0.1, rate)
    (tmp_path / "LIST.txt").write_text("street.wav\n")
    return tmp_path


def _measured_decibels(speech: np.ndarray, noisy: np.ndarray) -> float:
    return 20 * np.log10(rms(speech) / rms(noisy - speech))


def test_keep_the_protocol(check_protocol: Callable[..., None], folder: Path) -> None:
    check_protocol(ColouredNoise())
    check_protocol(RecordedNoise(1, str(folder)))


@pytest.mark.parametrize("decibels", [0, 20, 40])
def test_signal_to_noise_ratio_is_what_was_asked_for(speech: np.ndarray, folder: Path, decibels: int) -> None:
    span = (decibels, decibels)
    for augmentation in (ColouredNoise(1, span), RecordedNoise(1, str(folder), span)):
        noisy = augmentation(speech, 16_000, np.random.default_rng(0))
        assert _measured_decibels(speech, noisy) == pytest.approx(decibels, abs=0.05)


def test_signal_to_noise_ratio_is_drawn_from_the_whole_range(speech: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    found = [_measured_decibels(speech, ColouredNoise(1, (5, 40))(speech, 16_000, rng)) for _ in range(100)]
    assert 4.9 < min(found) < 8
    assert 37 < max(found) < 40.1


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_noise_falls_with_its_exponent(exponent: int) -> None:
    noise = coloured_noise(160_000, 16_000, exponent, np.random.default_rng(0))
    powers, frequencies = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(160_000, 1 / 16_000)
    at = {hertz: powers[(frequencies > hertz * 0.9) & (frequencies < hertz * 1.1)].mean() for hertz in (200, 2_000)}
    assert 10 * np.log10(at[200] / at[2_000]) == pytest.approx(10 * exponent, abs=1)


def test_silence_gets_no_noise(folder: Path) -> None:
    silence = np.zeros(16_000, np.float32)
    assert not ColouredNoise(1)(silence, 16_000, np.random.default_rng(0)).any()
    assert not RecordedNoise(1, str(folder))(silence, 16_000, np.random.default_rng(0)).any()


def test_a_short_recording_is_repeated(speech: np.ndarray, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(8_000).astype(np.float32) * 0.1
    soundfile.write(tmp_path / "short.wav", noise, 16_000, subtype="FLOAT")
    added = RecordedNoise(1, str(tmp_path), (0, 0))(speech, 16_000, np.random.default_rng(0)) - speech
    np.testing.assert_allclose(added[:8_000], added[8_000:16_000], atol=1e-6)
    assert np.corrcoef(added[:8_000], noise)[0, 1] > 0.999


def test_random_stretches_of_a_recording_are_taken(speech: np.ndarray, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.linspace(0.1, 0.9, 320_000), 16_000)
    noises = RecordedNoise(1, str(tmp_path), (0, 0))
    slopes = [np.ptp(noises(speech, 16_000, np.random.default_rng(seed)) - speech) for seed in range(5)]
    assert len(set(np.round(slopes, 4))) > 1


def test_a_silent_recording_adds_nothing(speech: np.ndarray, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(48_000), 16_000)
    noisy = RecordedNoise(1, str(tmp_path))(speech, 16_000, np.random.default_rng(0))
    np.testing.assert_array_equal(noisy, speech)


def test_recordings_are_found_in_subfolders_and_listed_once(folder: Path) -> None:
    found = recordings_in(str(folder))
    assert [path.relative_to(folder).as_posix() for path in found] == ["street.wav", "sub/hum.ogg", "sub/rain.FLAC"]
    (folder / "late.wav").write_bytes(b"")
    assert recordings_in(str(folder)) is found


def test_a_damaged_recording_is_named(speech: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "damaged.wav").write_bytes(b"RIFF, or so it claims")
    with pytest.raises(AudioReadError, match=r"damaged\.wav"):
        RecordedNoise(1, str(tmp_path))(speech, 16_000, np.random.default_rng(0))


def test_refuses_a_folder_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^folder must hold recordings.* found none in"):
        RecordedNoise(1, str(tmp_path))
    with pytest.raises(ValueError, match=r"^folder must be an existing folder; found '.*nowhere'"):
        RecordedNoise(1, str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"^folder must be an existing folder; found \['a'\]"):
        RecordedNoise(1, ["a"])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"probability": "often"}, "probability"),
        ({"decibels": (40, 5)}, "decibels"),
        ({"exponent": (0, 9)}, "exponent"),
    ],
)
def test_refuses_settings_by_name(settings: dict, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        ColouredNoise(**settings)
