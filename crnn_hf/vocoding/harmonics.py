"""A voice as a sum of harmonics, and noise for the rest."""

import numpy as np

from crnn_hf.vocoding.linear_prediction import linear_prediction
from crnn_hf.vocoding.pitch import track_f0
from crnn_hf.vocoding.short_time import Samples, fft_size, hann, hop_size, stft, time_varying_filter


def harmonic_plus_noise(
    waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, top: float = 4000.0, order: int = 18
) -> Samples:
    """Harmonics of F0 with invented phases, noise above them and where unvoiced.

    R. J. McAulay & T. F. Quatieri, "Speech analysis/synthesis based on a sinusoidal representation", IEEE TASSP 34(4),
    1986; with the maximum voiced frequency of Y. Stylianou, "Applying the harmonic plus noise model", IEEE TSAP 9(1),
    2001, held at ``top`` Hz. The noise is shaped by as many poles as ``order`` says.
    """
    hop, size, samples = hop_size(sampling_rate), fft_size(sampling_rate), len(waveform)
    f0, voiced = track_f0(waveform, sampling_rate)
    magnitude = np.abs(stft(waveform, size, hop)) * (2 / hann(size).sum())
    position = np.arange(samples) / hop
    track = np.interp(position, np.arange(len(f0)), f0)
    cycle = np.cumsum(track / sampling_rate)
    before = np.minimum(position.astype(np.int64), len(f0) - 2)
    after = position - before
    harmonics = np.zeros(samples, dtype=np.float32)
    for number in range(1, int(top / f0.min()) + 1):
        bins = np.minimum(number * f0 * size / sampling_rate, size // 2).round().astype(np.int64)
        amplitude = (magnitude[np.arange(len(f0)), bins] * (voiced & (number * f0 < top))).astype(np.float64)
        start = rng.random()
        # Most samples are unvoiced, or the harmonic lies too high there: nothing is computed for them.
        heard = np.flatnonzero(((amplitude[:-1] > 0) | (amplitude[1:] > 0))[before])
        turns = number * cycle[heard] + start
        angle = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)  # in double precision up to here
        frames = before[heard]
        strength = np.diff(amplitude)[frames] * after[heard] + amplitude[frames]
        harmonics[heard] += strength.astype(np.float32) * np.cos(angle)

    coefficients, gain = linear_prediction(waveform, sampling_rate, order)
    response = gain[:, None] / np.fft.rfft(coefficients, size)
    response[:, : round(top / sampling_rate * size)] *= ~voiced[:, None]
    return harmonics + time_varying_filter(rng.standard_normal(samples, dtype=np.float32), response, hop)
