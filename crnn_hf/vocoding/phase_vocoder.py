"""A change of duration by the phase vocoder, and back."""

import numpy as np

from crnn_hf.vocoding.short_time import Samples, fft_size, istft, stft


def phase_vocoder(
    waveform: Samples, sampling_rate: int, rng: np.random.Generator, *, stretch: tuple[float, float] = (1.15, 1.35)
) -> Samples:
    """Stretched by 15 to 35 % and shrunk back (J. L. Flanagan & R. M. Golden, "Phase vocoder", BSTJ 45(9), 1966)."""
    size, samples = fft_size(sampling_rate), len(waveform)
    longer = round(samples * rng.uniform(*stretch))
    return change_duration(change_duration(waveform, longer, size), samples, size)


def change_duration(waveform: Samples, samples: int, size: int) -> Samples:
    """Play at another speed and the same pitch, by integrating each bin's instantaneous frequency."""
    hop = size // 4
    spectrum = stft(waveform, size, hop)
    frames = 1 + -(-samples // hop)
    position = np.minimum(np.arange(frames) * len(waveform) / samples, len(spectrum) - 1.001)
    left, weight = position.astype(np.int64), (position % 1)[:, None].astype(np.float32)
    magnitude = (1 - weight) * np.abs(spectrum[left]) + weight * np.abs(spectrum[left + 1])
    step = np.angle(spectrum[left + 1] * spectrum[left].conj())
    phase = np.cumsum(np.concatenate([np.angle(spectrum[:1]), step[:-1]]), axis=0)
    return istft(magnitude * np.exp(1j * phase), samples, size, hop)
