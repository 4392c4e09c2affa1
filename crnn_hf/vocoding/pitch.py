"""The fundamental frequency of a voice, F0."""

import numpy as np
from numpy.typing import NDArray

from crnn_hf.vocoding.short_time import Samples, frame, hann, hop_size

F0_RANGE = (60.0, 400.0)  # Hz
VOICED_ABOVE = 0.5  # normalised autocorrelation at the pitch period
POWER_FLOOR = 1e-10  # relative to a frame's own power


def track_f0(waveform: Samples, sampling_rate: int) -> tuple[NDArray, NDArray[np.bool_]]:
    """F0 in Hz and voicing, each of shape (frames,), every :func:`hop_size`.

    The highest peak of the autocorrelation divided by that of the window, as in P. Boersma, "Accurate short-term
    analysis of the fundamental frequency", IFA Proceedings 17, 1993, but with a median over five frames for its path
    search. Unvoiced frames take the F0 of the nearest voiced ones by interpolation; 100 Hz if nothing is voiced.
    """
    length = round(0.048 * sampling_rate) // 2 * 2
    window = hann(length)
    size = 1 << (2 * length - 1).bit_length()
    power = np.abs(np.fft.rfft(frame(waveform, length, hop_size(sampling_rate)) * window, size)) ** 2
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)
    shortest, longest = (round(sampling_rate / f0) for f0 in reversed(F0_RANGE))
    correlation = np.fft.irfft(power)[:, : longest + 2]
    loud = correlation[:, 0] > 1e-3 * correlation[:, 0].max()
    correlation /= (correlation[:, :1] + POWER_FLOOR) * (shape / shape[0])[: longest + 2]
    # Twice the period fits as well as the period: favour the shorter by a little.
    cost = 0.02 * np.log2(np.arange(shortest, longest + 1) / shortest)
    peak = shortest + np.argmax(correlation[:, shortest : longest + 1] - cost, axis=1)
    left, top, right = (correlation[np.arange(len(peak)), peak + step] for step in (-1, 0, 1))
    curvature = np.minimum(left - 2 * top + right, -POWER_FLOOR)
    f0 = sampling_rate / (peak + np.clip((left - right) / (2 * curvature), -0.5, 0.5))

    def median(track: NDArray) -> NDArray:
        return np.median(np.lib.stride_tricks.sliding_window_view(np.pad(track, 2, mode="edge"), 5), axis=1)

    voiced = median((top > VOICED_ABOVE) & loud).astype(bool)
    if not voiced.any():
        return np.full(len(f0), 100.0), voiced
    time = np.arange(len(f0))
    return median(np.interp(time, time[voiced], f0[voiced])), voiced
