"""What can be said of a clip without knowing what it says."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


class Measure(NamedTuple):
    """How a measure is told to people.

    Attributes:
        kind: what it is a measure of: "level", "silence", "length", "band width" or "DC".
        title: what it is called.
        unit: in which it is told.
        factor: into that unit.
        decimals: that it deserves.
    """

    kind: str
    title: str
    unit: str
    factor: float
    decimals: int


MEASURES = {
    "seconds": Measure("length", "Length", "s", 1, 2),
    "level": Measure("level", "Level", "dB", 1, 1),
    "leading_silence": Measure("silence", "Leading silence", "s", 1, 2),
    "trailing_silence": Measure("silence", "Trailing silence", "s", 1, 2),
    "silence": Measure("silence", "Silence in all", "%", 100, 1),
    "noise_floor": Measure("silence", "Noise floor", "dB", 1, 1),
    "zeros": Measure("silence", "Digital zeros", "%", 100, 2),
    "band_width": Measure("band width", "Band width", "Hz", 1, 0),
    "high_band": Measure("band width", "Above 4 kHz", "dB", 1, 1),
    "low_band": Measure("band width", "Below 100 Hz", "dB", 1, 1),
    "offset": Measure("DC", "Constant offset", "dB", 1, 1),
}

LOWEST = -120.0  # dB, instead of minus infinity; the last of 16 bits is at -90 dB
FRAME = 0.02  # seconds
SILENCE_BELOW = 40.0  # dB under the loudest frame
QUIET_FRAMES = 0.05  # share of the frames that are no louder than the noise floor
SPECTRUM_FRAME = 1024  # samples
SPECTRUM_BLOCK = 64  # frames transformed at once, so that neither the cache nor long recordings overflow
SHARE_OF_ENERGY = 0.99
HIGH_BAND = 4_000.0  # Hz, where a call over the narrow-band telephone ends
LOW_BAND = 100.0  # Hz, under most voices


def measure(waveform: NDArray[np.float32], sampling_rate: int) -> dict[str, float]:
    """What can be said of a clip without knowing what it says, by the names in `MEASURES`.

    None but `offset` and `zeros` hear a constant offset: it is taken away before.

    - `seconds`: its length.
    - `level`: RMS in dB relative to full scale, where a square wave of full scale has 0 dB and a sine -3 dB.
    - `leading_silence`, `trailing_silence`: seconds before the first and after the last frame of 20 ms that is less
      than 40 dB under the loudest one. Where nothing sounds, both are the whole length. Noise within 40 dB of the
      voice is no silence.
    - `silence`: share of frames, in [0, 1], that are 40 dB or more under the loudest one, wherever they are.
    - `noise_floor`: level in dB, relative to the clip's, below which 5 % of the frames lie.
    - `zeros`: share of samples, in [0, 1], that are exactly zero. Resampling leaves few.
    - `band_width`: the frequency in Hz below which 99 % of the energy lie, in steps of a 1024th of the sampling rate;
      0 where nothing sounds.
    - `high_band`, `low_band`: the energy from 4 kHz on, and below 100 Hz, in dB relative to the clip's.
    - `offset`: the mean of the samples, without its sign, in dB relative to full scale.

    What is or is close to nothing has -120 dB, of whatever.

    Args:
        waveform: (samples,), one or more, finite.
        sampling_rate: in Hz.

    Returns:
        Finite numbers.
    """
    # Not even the largest float32 overflows when squared in float64.
    samples = waveform.astype(np.float64)
    mean = samples.mean()
    centred = samples - mean
    power = float(np.mean(np.square(centred)))
    powers = _frame_powers(samples, sampling_rate)
    loud = np.flatnonzero((powers > 0) & (powers >= powers.max() * 10 ** (-SILENCE_BELOW / 10)))
    leading, trailing = _edge_silence(loud, len(powers), len(samples) / sampling_rate)
    energies = _spectrum(centred)
    frequencies = np.arange(len(energies)) * sampling_rate / SPECTRUM_FRAME
    return {
        "seconds": len(samples) / sampling_rate,
        "level": _decibels(power),
        "leading_silence": leading,
        "trailing_silence": trailing,
        "silence": 1 - len(loud) / len(powers),
        "noise_floor": _decibels(np.quantile(powers, QUIET_FRAMES), power),
        "zeros": 1 - np.count_nonzero(samples) / len(samples),
        "band_width": _band_width(energies, frequencies),
        "high_band": _decibels(energies[frequencies >= HIGH_BAND].sum(), energies.sum()),
        "low_band": _decibels(energies[frequencies < LOW_BAND].sum(), energies.sum()),
        "offset": _decibels(mean**2),
    }


def _decibels(power: float, relative_to: float = 1.0) -> float:
    """A power in dB, at least `LOWEST`; nothing is that too, even relative to nothing."""
    ratio = power / relative_to if relative_to > 0 else 0.0
    return float(10 * np.log10(max(ratio, 10 ** (LOWEST / 10))))


def _frame_powers(samples: NDArray[np.float64], sampling_rate: int) -> NDArray[np.float64]:
    """The power of each frame of 20 ms about its own mean, (frames,).

    The rest behind the last whole frame goes with that frame, lest a click of some samples pass for the loudest one.
    """
    size = max(1, round(FRAME * sampling_rate))
    begins = np.arange(max(1, len(samples) // size)) * size
    sizes = np.diff(begins, append=len(samples))
    # A voice that is switched on and off digitally has an offset while it is on, one with a cheap microphone all the
    # time: frame by frame, both are silent where they are.
    means = np.add.reduceat(samples, begins) / sizes
    return np.add.reduceat(np.square(samples - np.repeat(means, sizes)), begins) / sizes


def _edge_silence(loud: NDArray[np.int64], frames: int, seconds: float) -> tuple[float, float]:
    """Seconds before the first loud frame and after the last, whose numbers are given; all where there is none."""
    if not len(loud):
        return seconds, seconds
    last = int(loud[-1])
    return int(loud[0]) * FRAME, 0.0 if last == frames - 1 else seconds - (last + 1) * FRAME


def _spectrum(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy by frequency, from 0 to half the sampling rate, (bins,)."""
    # Frames overlap by half, and begin half a frame early, so that the window does not pass over any sample.
    hop = SPECTRUM_FRAME // 2
    padded = np.pad(samples, (hop, hop + -len(samples) % hop))
    frames = sliding_window_view(padded, SPECTRUM_FRAME)[::hop]
    energies = np.zeros(hop + 1)
    for begin in range(0, len(frames), SPECTRUM_BLOCK):
        spectrum = np.fft.rfft(frames[begin : begin + SPECTRUM_BLOCK] * np.hanning(SPECTRUM_FRAME))
        energies += np.sum(np.square(spectrum.real) + np.square(spectrum.imag), axis=0)
    return energies


def _band_width(energies: NDArray[np.float64], frequencies: NDArray[np.float64]) -> float:
    """Frequency in Hz below which 99 % of the energy lie."""
    cumulated = np.cumsum(energies)
    return float(frequencies[np.searchsorted(cumulated, SHARE_OF_ENERGY * cumulated[-1])])
