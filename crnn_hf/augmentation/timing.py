"""When the voice begins and ends, and how fast it speaks."""

import math
from dataclasses import dataclass

import numpy as np

from crnn_hf.audio import resample
from crnn_hf.augmentation.band import fast_length
from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.settings import check_probability, check_range

FRAME = 0.02  # seconds
# Power, relative to the loudest frame, from which a frame at an edge is kept: -40 dB.
KEPT = 1e-4
# Speeds are hundredths: of ratios with small terms the resampling filter is small too, and quickly made.
STEPS = 100


@dataclass(frozen=True)
class Shift:
    """Move the clip in time, at most by half its length; what leaves it at one end is lost.

    The gap at the other end is filled with noise of the level and the colour of the clip's quietest moment. Zeros
    would be an edge that no recording has, and what wraps around would be a cut in the middle of it.

    Attributes:
        probability: how often it is applied.
        seconds: what the shift is drawn from, uniformly; a positive one is towards later.
    """

    probability: float = 0.3
    seconds: tuple[float, float] = (-0.5, 0.5)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("seconds", self.seconds)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        length = len(waveform)
        later = round(rng.uniform(*self.seconds) * sampling_rate)
        later = max(-(length // 2), min(later, length // 2))
        gap = room_tone(waveform, abs(later), sampling_rate, rng)
        if later >= 0:
            return np.concatenate([gap, waveform[: length - later]])
        return np.concatenate([waveform[-later:], gap])


@dataclass(frozen=True)
class EdgeSilence:
    """Take away the silence at an end, or add some: for each end one of the two, either as often.

    Silence is what lies 40 dB or more below the loudest 20 ms of the clip. What is added is either zeros or noise as
    quiet as the clip's quietest moment, as often. The length changes.

    Attributes:
        probability: how often it is applied.
        seconds: what the length of an added silence is drawn from, uniformly.
    """

    probability: float = 0.5
    seconds: tuple[float, float] = (0, 0.5)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("seconds", self.seconds, lowest=0)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        start, stop = sounding(waveform, sampling_rate)
        is_trimmed, is_digital = rng.random(2) < 0.5, rng.random() < 0.5
        lengths = np.where(is_trimmed, 0, rng.uniform(*self.seconds, 2) * sampling_rate).round().astype(int)
        before, after = (
            np.zeros(length, np.float32) if is_digital else room_tone(waveform, length, sampling_rate, rng)
            for length in lengths
        )
        kept = waveform[start if is_trimmed[0] else 0 : stop if is_trimmed[1] else len(waveform)]
        return np.concatenate([before, kept, after])


@dataclass(frozen=True)
class Speed:
    """Play it faster or slower, which changes duration and pitch alike.

    After Ko et al. ("Audio augmentation for speech recognition", 2015).

    Attributes:
        probability: how often it is applied.
        factors: what the speed is drawn from, uniformly, and rounded to a hundredth; above 1 is faster, shorter and
            higher.
    """

    probability: float = 0.3
    factors: tuple[float, float] = (0.9, 1.1)

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_range("factors", self.factors, lowest=0.25, highest=4)

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        played = resample(waveform, round(rng.uniform(*self.factors) * STEPS), STEPS)
        return waveform.copy() if played is waveform else played


def sounding(waveform: Waveform, sampling_rate: int) -> tuple[int, int]:
    """From which sample to before which the clip, (samples,), is not silent; all of it where nothing is louder."""
    frames = _frames(waveform, sampling_rate)
    powers = np.square(frames).mean(axis=1)
    loud = np.flatnonzero(powers >= powers.max() * KEPT)
    # The rest behind the last whole frame goes with that frame.
    stop = len(waveform) if loud[-1] == len(frames) - 1 else (loud[-1] + 1) * frames.shape[1]
    return int(loud[0] * frames.shape[1]), int(stop)


def room_tone(waveform: Waveform, samples: int, sampling_rate: int, rng: np.random.Generator) -> Waveform:
    """Noise, (samples,), as loud as the quietest 20 ms of a clip, and of the same colour.

    White noise through a filter whose impulse response is that frame: power and spectrum are the frame's own.
    """
    frames = _frames(waveform, sampling_rate)
    quietest = frames[np.square(frames).mean(axis=1).argmin()]
    noise = rng.standard_normal(samples + len(quietest), np.float32)
    size = fast_length(len(noise))
    # Wrapped around, only as many samples at the start as the frame is long are wrong.
    tone = np.fft.irfft(np.fft.rfft(noise, size) * np.fft.rfft(quietest, size), size)[len(quietest) : len(noise)]
    return (tone / math.sqrt(len(quietest))).astype(np.float32)


def _frames(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The whole frames of a clip, (frames, samples); the clip itself where it is shorter than one."""
    size = min(len(waveform), max(1, round(FRAME * sampling_rate)))
    return waveform[: len(waveform) // size * size].reshape(-1, size)
