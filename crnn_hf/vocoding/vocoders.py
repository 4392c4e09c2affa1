"""The vocoders by name, and what each of them draws for every clip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crnn_hf.vocoding.balance import like_original
from crnn_hf.vocoding.envelopes import channel_vocoder, world_style
from crnn_hf.vocoding.griffin_lim import linear_griffin_lim, mel_griffin_lim
from crnn_hf.vocoding.harmonics import harmonic_plus_noise
from crnn_hf.vocoding.linear_prediction import lpc_vocoder, residual_excited
from crnn_hf.vocoding.phase_vocoder import phase_vocoder
from crnn_hf.vocoding.phases import mel_minimum_phase, mel_phase_noise
from crnn_hf.vocoding.short_time import Samples
from crnn_hf.vocoding.upsampling import upsampled


@dataclass(frozen=True)
class Vocoder:
    """A vocoder whose settings are drawn for every clip.

    Attributes:
        resynthesize: takes a waveform, (samples,), its sampling rate, a generator and settings, and gives a waveform,
            (samples,), of any level.
        settings: by name, the values that are drawn from, all of them as often.
    """

    resynthesize: Callable[..., Samples]
    settings: Mapping[str, Sequence[Any]]

    def __call__(self, waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
        """Make a fake of a recording.

        Args:
            waveform: shape (samples,), float32, mono, of any level.
            sampling_rate: in Hz.
            rng: draws the settings, and what the vocoder draws.

        Returns:
            Shape (samples,), float32, with the level, DC, long-term spectrum and digital silence of `waveform`.

        Raises:
            ValueError: a waveform of another shape.
        """
        if waveform.ndim != 1:
            raise ValueError(f"a vocoder takes a waveform of shape (samples,), not {waveform.shape}")
        drawn = {name: values[rng.integers(len(values))] for name, values in self.settings.items()}
        return like_original(self.resynthesize(waveform, sampling_rate, rng, **drawn), waveform, sampling_rate)


VOCODERS: dict[str, Vocoder] = {
    "mel_griffin_lim": Vocoder(
        mel_griffin_lim,
        {"bands": (20, 40, 64, 80, 128), "frame": (0.5, 1, 1, 2), "iterations": (2, 4, 8), "momentum": (0, 0.99)},
    ),
    "linear_griffin_lim": Vocoder(
        linear_griffin_lim, {"frame": (0.25, 0.5, 1, 2), "iterations": (1, 2, 4, 8), "momentum": (0, 0.99)}
    ),
    "mel_phase_noise": Vocoder(
        mel_phase_noise, {"bands": (64, 80, 100, 128), "frame": (0.5, 1), "coherent": (250, 500, 1000, 2000)}
    ),
    "mel_minimum_phase": Vocoder(mel_minimum_phase, {"bands": (24, 40, 60, 80), "top": (2000, 3000, 4000, 6000)}),
    "lpc_vocoder": Vocoder(lpc_vocoder, {"order": (12, 16, 18, 24)}),
    "residual_excited": Vocoder(residual_excited, {"order": (8, 10, 16), "fold": (2, 3, 4), "roughness": (0, 0.2)}),
    "harmonic_plus_noise": Vocoder(harmonic_plus_noise, {"top": (2500, 4000, 6000), "order": (16, 20, 24)}),
    "channel_vocoder": Vocoder(channel_vocoder, {"bands": (16, 24, 32, 48)}),
    "world_style": Vocoder(world_style, {"bands": (3, 5, 8, 12)}),
    "phase_vocoder": Vocoder(phase_vocoder, {"stretch": ((0.7, 0.9), (1.1, 1.4))}),
    "upsampled": Vocoder(
        upsampled,
        {
            "doublings": (1, 2),
            "kernel": ("nearest", "linear"),
            "unevenness": (0.02, 0.1, 0.2),
            "tone": (-60.0, -50.0, -40.0),
        },
    ),
}
