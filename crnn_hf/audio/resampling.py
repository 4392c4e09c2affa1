"""From one sampling rate to another, in one go or as the sound comes in."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import torch
import torchaudio

# Band-limited interpolation with a long Kaiser window. Measured from 44.1 to 16 kHz: level up to 7 kHz, -3 dB at
# 7.5 kHz, and what lies at 8.2 kHz and beyond is gone (-142 dB). torchaudio's default, 6 zero crossings of a Hann
# window, folds 8.2 kHz back at -8 dB: a trace like those that vocoders leave, and that the detector listens for.
FILTER = {
    "resampling_method": "sinc_interp_kaiser",
    "lowpass_filter_width": 64,
    "rolloff": 0.9475937167399596,
    "beta": 14.769656459379492,
}
# The filter bank grows with the product of the reduced ratio's terms; 44101 to 16000 Hz would take gigabytes. The
# customary rates reduce to denominators below this bound and are exact. An odd one is approximated, at worst by
# 0.05 %, less than a hundredth of a semitone.
LARGEST_DENOMINATOR = 1000
# Input samples at a time. The computation takes a few times its input in memory: gigabytes, for an hour in one go.
BLOCK = 2**18


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """`waveform` at another sampling rate.

    Args:
        waveform: (samples,), float32.
        from_rate: its sampling rate in Hz.
        to_rate: the wanted sampling rate in Hz.

    Returns:
        (ceil(samples * to_rate / from_rate),), float32, within 0.1 % where an odd rate is approximated; `waveform`
        itself where the rates, so approximated, are the same. Where the signal jumps, values may overshoot its range
        a little.

    Raises:
        ValueError: a rate is not positive.
    """
    resampler = StreamingResampler(from_rate, to_rate)
    if resampler.ratio == 1:
        return waveform
    return np.concatenate([resampler.push(waveform), resampler.flush()])


class StreamingResampler:
    """Resamples a waveform that comes in pieces, of any size, in memory that does not grow with its length.

    The pieces that it gives, joined, are what `resample` makes of the joined input, to float32's rounding.

    Attributes:
        ratio: output samples per input sample.
        latency: in seconds, how much of the newest input at most cannot be told yet in the output.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Rates are in Hz. Raises ValueError where one is not positive."""
        if from_rate <= 0 or to_rate <= 0:
            raise ValueError(f"sampling rates must be positive, found {from_rate} and {to_rate} Hz")
        self.ratio = Fraction(to_rate, from_rate).limit_denominator(LARGEST_DENOMINATOR)
        self._bank = None if self.ratio == 1 else _filter_bank(self.ratio)
        self.latency = 0.0 if self._bank is None else (self._bank.reach + self._bank.period) / from_rate
        self.reset()

    def reset(self) -> None:
        """Forget what was pushed: the next samples begin another waveform."""
        self._taken = self._given = 0
        # Input that output still to come depends on. Before the beginning, and after the end, there is silence.
        self._pending = np.zeros(self._bank.reach if self._bank else 0, np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take the waveform's next samples.

        Args:
            samples: (samples,), float32, any number of them, even none.

        Returns:
            (samples,), float32: the output as far as it can be told by now, perhaps nothing; the samples themselves
            where the two rates are the same.
        """
        if self._bank is None:
            return np.asarray(samples, np.float32)
        resampled = self._advance(samples)
        self._taken += len(samples)
        self._given += len(resampled)
        return resampled

    def flush(self) -> np.ndarray:
        """The rest of the output, (samples,), float32. The waveform ends here; what is pushed next begins another."""
        missing = math.ceil(self._taken * self.ratio) - self._given
        rest = np.zeros(0, np.float32)
        if missing > 0:
            rest = self._advance(np.zeros(self._bank.reach + self._bank.period, np.float32))[:missing]
        self.reset()
        return rest

    def _advance(self, samples: np.ndarray) -> np.ndarray:
        """The output up to where it depends on input that comes after `samples`, which are the next."""
        bank, pieces = self._bank, [np.zeros(0, np.float32)]
        for begin in range(0, len(samples), BLOCK):
            known = np.concatenate([self._pending, samples[begin : begin + BLOCK]], dtype=np.float32)
            periods = max(0, (len(known) - 2 * bank.reach) // bank.period)
            if periods:
                pieces.append(bank.apply(known, periods))
            self._pending = known[periods * bank.period :].copy()
        return np.concatenate(pieces)


@dataclass(frozen=True)
class _FilterBank:
    """A filter for each output sample of a period, which is the same in every period.

    Attributes:
        filters: (reach + period + reach, output samples a period), float32.
        period: in input samples.
        reach: how many input samples before and after a period its output depends on.
    """

    filters: torch.Tensor
    period: int
    reach: int

    def apply(self, samples: np.ndarray, periods: int) -> np.ndarray:
        """The output of a number of periods, the first of which begins `reach` samples into `samples`."""
        windows = torch.from_numpy(samples).as_strided((periods, len(self.filters)), (self.period, 1))
        return (windows @ self.filters).flatten().numpy()


@lru_cache(maxsize=16)
def _filter_bank(ratio: Fraction) -> _FilterBank:
    """torchaudio's filters for a ratio of sampling rates; making them takes longer than a few seconds' resampling."""
    # Computed in float32, as torchaudio would, the filters are off by up to 1e-4.
    made = torchaudio.transforms.Resample(ratio.denominator, ratio.numerator, dtype=torch.float64, **FILTER)
    kernel, reach = made.kernel[:, 0].float(), made.width
    # One multiplication with a larger matrix is faster than many with a small one: several short periods are taken
    # as one, up to where the zeros around the shifted filters begin to cost more than that saves.
    group = max(1, reach // (2 * ratio.denominator))
    filters = torch.zeros(group, ratio.numerator, kernel.shape[1] + (group - 1) * ratio.denominator)
    for place in range(group):
        begin = place * ratio.denominator
        filters[place, :, begin : begin + kernel.shape[1]] = kernel
    return _FilterBank(filters.flatten(0, 1).T.contiguous(), group * ratio.denominator, reach)
