"""What augmentations do to a recording, to be heard and seen."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import soundfile

from crnn_hf.augmentation.chain import Augmentation, Waveform
from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor

ORIGINAL = "original"
LONGEST = 10.0  # seconds of a recording that are shown


def needs_no_files(kind: type[Augmentation]) -> bool:
    """Whether an augmentation can be made without being told where recordings lie."""
    return all(field.default is not MISSING for field in fields(kind))


def write_examples(
    waveform: Waveform, sampling_rate: int, augmentations: Mapping[str, Augmentation], folder: Path, seed: int = 0
) -> list[Path]:
    """Write a recording and what each augmentation makes of it, as FLAC and as a picture of its log-mel spectrogram.

    Args:
        waveform: mono, (samples,); no more than its first ten seconds are used.
        sampling_rate: in Hz.
        augmentations: by the name that the files are to have. Each is applied, whatever its probability.
        folder: is made; files of the same names are overwritten.
        seed: of what the augmentations draw.

    Returns:
        The files, a sound and a picture of each in turn.
    """
    waveform = waveform[: round(LONGEST * sampling_rate)]
    heard = {ORIGINAL: waveform}
    for name, augmentation in augmentations.items():
        heard[name] = augmentation(waveform, sampling_rate, np.random.default_rng(seed))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, sound in heard.items():
        written += [folder / f"{name}.flac", folder / f"{name}.png"]
        soundfile.write(written[-2], np.clip(sound, -1, 1), sampling_rate)
        _draw(written[-1], {ORIGINAL: waveform, name: sound}, sampling_rate)
    return written


def _draw(path: Path, sounds: Mapping[str, Waveform], sampling_rate: int) -> None:
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    extractor = CRNNFeatureExtractor(sampling_rate=sampling_rate, normalization=None)
    figure = Figure(figsize=(10, 2 + 2 * len(sounds)), dpi=100, layout="constrained")
    axes = figure.subplots(len(sounds), 1, sharex=True, squeeze=False)[:, 0]
    spectrograms = {
        name: extractor(sound, sampling_rate=sampling_rate, return_tensors="np")["input_features"][0].T
        for name, sound in sounds.items()
    }
    lowest = min(spectrogram.min() for spectrogram in spectrograms.values())
    highest = max(spectrogram.max() for spectrogram in spectrograms.values())
    for one, (name, spectrogram) in zip(axes, spectrograms.items(), strict=True):
        seconds = len(sounds[name]) / sampling_rate
        extent = (0, seconds, 0, len(spectrogram))
        one.imshow(spectrogram, origin="lower", aspect="auto", extent=extent, vmin=lowest, vmax=highest, cmap="magma")
        one.set(title=name, ylabel="mel band")
    axes[-1].set_xlabel("time [s]")
    figure.savefig(path, metadata={"Software": None})
