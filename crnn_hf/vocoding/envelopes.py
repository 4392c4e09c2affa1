"""Spectral envelopes laid on pulses and noise: the channel vocoder and one like WORLD."""

import numpy as np

from crnn_hf.vocoding.excitation import buzz_or_hiss, pulses
from crnn_hf.vocoding.mel import mel_filters
from crnn_hf.vocoding.pitch import track_f0
from crnn_hf.vocoding.short_time import Samples, Spectrum, fft_size, hop_size, stft, time_varying_filter

POWER_FLOOR = 1e-10  # of a silent frame


def channel_vocoder(waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, bands: int = 24) -> Samples:
    """The envelopes of mel bands laid on pulses or noise (H. Dudley, "Remaking speech", JASA 11(2), 1939)."""
    hop = hop_size(sampling_rate)
    power = np.abs(stft(waveform, fft_size(sampling_rate), hop)) ** 2
    filters = mel_filters(bands, power.shape[1], sampling_rate)
    envelope = np.sqrt(power @ filters.T / filters.sum(axis=1)) @ filters
    return time_varying_filter(buzz_or_hiss(waveform, sampling_rate, rng), envelope, hop)


def minimum_phase(power: Samples) -> Spectrum:
    """The minimum-phase response of a power spectrum, both (frames, bins).

    Its cepstrum is folded onto positive quefrencies (A. V. Oppenheim & R. W. Schafer, *Digital Signal Processing*,
    1975).
    """
    size = 2 * (power.shape[1] - 1)
    cepstrum = np.fft.irfft(0.5 * np.log(power))
    cepstrum[:, 1 : size // 2] *= 2
    cepstrum[:, size // 2 + 1 :] = 0
    return np.exp(np.fft.rfft(cepstrum))


def world_style(waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, bands: int = 8) -> Samples:
    """F0, smooth envelope and aperiodicity in so many mel bands; minimum-phase pulses and noise.

    The parts of M. Morise, F. Yokomori & K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system",
    IEICE Trans. E99-D(7), 2016, each in a simple form: the envelope is the power spectrum averaged over one F0 in
    frequency, the aperiodicity of a band is one minus its normalised autocorrelation at the period.
    """
    hop, size, samples = hop_size(sampling_rate), fft_size(sampling_rate), len(waveform)
    f0, voiced = track_f0(waveform, sampling_rate)
    power = np.abs(stft(waveform, size, hop)) ** 2
    bins = power.shape[1]
    # A rectangle one F0 wide is a sinc in the domain of quefrency, with its first zero at the period.
    lifter = np.sinc(np.arange(bins) / sampling_rate * f0[:, None]).astype(np.float32)
    smooth = np.fft.irfft(power) * np.concatenate([lifter, lifter[:, -2:0:-1]], axis=1)
    smooth = np.maximum(np.fft.rfft(smooth).real, 1e-3 * power.mean(axis=1, keepdims=True)) + POWER_FLOOR
    envelope = minimum_phase(smooth)

    filters = mel_filters(bands, bins, sampling_rate)
    frequency = np.linspace(0, sampling_rate / 2, bins, dtype=np.float32)
    comb = np.cos(2 * np.pi * frequency / f0.astype(np.float32)[:, None])
    periodicity = (power * comb) @ filters.T / (power @ filters.T + POWER_FLOOR)
    weights = filters / np.maximum(filters.sum(axis=0), POWER_FLOOR)
    periodicity = np.clip(periodicity, 0, 1) * voiced[:, None] @ weights

    buzz, noise = pulses(f0, samples, sampling_rate), rng.standard_normal(samples, dtype=np.float32)
    return time_varying_filter(buzz, envelope * np.sqrt(periodicity), hop) + time_varying_filter(
        noise, envelope * np.sqrt(1 - periodicity), hop
    )
