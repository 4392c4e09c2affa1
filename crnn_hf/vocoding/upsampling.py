"""The high band as the upsampling layers of a network make it: images of the low band, and tones."""

import numpy as np

from crnn_hf.vocoding.short_time import Samples

KERNELS = {"nearest": (1.0, 1.0, 0.0), "linear": (0.5, 1.0, 0.5)}  # of one doubling, at the doubled rate


def upsampled(
    waveform: Samples,
    sampling_rate: int,
    rng: np.random.Generator,
    *,
    doublings: int = 2,
    kernel: str = "linear",
    unevenness: float = 0.1,
    tone: float = -60.0,
) -> Samples:
    """The lowest band alone, brought back to the rate by transposed convolutions of stride 2 with short kernels.

    Such kernels pass images of the band below, and uneven ones repeat themselves every other sample: the tones and
    the checkerboard of J. Pons et al., "Upsampling artifacts in neural audio synthesis", ICASSP 2021.

    The settings are the number of doublings; the kernel, one of :data:`KERNELS`; the standard deviation of the errors
    of its weights, whose centre is 1; and the level of the tones in decibels relative to the waveform, which rise and
    fall with it.
    """
    factor, samples = 2**doublings, len(waveform)
    length = -(-samples // factor) * factor
    spectrum = np.fft.rfft(waveform, length)
    low = np.fft.irfft(spectrum[: length // factor // 2 + 1], length // factor) / factor
    for _ in range(doublings):
        weights = np.asarray(KERNELS[kernel]) + unevenness * rng.standard_normal(3)
        stuffed = np.zeros(2 * len(low), dtype=np.float32)
        stuffed[::2] = low
        low = np.convolve(stuffed, weights, mode="same").astype(np.float32)
    result = low[:samples]
    pattern = np.resize(rng.standard_normal(factor).astype(np.float32), samples)
    return result + 10 ** (tone / 20) * np.abs(result) * pattern
