"""Mel bands: what most vocoders are told of a spectrum."""

from functools import lru_cache

import numpy as np

from crnn_hf.feature_extraction_crnn import triangular_filters
from crnn_hf.vocoding.short_time import Samples


@lru_cache(maxsize=64)
def mel_filters(bands: int, bins: int, sampling_rate: int) -> Samples:
    """Triangular filters (bands, bins) up to the Nyquist frequency, on the mel scale of O'Shaughnessy (1987)."""
    filters = triangular_filters(bands, bins, sampling_rate, 0.0, sampling_rate / 2, "htk").numpy()
    return np.ascontiguousarray(filters.T)


@lru_cache(maxsize=64)
def mel_inverse(bands: int, bins: int, sampling_rate: int) -> Samples:
    """The pseudo-inverse of :func:`mel_filters`, (bands, bins): from the power in bands back to that in bins."""
    return np.linalg.pinv(mel_filters(bands, bins, sampling_rate)).T


def smoothed_by_mel(power: Samples, bands: int, sampling_rate: int) -> Samples:
    """What is left of a power spectrogram (frames, bins) once it has been through mel bands, never below zero."""
    bins = power.shape[1]
    mel = power @ mel_filters(bands, bins, sampling_rate).T
    return np.maximum(mel @ mel_inverse(bands, bins, sampling_rate), 0)
