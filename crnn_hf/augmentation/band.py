"""Filters: narrower bands, and the telephone's."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.settings import check_probability, check_range

# A skirt, from passing to nothing, is a tenth as wide as its frequency, and at least this wide in Hz. That bounds how
# long the filter rings: with a raised cosine of width w, it is 80 dB below its peak after some 3 / w seconds.
NARROWEST_SKIRT = 50.0
RINGING = 3 / NARROWEST_SKIRT

TELEPHONE_RATE = 8_000
TELEPHONE_BAND = (300.0, 3_400.0)

# G.711 cuts magnitudes into intervals that grow with them: how wide each is, in steps of linear PCM with 13 bits
# (A-law) and 14 bits (mu-law).
A_LAW = np.array([2] * 16 + [2 << segment for segment in range(7) for _ in range(16)])
MU_LAW = np.array([1] + [2] * 15 + [4 << segment for segment in range(7) for _ in range(16)])


@dataclass(frozen=True)
class BandLimit:
    """Let a band through and nothing else, as lossy codecs, cheap microphones and low sampling rates do.

    Attributes:
        probability: how often it is applied.
        low_hz: what the lower edge of the band is drawn from, uniformly; 0 is none.
        high_hz: likewise its upper edge; from half the sampling rate on, there is none.
    """

    probability: float = 0.3
    low_hz: tuple[float, float] = (0, 300)
    high_hz: tuple[float, float] = (3_000, 8_000)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("low_hz", self.low_hz, lowest=0)
        check_range("high_hz", self.high_hz, lowest=0)
        if self.low_hz[1] >= self.high_hz[0]:
            raise ValueError(f"low_hz must end below high_hz; found {self.low_hz!r} and {self.high_hz!r}")

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        low, high = rng.uniform(*self.low_hz), rng.uniform(*self.high_hz)
        return filtered(waveform, sampling_rate, lambda frequencies: pass_band(frequencies, low, high), RINGING)


@dataclass(frozen=True)
class Telephone:
    """A call over the telephone network: 300 to 3400 Hz at 8 kHz, coded by G.711's A-law or mu-law, either as often.

    What exceeds full scale is clipped, as it is there.

    Attributes:
        probability: how often it is applied.
    """

    probability: float = 0.1

    def __post_init__(self) -> None:
        check_probability(self.probability)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        intervals = A_LAW if rng.random() < 0.5 else MU_LAW
        # Band, decimation and interpolation are all done on the spectrum. For that, the padded waveform must last
        # a whole number of samples at both rates.
        multiple = sampling_rate // math.gcd(sampling_rate, TELEPHONE_RATE)
        size = multiple * fast_length(math.ceil((len(waveform) + RINGING * sampling_rate) / multiple))
        narrow_size = size // multiple * (TELEPHONE_RATE // math.gcd(sampling_rate, TELEPHONE_RATE))
        spectrum = np.fft.rfft(waveform, size)
        spectrum *= pass_band(np.fft.rfftfreq(size, 1 / sampling_rate), *TELEPHONE_BAND)
        narrow = np.fft.irfft(spectrum, narrow_size) * (narrow_size / size)
        coded = companded(narrow, intervals)
        wide = np.fft.irfft(np.fft.rfft(coded), size) * (size / narrow_size)
        return wide[: len(waveform)].astype(np.float32)


def filtered(
    waveform: Waveform,
    sampling_rate: int,
    response: Callable[[NDArray[np.floating]], NDArray[np.inexact]],
    ringing: float,
) -> Waveform:
    """A waveform through a linear filter, in time with it and as long.

    Args:
        waveform: (samples,), float32.
        sampling_rate: its rate in Hz.
        response: the filter's gain at each of the frequencies in Hz that it is given, both (bins,); real for a filter
            without phase.
        ringing: seconds after which the filter's impulse response has died away. So much silence is put behind the
            waveform, lest its end leak into its start.
    """
    size = fast_length(len(waveform) + math.ceil(ringing * sampling_rate))
    gains = response(np.fft.rfftfreq(size, 1 / sampling_rate))
    spectrum = np.fft.rfft(waveform, size)
    return np.fft.irfft(spectrum * gains, size)[: len(waveform)].astype(np.float32)


def pass_band(frequencies: NDArray[np.floating], low: float, high: float) -> NDArray[np.float32]:
    """The gain at each frequency, (bins,): 1 from `low` to `high` Hz, raised cosines down to 0 outside."""
    rising = 1 - (low - frequencies) / _skirt(low)
    falling = 1 - (frequencies - high) / _skirt(high)
    height = np.clip(np.minimum(rising, falling), 0, 1).astype(np.float32)
    return (1 - np.cos(np.pi * height)) / 2


def companded(waveform: Waveform, intervals: NDArray[np.integer]) -> Waveform:
    """A waveform, (samples,), with each sample replaced by what G.711 (ITU-T, 1988) makes of it.

    Args:
        waveform: clipped to [-1, 1].
        intervals: `A_LAW` or `MU_LAW`.
    """
    edges = np.cumsum(intervals) - intervals
    # The middle of the interval; only mu-law's first, which is one step wide, stands for zero.
    levels = np.where(intervals > 1, edges + intervals / 2, 0).astype(np.float32)
    full_scale = int(intervals.sum())
    of_magnitude = np.repeat(levels / full_scale, intervals)
    magnitudes = np.minimum(np.abs(waveform) * full_scale, full_scale - 1).astype(np.int32)
    return np.copysign(of_magnitude[magnitudes], waveform)


def fast_length(samples: int) -> int:
    """The next length, from `samples` on, whose Fourier transform is quick: a power of two, times 1, 3, 5, 9 or 15."""
    return min(odd << (math.ceil(samples / odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15))


def _skirt(edge: float) -> float:
    return max(NARROWEST_SKIRT, edge / 10)
