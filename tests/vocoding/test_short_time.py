"""Analysis and resynthesis fit together."""

import numpy as np
import pytest

from crnn_hf.vocoding.short_time import fft_size, frame, hann, hop_size, istft, overlap_add, stft, time_varying_filter


def noise(samples):
    return np.random.default_rng(0).standard_normal(samples).astype(np.float32)


def test_frames_add_up_to_the_waveform():
    waveform = noise(1000)
    np.testing.assert_allclose(overlap_add(frame(waveform, 256, 128) * hann(256), 128, 1000), waveform, atol=1e-5)


@pytest.mark.parametrize("overlap", [2, 4, 8])
@pytest.mark.parametrize("samples", [1, 100, 5001])
def test_a_spectrogram_is_inverted(overlap, samples):
    waveform = noise(samples)
    spectrum = stft(waveform, 256, 256 // overlap)
    np.testing.assert_allclose(istft(spectrum, samples, 256, 256 // overlap), waveform, atol=1e-4)


def test_time_varying_filter_applies_each_response_where_it_belongs():
    waveform = noise(4096)
    response = np.ones((33, 513), dtype=np.complex64)
    response[16:] = 0.5 * np.exp(-1j * np.pi * np.linspace(0, 1, 513) * 10)  # ten samples late
    filtered = time_varying_filter(waveform, response, 128)
    np.testing.assert_allclose(filtered[:1900], waveform[:1900], atol=1e-4)
    np.testing.assert_allclose(filtered[2200:], 0.5 * waveform[2190:-10], atol=1e-4)


@pytest.mark.parametrize(("sampling_rate", "size"), [(8_000, 512), (16_000, 1024), (22_050, 1024), (48_000, 4096)])
def test_frames_last_about_as_long_at_any_rate(sampling_rate, size):
    assert fft_size(sampling_rate) == size
    assert size % hop_size(sampling_rate) == 0
