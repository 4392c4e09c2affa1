"""What must not tell a fake from its original: level, spectral balance, DC, digital silence, clipping, resolution."""

import numpy as np
from numpy.typing import NDArray

from crnn_hf.vocoding.short_time import Samples

BANDS = 40  # of equal width on the mel scale, in which a fake has its original's long-term spectrum
ROUNDS = 2  # of finding the gains of these
LOWEST = 60.0  # Hz; one band for all below
FASTER = 4096  # Fourier transforms of multiples of this, unlike those of large primes, take no longer than they must
DIGITAL_SILENCE = 0.005  # seconds of nothing but zeros, which no microphone records
CLIPPED = 3  # samples in a row at the peak, which no microphone records either
SAME = 1e-4  # by which these may differ; the crest of a voice rounds off faster
LOUD = 0.5  # a lower peak is not taken for clipping, for few steps of 16 bits lie that close to it
DRIVES = 6  # times that a fake is raised to the level that limiting took from it
LIMITER = 0.002  # seconds to either side of a peak within which it may be turned down
STEPS = np.float32(32_768)  # of 16 bits, from zero to full scale
SMALL = 1e-10  # keeps a division by nothing from failing


def like_original(vocoded: Samples, original: Samples, sampling_rate: int) -> Samples:
    """Take away whatever would tell a vocoded waveform from its original without listening for the vocoder.

    Level, long-term spectrum and DC become the original's. Where that is digital silence, so is the result; where it
    is clipped, the result is clipped at the same height, and otherwise limited to full scale. Where it has been a file
    of 16 bits, the result has their steps too, or real speech would be told by its exact zeros.

    Args:
        vocoded: Shape (samples,).
        original: Shape (samples,), as long.
        sampling_rate: Of both, in Hz.
    """
    mean = original.mean(dtype=np.float64)
    result = balanced(vocoded, original - np.float32(mean), sampling_rate)
    silent = in_runs(original == 0, round(DIGITAL_SILENCE * sampling_rate))
    heard = ~silent
    match_level(result, original, heard)
    result[silent] = 0
    peak = float(np.abs(original).max(initial=0))
    is_clipped = peak >= LOUD and in_runs(np.abs(original) >= (1 - SAME) * peak, CLIPPED).any()
    ceiling = peak if is_clipped else max(1.0, peak)
    for _ in range(DRIVES):
        if np.abs(result).max(initial=0) <= ceiling:
            break
        result = limited(result, ceiling, 0 if is_clipped else round(LIMITER * sampling_rate))
        match_level(result, original, heard)
    result = np.clip(result, -ceiling, ceiling)
    steps = original * STEPS
    return np.rint(result * STEPS) / STEPS if np.array_equal(steps, np.rint(steps)) else result


def match_level(waveform: Samples, original: Samples, heard: NDArray[np.bool_]) -> None:
    """Give a waveform in place the mean and standard deviation of another where it is heard; all (samples,)."""
    if heard.any():
        level, dc = original[heard].std(), original[heard].mean()
        part = waveform[heard]
        waveform[heard] = (part - part.mean()) * (level / (part.std() + np.float32(SMALL))) + dc


def balanced(vocoded: Samples, original: Samples, sampling_rate: int) -> Samples:
    """``vocoded`` with the long-term spectrum of ``original`` in 40 mel bands; both and the result (samples,)."""
    samples = len(original)
    size = -(-samples // FASTER) * FASTER
    after, before = np.fft.rfft(vocoded, size), np.fft.rfft(original, size)
    edges, centres = _bands(len(after), sampling_rate)
    power, wanted = np.abs(after) ** 2, np.add.reduceat(np.abs(before) ** 2, edges)
    bins = np.arange(len(after), dtype=np.float32)
    decibels = np.zeros(len(edges))
    # Again, as the gains are interpolated between the bands' centres and so do not hold for a whole band.
    for _ in range(ROUNDS):
        gain = 10 ** (np.interp(bins, centres, decibels) / 10)
        decibels += 10 * np.log10((wanted + SMALL) / (np.add.reduceat(power * gain, edges) + SMALL))
    after *= (10 ** (np.interp(bins, centres, decibels) / 20)).astype(np.float32)
    return np.fft.irfft(after, size)[:samples].astype(np.float32)


def _bands(bins: int, sampling_rate: int) -> tuple[NDArray[np.int64], NDArray]:
    """Where each band begins and where its centre is, (bands,), in bins from 0 to the Nyquist frequency.

    The mel scale is that of O'Shaughnessy (1987).
    """
    top = sampling_rate / 2
    mel = np.linspace(np.log1p(LOWEST / 700), np.log1p(top / 700), BANDS)
    borders = np.concatenate([[0], np.expm1(mel) * 700 / top]) * (bins - 1)
    edges = np.unique(borders[:-1].round().astype(np.int64))
    return edges, (edges + np.append(edges[1:], bins)) / 2


def limited(waveform: Samples, ceiling: float, reach: int) -> Samples:
    """A waveform, (samples,), turned down around its peaks to a ceiling, no further than ``reach`` samples away.

    With a reach of 0 it is clipped.
    """
    gain = np.pad(ceiling / np.maximum(np.abs(waveform), ceiling), 2 * reach, constant_values=1)
    lowest = np.lib.stride_tricks.sliding_window_view(gain, 2 * reach + 1).min(axis=1)
    smooth = np.convolve(lowest, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")
    return (waveform * smooth).astype(np.float32)


def in_runs(is_so: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Which of some values, (samples,), are true together with their neighbours, at least ``length`` in a row."""
    edges = np.flatnonzero(np.diff(is_so, prepend=False, append=False))
    begins, ends = edges[::2], edges[1::2]
    steps = np.zeros(len(is_so) + 1, dtype=np.int64)
    long = ends - begins >= length
    steps[begins[long]], steps[ends[long]] = 1, -1
    return np.cumsum(steps[:-1]).astype(bool)
