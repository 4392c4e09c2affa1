"""Short-time analysis and resynthesis: frames, Fourier transforms, filters that change from frame to frame."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

FRAME_SECONDS = 0.064  # long enough to part the harmonics of a low voice
OVERLAP = 8  # frames of that length that hear each sample, where a filter changes


def fft_size(sampling_rate: int) -> int:
    """The power of two nearest to a frame's 64 ms: 1024 at 16 kHz."""
    return 1 << round(np.log2(FRAME_SECONDS * sampling_rate))


def hop_size(sampling_rate: int) -> int:
    """Samples from one setting of a filter to the next: an eighth of a frame, 8 ms at 16 kHz."""
    return fft_size(sampling_rate) // OVERLAP


def hann(length: int) -> Samples:
    """Periodic Hann window of shape (length,): at a hop of half its length it sums to 1."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def frame(waveform: Samples, length: int, hop: int) -> Samples:
    """Cut (samples,) into (frames, length), frame ``t`` centred on sample ``t * hop``; zeros beyond the ends."""
    frames = 1 + -(-len(waveform) // hop)
    padded = np.zeros((frames - 1) * hop + length, dtype=np.float32)
    padded[length // 2 :][: len(waveform)] = waveform
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def overlap_add(frames: Samples, hop: int, samples: int) -> Samples:
    """Sum (frames, length) back into (samples,), the inverse placement of :func:`frame`; ``hop`` divides length."""
    count, length = frames.shape
    parts = length // hop
    blocks = np.zeros((count + parts - 1, hop), dtype=np.float32)
    for part in range(parts):
        blocks[part : part + count] += frames[:, part * hop : (part + 1) * hop]
    return blocks.reshape(-1)[length // 2 :][:samples]


def stft(waveform: Samples, size: int, hop: int) -> Spectrum:
    """Short-time Fourier transform (frames, size // 2 + 1) with a Hann window, frame ``t`` centred on ``t * hop``."""
    return np.fft.rfft(frame(waveform, size, hop) * hann(size))


def istft(spectrum: Spectrum, samples: int, size: int, hop: int) -> Samples:
    """Least-squares inverse of :func:`stft` (Griffin & Lim 1984, eq. 6), of shape (samples,)."""
    window = hann(size)
    weights = overlap_add(np.broadcast_to(window**2, (len(spectrum), size)), hop, samples)
    return overlap_add(np.fft.irfft(spectrum, size) * window, hop, samples) / weights


def time_varying_filter(waveform: Samples, response: Spectrum, hop: int) -> Samples:
    """Filter by a frequency response that changes every ``hop`` samples, cross-fading from one to the next.

    Each frame sits in the middle of its FFT buffer, so that zero-phase responses may ring before it too.

    Args:
        waveform: Samples of shape (samples,).
        response: Responses of shape (frames, bins), frame ``t`` at sample ``t * hop``, as :func:`frame` counts them.
            The FFT has ``2 * (bins - 1)`` points, a multiple of ``hop``, and should be several times ``hop`` long.
        hop: Samples from one response to the next.

    Returns:
        Filtered samples of shape (samples,).
    """
    size = 2 * (response.shape[1] - 1)
    window = np.zeros(size, dtype=np.float32)
    window[size // 2 - hop : size // 2 + hop] = hann(2 * hop)
    spectrum = np.fft.rfft(frame(waveform, size, hop) * window)
    return overlap_add(np.fft.irfft(spectrum * response, size), hop, len(waveform))
