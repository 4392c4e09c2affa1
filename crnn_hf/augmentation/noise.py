"""Noise at a drawn distance below the speech: made here, or recorded."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from crnn_hf.audio import read_stretch
from crnn_hf.augmentation.band import fast_length
from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.level import amplitude, at_level, rms
from crnn_hf.augmentation.settings import check_probability, check_range

# Hz below which coloured noise does not get any stronger. A 1 / f^2 spectrum followed further down would be all rumble
# that no one hears, and the rest of it too weak to matter.
STRONGEST = 50.0
# Of a recording, at least so many seconds are read, however short the clip: to read less is no quicker.
SHORTEST_STRETCH = 0.1

# What recordings in a folder are called; all else in it, such as lists and licences, is passed over.
AUDIO = frozenset(
    (
        *(".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".avi", ".caf", ".flac", ".flv"),
        *(".m4a", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpeg", ".mpg", ".oga", ".ogg", ".opus", ".ra"),
        *(".rf64", ".snd", ".spx", ".sph", ".tta", ".voc", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wv"),
    )
)


@dataclass(frozen=True)
class ColouredNoise:
    """Add Gaussian noise whose power falls with frequency as 1 / f^exponent.

    Its spectrum is drawn at random (Timmer and Koenig, "On generating power law noise", 1995).

    Attributes:
        probability: how often it is applied.
        decibels: what the signal-to-noise ratio over the whole clip is drawn from, uniformly.
        exponent: likewise; 0 is white noise, 1 pink, 2 brown.
    """

    probability: float = 0.5
    decibels: tuple[float, float] = (5, 40)
    exponent: tuple[float, float] = (0, 2)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("decibels", self.decibels, lowest=-100, highest=200)
        check_range("exponent", self.exponent, lowest=-4, highest=4)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        decibels, exponent = rng.uniform(*self.decibels), rng.uniform(*self.exponent)
        return mixed(waveform, coloured_noise(len(waveform), sampling_rate, exponent, rng), decibels)


@dataclass(frozen=True)
class RecordedNoise:
    """Add a random stretch of a random recording, from its start again where it is too short.

    Attributes:
        probability: how often it is applied.
        folder: holds recordings, in subfolders too; the quickest are WAV and FLAC at the clips' sampling rate.
        decibels: what the signal-to-noise ratio over the whole clip is drawn from, uniformly.
    """

    probability: float
    folder: str
    decibels: tuple[float, float] = (0, 30)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("decibels", self.decibels, lowest=-100, highest=200)
        recordings_in(self.folder)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Change a waveform, (samples,). Raises AudioReadError for a recording that cannot be read."""
        paths = recordings_in(self.folder)
        path = paths[rng.integers(len(paths))]
        seconds = max(len(waveform) / sampling_rate, SHORTEST_STRETCH)
        noise = read_stretch(path.read_bytes(), seconds, rng.random(), sampling_rate, name=str(path))
        return mixed(waveform, np.resize(noise, len(waveform)), rng.uniform(*self.decibels))


def coloured_noise(samples: int, sampling_rate: int, exponent: float, rng: np.random.Generator) -> Waveform:
    """Noise, (samples,), of any level, its power 1 / f^exponent from 50 Hz on and even below that."""
    size = fast_length(samples)
    frequencies = np.fft.rfftfreq(size, 1 / sampling_rate).astype(np.float32)
    spectrum = rng.standard_normal(2 * len(frequencies), np.float32).view(np.complex64)
    spectrum *= np.maximum(frequencies / STRONGEST, 1) ** np.float32(-exponent / 2)
    spectrum[0] = 0
    return np.fft.irfft(spectrum, size)[:samples]


def mixed(waveform: Waveform, noise: Waveform, decibels: float) -> Waveform:
    """A waveform plus noise, both (samples,), at a signal-to-noise ratio; nothing is added to silence."""
    return waveform + at_level(noise, rms(waveform) * amplitude(-decibels))


def recordings_in(folder: str | Path) -> tuple[Path, ...]:
    """The recordings in a folder and its subfolders, in the order of their names; listed once a process.

    Raises:
        ValueError: `folder` is no folder, or there is no recording in it.
    """
    if not isinstance(folder, str | Path) or not Path(folder).is_dir():
        raise ValueError(f"folder must be an existing folder; found {folder!r}")
    return _listed(Path(folder))


@lru_cache
def _listed(folder: Path) -> tuple[Path, ...]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in AUDIO and path.is_file()]
    if not paths:
        raise ValueError(f"folder must hold recordings, such as .wav, .flac or .mp3; found none in {str(folder)!r}")
    return tuple(paths)
