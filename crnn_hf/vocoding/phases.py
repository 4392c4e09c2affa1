"""Spectrograms that have been through mel bands, with phases that are invented where the ear is deaf to them."""

import numpy as np

from crnn_hf.vocoding.envelopes import minimum_phase
from crnn_hf.vocoding.excitation import pulses
from crnn_hf.vocoding.mel import smoothed_by_mel
from crnn_hf.vocoding.pitch import track_f0
from crnn_hf.vocoding.short_time import Samples, fft_size, hop_size, istft, stft, time_varying_filter

POWER_FLOOR = 1e-10  # of a silent frame


def mel_phase_noise(
    waveform: Samples,
    sampling_rate: int,
    rng: np.random.Generator,
    *,
    bands: int = 80,
    frame: float = 1.0,
    coherent: float = 1500.0,
) -> Samples:
    """Mel bands with phases that are right in the low harmonics and wander ever more above.

    So do those of neural vocoders, which learn the phases that repeat and can but guess the others. The settings are
    the number of bands, the length of a frame relative to 64 ms, and the frequency in Hz at which the phases' standard
    deviation is a radian; it grows in proportion to frequency.
    """
    size = round(fft_size(sampling_rate) * frame)
    hop = size // 4
    spectrum = stft(waveform, size, hop)
    magnitude = np.sqrt(smoothed_by_mel(np.abs(spectrum) ** 2, bands, sampling_rate))
    spread = np.linspace(0, sampling_rate / 2 / coherent, spectrum.shape[1], dtype=np.float32)
    turn = np.exp(1j * (spread * rng.standard_normal(spectrum.shape, dtype=np.float32)))
    phase = spectrum / (np.abs(spectrum) + np.float32(POWER_FLOOR))
    return istft(magnitude * phase * turn, len(waveform), size, hop)


def mel_minimum_phase(
    waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, bands: int = 40, top: float = 4000.0
) -> Samples:
    """The envelope that mel bands leave, with minimum phase, on pulses below and noise above a frequency.

    The mixed excitation of T. Yoshimura et al., "Mixed excitation for HMM-based speech synthesis", Eurospeech 2001,
    with two bands. The settings are the number of mel bands and the frequency in Hz, which voiced frames alone have.
    """
    hop, size, samples = hop_size(sampling_rate), fft_size(sampling_rate), len(waveform)
    f0, voiced = track_f0(waveform, sampling_rate)
    power = np.abs(stft(waveform, size, hop)) ** 2
    envelope = minimum_phase(
        smoothed_by_mel(power, bands, sampling_rate) + 1e-5 * power.mean(axis=1, keepdims=True) + POWER_FLOOR
    )
    is_buzz = voiced[:, None] & (np.linspace(0, sampling_rate / 2, power.shape[1]) < top)
    noise = rng.standard_normal(samples, dtype=np.float32)
    return time_varying_filter(pulses(f0, samples, sampling_rate), envelope * is_buzz, hop) + time_varying_filter(
        noise, envelope * ~is_buzz, hop
    )
