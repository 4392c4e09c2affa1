"""From one sampling rate to another."""

import math
from fractions import Fraction

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
# Input samples at a time. The convolution may take twenty times its input in memory: gigabytes, for an hour in one go.
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
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sampling rates must be positive, found {from_rate} and {to_rate} Hz")
    ratio = Fraction(to_rate, from_rate).limit_denominator(LARGEST_DENOMINATOR)
    if ratio == 1:
        return waveform
    return _in_blocks(np.require(waveform, np.float32, ["C", "W"]), ratio)


def _in_blocks(waveform: np.ndarray, ratio: Fraction) -> np.ndarray:
    """`waveform` at `ratio` times its sampling rate, computed block by block with the result of one go.

    Every `ratio.denominator` input samples give `ratio.numerator` output samples. The blocks are whole such periods,
    resampled together with as many to either side as the filter reaches, so that they join without a seam.
    """
    period = ratio.denominator
    # Computed in float32, as torchaudio would, the filter is off by up to 1e-4.
    resampler = torchaudio.transforms.Resample(period, ratio.numerator, dtype=torch.float64, **FILTER).float()
    reach = math.ceil(resampler.width / period) * period
    block = math.ceil(BLOCK / period) * period
    resampled = np.empty(math.ceil(len(waveform) * ratio), np.float32)
    for begin in range(0, len(waveform), block):
        first = max(0, begin - reach)
        piece = resampler(torch.from_numpy(waveform[first : begin + block + reach])).numpy()
        target = resampled[int(begin * ratio) : int((begin + block) * ratio)]
        target[:] = piece[int((begin - first) * ratio) :][: len(target)]
    return resampled
