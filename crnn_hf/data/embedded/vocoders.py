"""Eight analysis-resynthesis vocoders, with fixed settings: the "spoof" half of the embedded corpus.

They are those of :mod:`crnn_hf.vocoding`. Each leaves the traces of its own method: incoherent phases (Griffin-Lim,
phase vocoder), perfectly regular pulses (LPC, channel, WORLD-style), harmonics without noise, folded spectra. What
would give a vocoder away without listening (length, DC, level, spectral balance) is put right.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np

from crnn_hf.vocoding.envelopes import channel_vocoder, world_style
from crnn_hf.vocoding.griffin_lim import linear_griffin_lim, mel_griffin_lim
from crnn_hf.vocoding.harmonics import harmonic_plus_noise
from crnn_hf.vocoding.linear_prediction import lpc_vocoder, residual_excited
from crnn_hf.vocoding.mel import mel_filters
from crnn_hf.vocoding.phase_vocoder import phase_vocoder
from crnn_hf.vocoding.short_time import Samples

Vocoder = Callable[[Samples, int, np.random.Generator], Samples]

BALANCE_BANDS = 12  # on the mel scale, in which the long-term spectrum is restored
POWER_FLOOR = 1e-10


def _balanced(vocoder: Vocoder) -> Vocoder:
    """A vocoder that keeps length, level and spectral balance of what it is given."""

    @wraps(vocoder)
    def balanced(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
        return _restore_balance(vocoder(waveform, sampling_rate, rng), waveform, sampling_rate)

    return balanced


def _restore_balance(vocoded: Samples, original: Samples, sampling_rate: int) -> Samples:
    """Give ``vocoded`` the long-term spectrum of ``original`` in twelve mel bands, and so its level, without DC.

    The peak may then lie above full scale, as the phases are others; the whole is turned down where it does.
    `crnn_hf.vocoding.balance` does the same to real speech, and more; here, the corpus's bytes are to stay.
    """
    samples = len(original)
    after, before = np.fft.rfft(vocoded, samples), np.fft.rfft(original)
    bands = mel_filters(BALANCE_BANDS, len(after), sampling_rate)
    gains = np.sqrt((bands @ np.abs(before) ** 2 + POWER_FLOOR) / (bands @ np.abs(after) ** 2 + POWER_FLOOR))
    after *= gains @ bands / np.maximum(bands.sum(axis=0), POWER_FLOOR)
    after[0] = 0
    balanced = np.fft.irfft(after, samples)
    balanced *= np.sqrt(np.mean((original - original.mean()) ** 2) / (np.mean(balanced**2) + POWER_FLOOR))
    return (balanced / max(1.0, np.abs(balanced).max() / 0.99)).astype(np.float32)


# By the names that the corpus's README has for them.
VOCODERS: dict[str, Vocoder] = {
    vocoder.__name__: _balanced(vocoder)
    for vocoder in (
        mel_griffin_lim,
        lpc_vocoder,
        harmonic_plus_noise,
        channel_vocoder,
        linear_griffin_lim,
        residual_excited,
        world_style,
        phase_vocoder,
    )
}
