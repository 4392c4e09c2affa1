"""Nothing but the vocoder is left to tell a fake by."""

import numpy as np
import pytest

from crnn_hf.vocoding.balance import in_runs, like_original

RATE = 16_000


def noise(samples=RATE, seed=0):
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def test_level_spectrum_and_dc_become_the_originals():
    original = 0.05 * np.convolve(noise(), [0.3, 1, 0.5], mode="same").astype(np.float32) + np.float32(0.01)
    result = like_original(noise(seed=1), original, RATE)
    assert result.dtype == np.float32
    assert result.mean() == pytest.approx(original.mean(), abs=1e-5)
    assert result.std() == pytest.approx(original.std(), rel=1e-3)
    before, after = (np.abs(np.fft.rfft(waveform)) ** 2 for waveform in (original, result))
    for low in range(100, 7_000, 300):
        band = slice(low, low + 300)
        assert abs(10 * np.log10(after[band].sum() / before[band].sum())) < 1


def test_digital_silence_stays_where_it_is_and_the_level_of_the_rest_with_it():
    original = 0.1 * noise()
    original[:4_000] = original[9_000:9_200] = 0
    result = like_original(noise(seed=1), original, RATE)
    assert not result[:4_000].any()
    assert not result[9_000:9_200].any()
    assert np.count_nonzero(result) > RATE - 4_300
    assert result.std() == pytest.approx(original.std(), rel=1e-3)


def test_a_clipped_original_has_clipped_fakes():
    original = np.clip(0.5 * noise(), -0.6, 0.6)
    result = like_original(noise(seed=1), original, RATE)
    assert np.abs(result).max() == pytest.approx(0.6)
    assert np.mean(np.abs(result) > 0.599) > 0.1
    assert result.std() == pytest.approx(original.std(), rel=0.05)


def test_peaks_are_limited_to_full_scale_and_the_level_stays():
    original = 0.9 * np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    pulses = np.zeros(RATE, np.float32)
    pulses[::200] = 1
    result = like_original(pulses + 0.3 * noise(), original, RATE)
    assert np.abs(result).max() <= 1
    assert abs(20 * np.log10(result.std() / original.std())) < 1


def test_a_fake_of_16_bits_has_16_bits():
    original = np.rint(0.001 * noise() * 32_768).astype(np.float32) / 32_768
    result = like_original(noise(seed=1), original, RATE)
    np.testing.assert_array_equal(np.rint(result * 32_768), result * 32_768)
    assert np.mean(result == 0) == pytest.approx(np.mean(original == 0), rel=0.6)
    assert np.mean(like_original(noise(seed=1), original * np.float32(0.7), RATE) == 0) == 0


@pytest.mark.parametrize("original", [np.zeros(8_000, np.float32), np.zeros(1, np.float32)])
def test_silence_stays_silent(original):
    assert np.abs(like_original(noise(len(original)), original, RATE)).max() < 1e-6


def test_runs_are_found_by_their_length():
    is_so = np.array([1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1], bool)
    np.testing.assert_array_equal(in_runs(is_so, 3), [1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1])
    assert not in_runs(np.zeros(4, bool), 1).any()
