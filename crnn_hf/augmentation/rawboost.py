"""RawBoost: what channels and devices do to a waveform, without recordings of them.

H. Tak, M. Kamble, J. Patino, M. Todisco, N. Evans, "RawBoost: A raw data boosting and augmentation method applied to
automatic speaker verification anti-spoofing", ICASSP 2022. Its three kinds of noise are a class each, with the paper's
ranges as defaults.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.settings import check_count, check_probability, check_range

LONGEST_FILTER = 10_001  # taps
# Size of the Fourier transform in which a filter's largest gain is looked for.
RESPONSE_SIZE = 4096
BLOCK = 4096  # samples that are filtered at once


@dataclass(frozen=True, kw_only=True)
class NotchFilters:
    """The filters that two of the kinds draw: several notches in a row.

    Attributes:
        notches: how many.
        centres_hz: of a notch, lowest and highest; nothing above half the sampling rate is drawn.
        widths_hz: of a notch.
        taps: of a notch's filter. The fewer, the shallower and wider it is.
    """

    notches: int = 5
    centres_hz: tuple[float, float] = (20.0, 8000.0)
    widths_hz: tuple[float, float] = (100.0, 1000.0)
    taps: tuple[int, int] = (10, 100)

    def __post_init__(self) -> None:
        check_count("notches", self.notches, least=1)
        check_range("centres_hz", self.centres_hz, 0)
        check_range("widths_hz", self.widths_hz, 0)
        check_range("taps", self.taps, 1, LONGEST_FILTER)

    def draw(self, sampling_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """A filter of shape (taps,), odd and symmetric, hence of linear phase, with a largest gain of 1."""
        nyquist = sampling_rate / 2
        lowest, highest = np.minimum(self.centres_hz, nyquist)
        centres = rng.uniform(lowest, highest, self.notches)
        widths = rng.uniform(*self.widths_hz, self.notches)
        # Of an odd number of taps, so that the delay is one of whole samples.
        taps = rng.integers(int(self.taps[0]), int(self.taps[1]), self.notches, endpoint=True) | 1
        combined = np.ones(1)
        for centre, width, count in zip(centres, widths, taps, strict=True):
            low, high = np.clip([centre - width / 2, centre + width / 2], 0, nyquist) / nyquist
            combined = np.convolve(combined, notch(low, high, count))
        largest = np.abs(np.fft.rfft(combined, max(RESPONSE_SIZE, len(combined)))).max()
        return combined / max(largest, np.finfo(float).tiny)


@dataclass(frozen=True, kw_only=True)
class ConvolutiveNoise(NotchFilters):
    """Linear and non-linear convolutive noise: a device's colour and its distortion.

    The waveform and its powers, each through a filter of its own, are summed: g_1 (b_1 * x) + g_2 (b_2 * x^2) + ...,
    with filters b, gains g, and x the waveform relative to its peak. That it is relative differs from the paper, and
    has a quiet recording distorted as a loud one is. The mean is removed; a peak above 1 is scaled down to 1.

    Attributes:
        probability: how often it is applied, in [0, 1].
        powers: the highest power j; with 1, there is no distortion.
        linear_decibels: g of the waveform itself.
        power_decibels: g of each higher power.
        notches, centres_hz, widths_hz, taps: of the filters, see `NotchFilters`.

    Raises:
        ValueError: a setting that cannot be; the message names it.
    """

    probability: float = 0.5
    powers: int = 5
    linear_decibels: tuple[float, float] = (0.0, 0.0)
    power_decibels: tuple[float, float] = (-20.0, -5.0)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_count("powers", self.powers, least=1)
        check_range("linear_decibels", self.linear_decibels)
        check_range("power_decibels", self.power_decibels)
        super().__post_init__()

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Distort a waveform of shape (samples,), at a sampling rate in Hz; silence stays silence."""
        peak = np.abs(waveform).max(initial=0)
        if peak == 0:
            return waveform.copy()
        relative, filters = waveform / peak, []
        for power in range(1, self.powers + 1):
            gain = 10 ** (rng.uniform(*(self.linear_decibels if power == 1 else self.power_decibels)) / 20)
            filters.append(gain * self.draw(sampling_rate, rng))
        powers = np.cumprod(np.broadcast_to(relative, (self.powers, len(relative))), axis=0)
        changed = peak * _filtered_sum(powers, filters)
        return _within_range(changed - changed.mean())


