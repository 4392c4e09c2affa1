"""Loudness, and what lies below all speech: constant offset and rumble."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.augmentation.band import filtered
from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.settings import check_probability, check_range

# Root mean square under which a waveform counts as silent, -160 dB: below the last bit of 24.
SILENT = 1e-8
# In Hz; the filter needs it below half the lowest sampling rate that recordings have, 1 kHz.
HIGHEST_CUTOFF = 400


@dataclass(frozen=True)
class Gain:
    """Make it louder or quieter. What then exceeds full scale is not clipped.

    Attributes:
        probability: how often it is applied.
        decibels: what the gain is drawn from, uniformly.
    """

    probability: float = 0.5
    decibels: tuple[float, float] = (-12, 12)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("decibels", self.decibels, lowest=-100, highest=100)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        return waveform * np.float32(amplitude(rng.uniform(*self.decibels)))


@dataclass(frozen=True)
class DirectCurrent:
    """Add a constant, as cheap sound cards do.

    Attributes:
        probability: how often it is applied.
        offset: what the constant is drawn from, uniformly; full scale is 1.
    """

    probability: float = 0.2
    offset: tuple[float, float] = (-0.02, 0.02)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("offset", self.offset, lowest=-1, highest=1)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        return waveform + np.float32(rng.uniform(*self.offset))


@dataclass(frozen=True)
class HighPass:
    """Remove the constant offset and the rumble, as microphone inputs do.

    A Butterworth filter of second order ("On the Theory of Filter Amplifiers", 1930), digital by the bilinear
    transform. It is of minimum phase, like the analogue stage it stands for; without phase, it would ring ahead of
    each onset, as no recording does.

    Attributes:
        probability: how often it is applied.
        cutoff_hz: what the frequency at -3 dB is drawn from, uniformly; below it, 12 dB an octave are lost.
    """

    probability: float = 0.3
    cutoff_hz: tuple[float, float] = (20, 150)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("cutoff_hz", self.cutoff_hz, lowest=1, highest=HIGHEST_CUTOFF)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        cutoff = rng.uniform(*self.cutoff_hz)
        # The offset goes first: cut off at both ends, it would be heard there as a thump.
        centred = waveform - np.float32(waveform.mean(dtype=np.float64))
        # The poles' real part is the cutoff's angular frequency over sqrt(2), which brings -80 dB in 2.1 periods.
        return filtered(
            centred, sampling_rate, lambda frequencies: _butterworth(frequencies, cutoff, sampling_rate), 2.1 / cutoff
        )


def amplitude(decibels: float) -> float:
    """The factor that a gain in decibels stands for."""
    return 10 ** (decibels / 20)


def rms(waveform: Waveform) -> float:
    """The root mean square of a waveform, (samples,)."""
    return math.sqrt(np.square(waveform, dtype=np.float64).mean())


def at_level(waveform: Waveform, level: float) -> Waveform:
    """A waveform, (samples,), scaled to a root mean square of `level`; a silent one stays silent."""
    present = rms(waveform)
    return waveform * np.float32(level / present if present > SILENT else 0)


def _butterworth(frequencies: NDArray[np.floating], cutoff: float, sampling_rate: int) -> NDArray[np.complexfloating]:
    """The response of the high-pass filter of second order at each of the frequencies, (bins,), all in Hz."""
    delay = np.exp(-2j * np.pi / sampling_rate * frequencies).astype(np.complex64)  # by one sample
    high, low = 1 - delay, math.tan(math.pi * cutoff / sampling_rate) * (1 + delay)
    return high * high / (high * high + math.sqrt(2) * high * low + low * low)
