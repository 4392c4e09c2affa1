"""What can be told of a clip without listening is measured rightly."""

import numpy as np
import pytest

from crnn_hf.data.statistics import MEASURES, measure

RATE = 16_000


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    """White noise of a level in dB."""
    rng = np.random.default_rng(seed)
    return (10 ** (level / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def tone(seconds: float, frequency: float, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def test_length_is_in_seconds() -> None:
    assert measure(noise(1.25, -20), RATE)["seconds"] == 1.25
    assert measure(noise(1.25, -20), 8_000)["seconds"] == 2.5


@pytest.mark.parametrize(
    ("waveform", "level"),
    [
        (np.tile(np.array([1, -1], np.float32), 500), 0),
        (tone(1, 1_000), -3.01),
        (tone(1, 1_000, 0.1), -23.01),
        (noise(4, -37), -37),
        (np.zeros(1_000, np.float32), -120),
        (np.full(1_000, 1e-9, np.float32), -120),
    ],
)
def test_level_is_relative_to_full_scale(waveform: np.ndarray, level: float) -> None:
    assert measure(waveform, RATE)["level"] == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize(("below", "leading", "trailing"), [(200, 0.5, 0.3), (41, 0.5, 0.3), (39, 0.0, 0.0)])
def test_what_is_40_db_below_the_loudest_frame_is_silence(below: float, leading: float, trailing: float) -> None:
    # Steady sounds: the level of a frame of noise is not quite the level of the noise.
    waveform = np.concatenate(
        [tone(length, 500, 10 ** (-down / 20)) for length, down in ((0.5, 6 + below), (1, 6), (0.3, 6 + below))]
    )
    silence = measure(waveform, RATE)
    assert silence["leading_silence"] == pytest.approx(leading, abs=1e-9)
    assert silence["trailing_silence"] == pytest.approx(trailing, abs=1e-9)


def test_silence_within_is_not_at_the_edge() -> None:
    silence = measure(np.concatenate([noise(0.2, -20), np.zeros(RATE, np.float32), noise(0.2, -20)]), RATE)
    assert (silence["leading_silence"], silence["trailing_silence"]) == (0, 0)


def test_a_click_at_the_cut_end_does_not_turn_the_voice_into_silence() -> None:
    # One sample in a frame of its own: its mean energy would be that of the loudest frame by far.
    silence = measure(np.append(noise(1, -40), np.float32(1)), RATE)
    assert (silence["leading_silence"], silence["trailing_silence"]) == (0, 0)


@pytest.mark.parametrize("constant", [0, 0.5])
def test_what_does_not_move_has_no_sound_and_no_band(constant: float) -> None:
    assert measure(np.full(8_000, constant, np.float32), RATE) == {
        "seconds": 0.5,
        "level": -120,
        "leading_silence": 0.5,
        "trailing_silence": 0.5,
        "silence": 1,
        "noise_floor": -120,
        "zeros": constant == 0,
        "band_width": 0,
        "high_band": -120,
        "low_band": -120,
        "offset": pytest.approx(-6.02 if constant else -120, abs=0.01),
    }


def test_a_constant_offset_is_heard_by_its_own_measure_alone() -> None:
    waveform = np.concatenate([noise(0.5, -80), noise(1, -20), noise(0.5, -80)])
    plain = measure(waveform - waveform.mean(), RATE)
    shifted = measure(waveform - waveform.mean() + np.float32(0.1), RATE)
    assert plain.pop("offset") < -100
    assert shifted.pop("offset") == pytest.approx(-20, abs=0.01)
    assert shifted == pytest.approx(plain, abs=1e-3)


def test_a_voice_that_has_an_offset_while_it_is_switched_on_has_silence_around_it() -> None:
    silence = measure(np.pad(noise(1, -40) + np.float32(0.05), RATE // 2), RATE)
    assert (silence["leading_silence"], silence["trailing_silence"], silence["silence"]) == (0.5, 0.5, 0.5)


def test_silence_counts_wherever_it_is() -> None:
    gap = measure(np.concatenate([noise(0.4, -20), np.zeros(RATE // 5, np.float32), noise(0.4, -20)]), RATE)
    assert gap["silence"] == pytest.approx(0.2)


@pytest.mark.parametrize("gain", [1, 0.01])
def test_the_noise_floor_is_relative_to_the_level(gain: float) -> None:
    waveform = np.concatenate([noise(1, -20), noise(1, -60)])
    # The level of both together is 3 dB below that of the first.
    assert measure(gain * waveform, RATE)["noise_floor"] == pytest.approx(-60 + 23, abs=1)


def test_bands_are_relative_to_the_whole() -> None:
    bands = measure(tone(4, 50, 0.1) + tone(4, 1_000) + tone(4, 6_000, 0.01), RATE)
    assert bands["low_band"] == pytest.approx(-20, abs=0.2)
    assert bands["high_band"] == pytest.approx(-40, abs=0.2)


def test_zeros_are_a_share() -> None:
    waveform = noise(1, -20)
    waveform[:4_000] = 0
    assert measure(waveform, RATE)["zeros"] == 0.25
    assert measure(waveform + np.float32(1e-6), RATE)["zeros"] == 0


@pytest.mark.parametrize("frequency", [300, 1_000, 7_000])
def test_the_band_ends_at_the_highest_tone_that_counts(frequency: float) -> None:
    waveform = tone(1, 200) + tone(1, frequency) + tone(1, 7_900, 0.05)
    assert measure(waveform, RATE)["band_width"] == pytest.approx(frequency, abs=2 * RATE / 1024)
    assert measure(waveform, 2 * RATE)["band_width"] == pytest.approx(2 * frequency, abs=4 * RATE / 1024)


def test_a_tone_between_two_frequencies_of_the_spectrum_is_narrow() -> None:
    between = 64.5 * RATE / 1024
    assert measure(tone(1, between), RATE)["band_width"] == pytest.approx(between, abs=2 * RATE / 1024)


def test_white_noise_fills_the_band() -> None:
    assert measure(noise(4, -20), RATE)["band_width"] == pytest.approx(0.99 * RATE / 2, abs=60)


@pytest.mark.parametrize("place", [0, 511, 512, 1023, 1024, 2999])
def test_a_click_is_heard_wherever_it_is(place: int) -> None:
    waveform = np.zeros(3_000, np.float32)
    waveform[place] = 1
    assert measure(waveform, RATE)["band_width"] == pytest.approx(0.99 * RATE / 2, abs=20)


@pytest.mark.parametrize(
    "waveform", [np.ones(1, np.float32), np.tile(np.float32([3e38, -3e38]), 25), noise(0.021, -20)]
)
def test_odd_clips_have_finite_measures(waveform: np.ndarray) -> None:
    measures = measure(waveform, RATE)
    assert list(measures) == list(MEASURES)
    assert np.isfinite(list(measures.values())).all()
