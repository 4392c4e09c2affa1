"""Resampling: the right length, the right signal, and nothing folded back."""

import math

import numpy as np
import pytest

from crnn_hf.audio import resample
from crnn_hf.audio.resampling import BLOCK

EDGE = 1_000  # samples at either end that the filter's length disturbs


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def test_same_rate_returns_the_input_itself() -> None:
    waveform = tone(440, 16_000)
    assert resample(waveform, 16_000, 16_000) is waveform


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_a_tone_stays_that_tone(rate: int) -> None:
    resampled = resample(tone(1_000, rate), rate, 16_000)
    assert resampled.shape == (16_000,)
    assert resampled.dtype == np.float32
    np.testing.assert_allclose(resampled[EDGE:-EDGE], tone(1_000, 16_000)[EDGE:-EDGE], atol=1e-4)


def test_length_is_rounded_up() -> None:
    assert resample(np.zeros(442, np.float32), 44_100, 16_000).shape == (161,)


def test_nothing_above_nyquist_is_folded_back() -> None:
    resampled = resample(tone(8_200, 44_100), 44_100, 16_000)
    assert np.abs(resampled[EDGE:-EDGE]).max() < 1e-5


def test_an_odd_rate_is_approximated_rather_than_filling_the_memory() -> None:
    resampled = resample(tone(1_000, 44_101), 44_101, 16_000)
    assert abs(len(resampled) - 16_000) <= 1
    # 119/328 instead of 16000/44101, 3.6 millionths more: after a second, the tone is 0.023 radians behind.
    np.testing.assert_allclose(resampled[EDGE:-EDGE], tone(1_000, 16_000)[EDGE : len(resampled) - EDGE], atol=0.025)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_blocks_leave_no_seam(rate: int) -> None:
    # Four seconds around the first seam, which is then within a block: in whole seconds, hence in whole periods.
    begin = BLOCK // rate - 2
    noise = np.random.default_rng(0).uniform(-1, 1, 2 * BLOCK + 1).astype(np.float32)
    whole = resample(noise, rate, 16_000)
    part = resample(noise[begin * rate : (begin + 4) * rate], rate, 16_000)
    assert len(whole) == math.ceil((2 * BLOCK + 1) * 16_000 / rate)
    np.testing.assert_allclose(part[EDGE:-EDGE], whole[begin * 16_000 :][: len(part)][EDGE:-EDGE], atol=1e-5)


def test_a_read_only_waveform_is_accepted_and_left_alone() -> None:
    waveform = tone(440, 8_000)
    waveform.flags.writeable = False
    before = waveform.copy()
    resample(waveform, 8_000, 16_000)
    np.testing.assert_array_equal(waveform, before)


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, 0), (-8_000, 16_000)])
def test_rates_must_be_positive(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        resample(np.zeros(16, np.float32), *rates)
