"""Linear prediction: an all-pole filter for the vocal tract, and what drives it."""

import numpy as np

from crnn_hf.vocoding.excitation import buzz_or_hiss
from crnn_hf.vocoding.short_time import Samples, fft_size, frame, hann, hop_size, time_varying_filter

POWER_FLOOR = 1e-10  # of a silent frame


def linear_prediction(waveform: Samples, sampling_rate: int, order: int) -> tuple[Samples, Samples]:
    """Linear prediction by the autocorrelation method and Levinson-Durbin (J. Makhoul, Proc. IEEE 63(4), 1975).

    Args:
        waveform: Shape (samples,).
        sampling_rate: In Hz.
        order: Number of poles.

    Returns:
        Coefficients of the inverse filter of shape (frames, order + 1), the first being 1, and the residual's RMS of
        shape (frames,), every :func:`hop_size`, from windows of 32 ms.
    """
    length = round(0.032 * sampling_rate) // 2 * 2
    window = hann(length)
    power = np.abs(np.fft.rfft(frame(waveform, length, hop_size(sampling_rate)) * window, 2 * length)) ** 2
    correlation = np.fft.irfft(power)[:, : order + 1].astype(np.float64) / np.sum(window.astype(np.float64) ** 2)
    correlation[:, 0] = correlation[:, 0] * (1 + 1e-5) + POWER_FLOOR  # a noise floor keeps the recursion stable
    coefficients = np.zeros_like(correlation)
    coefficients[:, 0] = 1
    error = correlation[:, 0].copy()
    for step in range(1, order + 1):
        reflection = -np.sum(coefficients[:, :step] * correlation[:, step:0:-1], axis=1) / error
        coefficients[:, 1 : step + 1] += reflection[:, None] * coefficients[:, step - 1 :: -1][:, :step]
        error *= 1 - reflection**2
    return coefficients.astype(np.float32), np.sqrt(error).astype(np.float32)


def lpc_vocoder(waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, order: int = 18) -> Samples:
    """An all-pole filter excited by pulses or noise (B. S. Atal & S. L. Hanauer, JASA 50(2), 1971)."""
    coefficients, gain = linear_prediction(waveform, sampling_rate, order)
    response = gain[:, None] / np.fft.rfft(coefficients, fft_size(sampling_rate))
    excitation = buzz_or_hiss(waveform, sampling_rate, rng)
    return time_varying_filter(excitation, response, hop_size(sampling_rate))


def residual_excited(
    waveform: Samples,
    sampling_rate: int,
    rng: np.random.Generator,
    *,
    order: int = 10,
    fold: int = 4,
    roughness: float = 0.2,
) -> Samples:
    """Linear prediction whose residual survives only in the lowest band; the bands above are its mirror images.

    J. Makhoul & M. Berouti, "High-frequency regeneration in speech coding systems", ICASSP 1979: keeping every fourth
    sample of the low band mirrors it into the bands above. A little noise hides the rigid pattern.

    The settings are the number of poles, into how many bands the spectrum is parted, and the strength of the noise
    relative to the residual.
    """
    hop = hop_size(sampling_rate)
    coefficients, _ = linear_prediction(waveform, sampling_rate, order)
    inverse = np.fft.rfft(coefficients, fft_size(sampling_rate))
    residual = np.fft.rfft(time_varying_filter(waveform, inverse, hop))
    residual[len(residual) // fold :] = 0
    baseband = np.fft.irfft(residual, len(waveform))
    excitation = np.zeros(len(waveform), dtype=np.float32)
    excitation[::fold] = fold * baseband[::fold]
    excitation *= 1 + roughness * rng.standard_normal(len(waveform), dtype=np.float32)
    return time_varying_filter(excitation, 1 / inverse, hop)