@dataclass(frozen=True)
class ImpulsiveNoise:
    """Impulsive noise that depends on the signal: clipping, lost samples, quantisation, crackle.

    A share of the samples, anywhere, is multiplied by `1 + gain * u * v`, u and v uniform in [-1, 1]. A peak above 1
    is scaled down to 1.

    Attributes:
        probability: how often it is applied, in [0, 1].
        share: of the samples, lowest and highest, in [0, 1].
        gain: of the noise relative to the sample, at least 0.

    Raises:
        ValueError: a setting that cannot be; the message names it.
    """

    probability: float = 0.5
    share: tuple[float, float] = (0.0, 0.1)
    gain: float = 2.0

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("share", self.share, 0, 1)
        try:
            check_range("gain", (0, self.gain))
        except ValueError:
            raise ValueError(f"gain must be a number of at least 0; found {self.gain!r}") from None

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Change samples of a waveform of shape (samples,), at any sampling rate; zeros stay zeros."""
        count = round(rng.uniform(*self.share) * len(waveform))
        where = rng.choice(len(waveform), count, replace=False, shuffle=False) if count else []
        changed = waveform.copy()
        changed[where] *= (1 + self.gain * rng.uniform(-1, 1, (2, count)).prod(0)).astype(np.float32)
        return _within_range(changed)


@dataclass(frozen=True, kw_only=True)
class StationaryNoise(NotchFilters):
    """Stationary noise that does not depend on the signal: a microphone's or an amplifier's, coloured by filters.

    A peak above 1 is scaled down to 1.

    Attributes:
        probability: how often it is applied, in [0, 1].
        decibels: level of the waveform over that of the noise, both over the whole clip.
        notches, centres_hz, widths_hz, taps: of the filter that colours white noise, see `NotchFilters`.

    Raises:
        ValueError: a setting that cannot be; the message names it.
    """

    probability: float = 0.5
    decibels: tuple[float, float] = (10.0, 40.0)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("decibels", self.decibels)
        super().__post_init__()

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Add noise to a waveform of shape (samples,), at a sampling rate in Hz; silence stays silence."""
        white = rng.standard_normal((1, len(waveform)), np.float32)
        noise = _filtered_sum(white, [self.draw(sampling_rate, rng)])
        level = np.linalg.norm(waveform) / 10 ** (rng.uniform(*self.decibels) / 20)
        return _within_range(waveform + noise * np.float32(level / max(np.linalg.norm(noise), 1e-12)))


def notch(low: float, high: float, taps: int) -> NDArray[np.float64]:
    """A band-stop filter by the window method.

    Args:
        low: where the stop band begins, as a share of half the sampling rate.
        high: where it ends.
        taps: an odd number; from the pass band to the stop band it takes about 6.6 / taps of half the sampling rate.

    Returns:
        (taps,): the ideal filter's impulse response, which is endless, under a Hamming window.
    """
    offsets = np.arange(taps) - taps // 2
    ideal = (offsets == 0) - high * np.sinc(high * offsets) + low * np.sinc(low * offsets)
    return ideal * np.hamming(taps)


def _filtered_sum(waveforms: NDArray[np.float32], filters: Sequence[NDArray]) -> Waveform:
    """The sum of waveforms, (waveforms, samples), each through its filter, (taps,), odd and symmetric; not delayed.

    By overlap-save: blocks' transforms stay in the processor's caches, one of everything takes twice as long.
    """
    samples, longest = waveforms.shape[1], max(map(len, filters))
    size = max(BLOCK, 1 << (2 * longest).bit_length())
    step = size - longest + 1
    blocks = max(1, math.ceil(samples / step))
    centred = np.stack([np.pad(taps, (longest - len(taps)) // 2) for taps in filters]).astype(np.float32)
    before = longest // 2
    padded = np.pad(waveforms, ((0, 0), (before, blocks * step - samples + longest - 1 - before)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::step]
    spectra = np.fft.rfft(windows) * np.fft.rfft(centred, size)[:, None]
    return np.fft.irfft(spectra.sum(0), size)[:, longest - 1 :].reshape(-1)[:samples].astype(np.float32, copy=False)


def _within_range(waveform: Waveform) -> Waveform:
    """A waveform scaled down to a peak of 1, where it is above."""
    return waveform / np.maximum(1, np.abs(waveform).max(initial=0))
