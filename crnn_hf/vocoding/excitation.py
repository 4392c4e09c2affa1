"""What stands for the glottis in a source-filter vocoder: pulses and noise."""

import numpy as np
from numpy.typing import NDArray

from crnn_hf.vocoding.pitch import track_f0
from crnn_hf.vocoding.short_time import Samples, hop_size


def pulses(f0: NDArray, samples: int, sampling_rate: int) -> Samples:
    """One pulse a period, of unit power, shape (samples,), for F0 of shape (frames,) every :func:`hop_size`."""
    frames = np.arange(samples) / hop_size(sampling_rate)
    track = np.interp(frames, np.arange(len(f0)), f0)
    cycles = np.floor(np.cumsum(track / sampling_rate))
    return (np.diff(cycles, prepend=0.0) * np.sqrt(sampling_rate / track)).astype(np.float32)


def buzz_or_hiss(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """The classic two-state excitation of unit power, (samples,): pulses where voiced, white noise elsewhere."""
    f0, voiced = track_f0(waveform, sampling_rate)
    samples = len(waveform)
    nearest = (np.arange(samples) / hop_size(sampling_rate) + 0.5).astype(np.int64)
    noise = rng.standard_normal(samples, dtype=np.float32)
    return np.where(voiced[nearest], pulses(f0, samples, sampling_rate), noise)
