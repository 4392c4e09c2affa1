"""Samples that a program hands over, as the waveform the detector wants."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mono_samples(array: ArrayLike) -> NDArray[np.float32]:
    """The waveform of samples that are in memory.

    Args:
        array: (samples,), any number of them; floats of full scale 1.0, or 16-bit integers.

    Returns:
        (samples,), float32, full scale 1.0.

    Raises:
        ValueError: another shape or type, or samples that are not finite numbers.
    """
    samples = np.asarray(array)
    if samples.ndim != 1:
        raise ValueError(f"expected samples of one channel, (samples,); found {samples.shape}")
    if samples.dtype != np.int16 and samples.dtype.kind != "f":
        raise ValueError(f"expected floats of full scale 1.0, or 16-bit integers; found {samples.dtype}")
    waveform = samples.astype(np.float32, copy=False)
    if samples.dtype == np.int16:
        waveform = waveform / 32768
    if not (finite := np.isfinite(waveform)).all():
        raise ValueError(f"{(~finite).sum()} samples are not finite numbers, the first is {int(finite.argmin())}")
    return waveform
