"""Waveform to waveform and log-mel to log-mel, blind to the label."""

from collections.abc import Mapping
from typing import Any

from crnn_hf.augmentation.band import BandLimit, Telephone
from crnn_hf.augmentation.chain import Augmentation, Chain, chain
from crnn_hf.augmentation.codec import Coding
from crnn_hf.augmentation.level import DirectCurrent, Gain, HighPass
from crnn_hf.augmentation.noise import ColouredNoise, RecordedNoise
from crnn_hf.augmentation.rawboost import ConvolutiveNoise, ImpulsiveNoise, StationaryNoise
from crnn_hf.augmentation.reverberation import RecordedReverberation, Reverberation
from crnn_hf.augmentation.spectrogram import SpecAugment
from crnn_hf.augmentation.timing import EdgeSilence, Shift, Speed

__all__ = ["KINDS", "SPECTROGRAM", "Augmentation", "Chain", "SpecAugment", "augmentations", "chain"]

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
SPECTROGRAM = "spectrogram"  # what SpecAugment is called there


def augmentations(
    settings: Mapping[str, Mapping[str, Any] | None], sampling_rate: int
) -> tuple[Chain | None, SpecAugment | None]:
    """What a recipe's section asks for: augmentations of waveforms, in its order, and one of spectrograms.

    Args:
        settings: by the name of the augmentation, a key of `KINDS` or `SPECTROGRAM`, its fields; or None for its
            defaults.
        sampling_rate: of the waveforms, in Hz.

    Raises:
        ValueError: as `chain`.
    """
    kinds = {**KINDS, SPECTROGRAM: SpecAugment}
    found = chain(settings, kinds, sampling_rate).augmentations
    of_waveforms = [augmentation for augmentation in found if not isinstance(augmentation, SpecAugment)]
    of_spectrograms = [augmentation for augmentation in found if isinstance(augmentation, SpecAugment)]
    return (
        Chain(of_waveforms, sampling_rate) if of_waveforms else None,
        of_spectrograms[0] if of_spectrograms else None,
    )
