"""Phases found by going back and forth between waveform and spectrogram."""

import numpy as np

from crnn_hf.vocoding.mel import smoothed_by_mel
from crnn_hf.vocoding.short_time import Samples, fft_size, istft, stft

SMALL = np.float32(1e-10)  # keeps a division by nothing from failing


def griffin_lim(
    magnitude: Samples,
    samples: int,
    iterations: int,
    rng: np.random.Generator,
    size: int,
    hop: int,
    momentum: float = 0.99,
) -> Samples:
    """Find a waveform whose spectrogram is ``magnitude``, starting from random phases.

    D. W. Griffin & J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE TASSP 32(2), 1984,
    with the momentum of N. Perraudin, P. Balazs & P. L. Søndergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.

    Args:
        magnitude: Shape (frames, size // 2 + 1).
        samples: Length of the result.
        iterations: Rounds of going to the waveform and back.
        rng: Draws the first phases.
        size: FFT length.
        hop: Samples between frames.
        momentum: 0 is the algorithm of 1984.
    """
    phase = np.exp(2j * np.pi * rng.random(magnitude.shape, dtype=np.float32)).astype(np.complex64)
    previous = np.zeros_like(phase)
    for _ in range(iterations):
        consistent = stft(istft(magnitude * phase, samples, size, hop), size, hop)
        phase = consistent + np.float32(momentum) * (consistent - previous)
        phase /= np.abs(phase) + SMALL
        previous = consistent
    return istft(magnitude * phase, samples, size, hop)


def mel_griffin_lim(
    waveform: Samples,
    sampling_rate: int,
    rng: np.random.Generator,
    *,
    bands: int = 80,
    frame: float = 1.0,
    overlap: int = 4,
    iterations: int = 8,
    momentum: float = 0.99,
) -> Samples:
    """Mel bands, spread back over the bins by the pseudo-inverse, and some rounds of Griffin-Lim.

    The settings are the number of bands, the length of a frame relative to 64 ms, how many frames hear each sample,
    and those of :func:`griffin_lim`.
    """
    size = round(fft_size(sampling_rate) * frame)
    power = smoothed_by_mel(np.abs(stft(waveform, size, size // overlap)) ** 2, bands, sampling_rate)
    return griffin_lim(np.sqrt(power), len(waveform), iterations, rng, size, size // overlap, momentum)


def linear_griffin_lim(
    waveform: Samples,
    sampling_rate: int,
    rng: np.random.Generator,
    *,
    frame: float = 0.5,
    overlap: int = 4,
    iterations: int = 2,
    momentum: float = 0.99,
) -> Samples:
    """The exact magnitudes, by default of short frames, with phases from noise by few rounds of Griffin-Lim.

    The settings are those of :func:`mel_griffin_lim`.
    """
    size = round(fft_size(sampling_rate) * frame)
    magnitude = np.abs(stft(waveform, size, size // overlap))
    return griffin_lim(magnitude, len(waveform), iterations, rng, size, size // overlap, momentum)
