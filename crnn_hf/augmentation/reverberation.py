"""Rooms: made here, or measured."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.augmentation.band import fast_length
from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.level import SILENT, amplitude, at_level, rms
from crnn_hf.augmentation.noise import recordings_in
from crnn_hf.augmentation.settings import check_probability, check_range

# Between the direct sound and the first reflection, and until single reflections blur into one another, in seconds.
FIRST_REFLECTION, LAST_REFLECTION = 0.002, 0.05
REFLECTIONS = (3, 12)
# How much of the reflected energy is in single reflections.
EARLY_SHARE = (0.1, 0.5)
# Walls and air swallow high frequencies: where reflected sound has lost 3 dB, in Hz.
DAMPING = (2_000, 8_000)


@dataclass(frozen=True)
class Reverberation:
    """Put the voice into a room that is made up: a few reflections, then noise that decays exponentially.

    After Moorer ("About this reverberation business", 1979). The direct sound stays where it is, the level of the
    whole and the length as they are.

    Attributes:
        probability: how often it is applied.
        seconds: what the time in which the reverberation falls by 60 dB is drawn from, uniformly.
        decibels: likewise the energy of the direct sound relative to that of all that is reflected.
    """

    probability: float = 0.3
    seconds: tuple[float, float] = (0.1, 0.8)
    decibels: tuple[float, float] = (0, 20)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("seconds", self.seconds, lowest=0.02, highest=20)
        check_range("decibels", self.decibels, lowest=-100, highest=100)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        seconds, decibels = rng.uniform(*self.seconds), rng.uniform(*self.decibels)
        reflections = reflected(seconds, sampling_rate, rng)
        size = fast_length(len(waveform) + len(reflections))
        response = np.fft.rfft(reflections, size)
        response *= _low_pass(np.fft.rfftfreq(size, 1 / sampling_rate), rng.uniform(*DAMPING), sampling_rate)
        response *= amplitude(-decibels) / math.sqrt(_energy(response, size))
        return _in_room(waveform, 1 + response, size, 0)


@dataclass(frozen=True)
class RecordedReverberation:
    """Put the voice into a random one of the rooms whose impulse responses a folder holds.

    The strongest peak of the response is taken for the direct sound, which stays where it is. The level of the whole
    and the length stay too.

    Attributes:
        probability: how often it is applied.
        folder: holds impulse responses, in subfolders too; the quickest are at the clips' sampling rate.
    """

    probability: float
    folder: str

    def __post_init__(self) -> None:
        check_probability(self.probability)
        recordings_in(self.folder)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Change a waveform, (samples,). Raises AudioReadError for a response that cannot be read or is silent."""
        paths = recordings_in(self.folder)
        path = paths[rng.integers(len(paths))]
        response = read_audio(path, sampling_rate)
        magnitudes = np.abs(response)
        if magnitudes.max() < SILENT:
            raise AudioReadError(str(path), "silent; expected an impulse response")
        size = fast_length(len(waveform) + len(response))
        return _in_room(waveform, np.fft.rfft(response, size), size, int(magnitudes.argmax()))


def reflected(seconds: float, sampling_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """What a room adds to an impulse at time zero, (samples,), of energy 1.

    Args:
        seconds: in which it falls by 60 dB, and which it lasts.
        sampling_rate: in Hz.
        rng: draws the reflections.
    """
    samples = math.ceil(seconds * sampling_rate)
    decay = amplitude(-60) ** (np.arange(samples, dtype=np.float32) / np.float32(seconds * sampling_rate))
    first = math.ceil(FIRST_REFLECTION * sampling_rate)
    last = math.ceil(min(LAST_REFLECTION, seconds / 2) * sampling_rate)
    at = rng.integers(first, last, rng.integers(*REFLECTIONS, endpoint=True), endpoint=True)
    early = np.zeros(samples, np.float32)
    early[at] = rng.uniform(0.3, 1, len(at)) * rng.choice([-1, 1], len(at))
    late = rng.standard_normal(samples, np.float32)
    late[:first] = 0
    share = rng.uniform(*EARLY_SHARE)
    return _of_energy(share, early * decay) + _of_energy(1 - share, late * decay)


def _in_room(waveform: Waveform, response: NDArray[np.complexfloating], size: int, delay: int) -> Waveform:
    """A waveform, (samples,), through a room's response, (size / 2 + 1,), whose direct sound comes `delay` late."""
    heard = np.fft.irfft(np.fft.rfft(waveform, size) * response, size)[delay : delay + len(waveform)]
    return at_level(heard.astype(np.float32), rms(waveform))


def _low_pass(frequencies: NDArray[np.floating], cutoff: float, sampling_rate: int) -> NDArray[np.complex64]:
    """The response of a causal low-pass filter of first order at each of the frequencies, (bins,), all in Hz."""
    kept = math.exp(-2 * math.pi * cutoff / sampling_rate)
    return ((1 - kept) / (1 - kept * np.exp(-2j * np.pi / sampling_rate * frequencies))).astype(np.complex64)


def _of_energy(energy: float, response: NDArray[np.float32]) -> NDArray[np.float32]:
    return response * np.float32(math.sqrt(energy / (response @ response)))


def _energy(spectrum: NDArray[np.complexfloating], size: int) -> float:
    """The sum of squares of what has this spectrum, (size / 2 + 1,), by Parseval's theorem."""
    powers = np.square(np.abs(spectrum), dtype=np.float64)
    return (2 * powers.sum() - powers[0] - (powers[-1] if size % 2 == 0 else 0)) / size
