"""What vocoders measure is what there is: pitch, poles, envelopes."""

import numpy as np
import pytest

from crnn_hf.vocoding.envelopes import minimum_phase
from crnn_hf.vocoding.excitation import pulses
from crnn_hf.vocoding.linear_prediction import linear_prediction
from crnn_hf.vocoding.mel import smoothed_by_mel
from crnn_hf.vocoding.pitch import track_f0

RATE = 16_000


@pytest.mark.parametrize("f0", [80.0, 131.0, 240.0, 330.0])
def test_f0_tracker_finds_a_harmonic_tone(f0):
    time = np.arange(RATE) / RATE
    tone = sum(np.cos(2 * np.pi * k * f0 * time) / k for k in range(1, 9)).astype(np.float32)
    tracked, voiced = track_f0(tone, RATE)
    assert voiced[5:-5].all()
    assert tracked[5:-5] == pytest.approx(f0, rel=0.01)


def test_f0_tracker_calls_noise_unvoiced():
    assert track_f0(np.random.default_rng(0).standard_normal(RATE).astype(np.float32), RATE)[1].mean() < 0.1


def test_pulses_come_once_a_period_with_unit_power():
    train = pulses(np.full(126, 200.0), RATE, RATE)
    assert np.diff(np.flatnonzero(train)) == pytest.approx(80, abs=1)
    assert np.mean(train**2) == pytest.approx(1, rel=0.02)


def test_linear_prediction_recovers_an_autoregression():
    poles = np.array([1.0, -1.2, 0.8], dtype=np.float32)
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    waveform = np.fft.irfft(np.fft.rfft(noise) / np.fft.rfft(poles, RATE)).astype(np.float32)
    coefficients, gain = linear_prediction(waveform, RATE, order=2)
    assert coefficients[5:-5].mean(axis=0) == pytest.approx(poles, abs=0.03)
    assert gain[5:-5].mean() == pytest.approx(1, abs=0.1)


def test_minimum_phase_is_that_of_a_filter_that_has_it():
    response = np.fft.rfft([1.0, -0.9, 0.5], 512)[None]
    np.testing.assert_allclose(minimum_phase(np.abs(response) ** 2), response, atol=1e-3)


def test_mel_bands_keep_what_is_smooth_and_lose_harmonics():
    bins = np.arange(513)
    smooth = np.exp(-bins / 200)[None].astype(np.float32)
    comb = smooth * (1 + np.cos(2 * np.pi * bins / 6))
    np.testing.assert_allclose(smoothed_by_mel(smooth, 40, RATE)[:, 20:400], smooth[:, 20:400], rtol=0.05)
    assert np.abs(smoothed_by_mel(comb, 40, RATE) - smooth)[:, 200:400].max() < 0.2 * smooth[:, 200:400].max()
