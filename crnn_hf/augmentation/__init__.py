"""Waveform to waveform and log-mel to log-mel, blind to the label."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from crnn_hf.augmentation.band import BandLimit, Telephone
from crnn_hf.augmentation.chain import Augmentation, Chain, chain
from crnn_hf.augmentation.codec import Coding
from crnn_hf.augmentation.level import DirectCurrent, Gain, HighPass
from crnn_hf.augmentation.mixstyle import FreqMixStyle
from crnn_hf.augmentation.noise import ColouredNoise, RecordedNoise
from crnn_hf.augmentation.rawboost import ConvolutiveNoise, ImpulsiveNoise, StationaryNoise
from crnn_hf.augmentation.reverberation import RecordedReverberation, Reverberation
from crnn_hf.augmentation.spectrogram import SpecAugment
from crnn_hf.augmentation.timing import EdgeSilence, Shift, Speed

__all__ = [
    "KINDS",
    "SPECTROGRAM_KINDS",
    "Augmentation",
    "Batch",
    "BatchAugmentation",
    "Chain",
    "FreqMixStyle",
    "SpecAugment",
    "augmentations",
    "chain",
]

Batch = Mapping[str, Tensor]  # as the collator makes it
BatchAugmentation = Callable[[Batch], Batch]

# What each is called in a recipe.
KINDS: dict[str, type[Augmentation]] = {
    "speed": Speed,
    "shift": Shift,
    "edge_silence": EdgeSilence,
    "reverberation": Reverberation,
    "recorded_reverberation": RecordedReverberation,
    "noise": ColouredNoise,
    "recorded_noise": RecordedNoise,
    "convolutive_noise": ConvolutiveNoise,
    "impulsive_noise": ImpulsiveNoise,
    "stationary_noise": StationaryNoise,
    "band_limit": BandLimit,
    "telephone": Telephone,
    "codec": Coding,
    "high_pass": HighPass,
    "direct_current": DirectCurrent,
    "gain": Gain,
}
# Those of a batch of spectrograms, which are applied after all others.
SPECTROGRAM_KINDS: dict[str, type[SpecAugment] | type[FreqMixStyle]] = {
    "spectrogram": SpecAugment,
    "freq_mixstyle": FreqMixStyle,
}


def augmentations(
    settings: Mapping[str, Mapping[str, Any] | None], sampling_rate: int
) -> tuple[Chain | None, tuple[BatchAugmentation, ...]]:
    """What a recipe's section asks for: augmentations of waveforms, and those of spectrograms, each in its order.

    Args:
        settings: by the name of the augmentation, a key of `KINDS` or `SPECTROGRAM_KINDS`, its fields; or None for its
            defaults.
        sampling_rate: of the waveforms, in Hz.

    Raises:
        ValueError: as `chain`.
    """
    found = chain(settings, {**KINDS, **SPECTROGRAM_KINDS}, sampling_rate).augmentations
    named = list(zip(settings, found, strict=True))
    of_waveforms = [augmentation for name, augmentation in named if name in KINDS]
    of_spectrograms = tuple(augmentation for name, augmentation in named if name in SPECTROGRAM_KINDS)
    return Chain(of_waveforms, sampling_rate) if of_waveforms else None, of_spectrograms
