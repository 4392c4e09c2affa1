"""Changes of a clip that leave the voice as it is, or take a part of it away. The same clip always changes alike."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crnn_hf.augmentation.band import BandLimit
from crnn_hf.augmentation.chain import Augmentation, Waveform
from crnn_hf.augmentation.level import DirectCurrent, Gain, HighPass
from crnn_hf.augmentation.timing import room_tone, sounding

ADDED_SILENCE = 0.5  # seconds
CUT = 2.0  # seconds


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        kind: what it is a change of: "level", "silence", "length", "band width" or "DC", as measures are.
        title: what happens to the clip, such as "20 dB quieter".
        apply: (samples,), float32, and its rate in Hz to the changed waveform, with no randomness and no clipping.
        takes_voice: whether it takes a part of the voice away, and with it what may have given a fake away.
        can_apply: whether there is anything to change in such a waveform; by default there always is.
        otherwise: why there is not.
    """

    kind: str
    title: str
    apply: Callable[[Waveform, int], Waveform]
    takes_voice: bool = False
    can_apply: Callable[[Waveform, int], bool] | None = None
    otherwise: str = ""


def always(augmentation: Augmentation) -> Callable[[Waveform, int], Waveform]:
    """An augmentation as a change: what it draws from is one number, and its noise the same each time."""
    return lambda waveform, sampling_rate: augmentation(waveform, sampling_rate, np.random.default_rng(0))


def in_zeros(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The clip between zeros."""
    edge = np.zeros(round(ADDED_SILENCE * sampling_rate), np.float32)
    return np.concatenate([edge, waveform, edge])


def in_room_tone(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The clip between noise of the level and the colour of its quietest moment."""
    length = round(ADDED_SILENCE * sampling_rate)
    edges = room_tone(waveform, 2 * length, sampling_rate, np.random.default_rng(0))
    return np.concatenate([edges[:length], waveform, edges[length:]])


def trimmed(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The clip without the silence at its ends, as `sounding` finds it."""
    start, stop = sounding(waveform, sampling_rate)
    return waveform[start:stop]


def has_edge_silence(waveform: Waveform, sampling_rate: int) -> bool:
    """Whether there is silence at an end, 20 ms or more."""
    return sounding(waveform, sampling_rate) != (0, len(waveform))


def is_longer_than_cut(waveform: Waveform, sampling_rate: int) -> bool:
    """Whether cutting it to 2 s takes anything away."""
    return len(waveform) > round(CUT * sampling_rate)


def beginning(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The first 2 s."""
    return waveform[: round(CUT * sampling_rate)]


def middle(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The 2 s in the middle."""
    length = round(CUT * sampling_rate)
    start = (len(waveform) - length) // 2
    return waveform[start : start + length]


def twice(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The clip, and the clip again."""
    return np.concatenate([waveform, waveform])


def gain(decibels: float) -> Callable[[Waveform, int], Waveform]:
    """The clip so much louder."""
    return always(Gain(decibels=(decibels, decibels)))


def offset(constant: float) -> Callable[[Waveform, int], Waveform]:
    """The clip with a constant added; full scale is 1."""
    return always(DirectCurrent(offset=(constant, constant)))


def offset_removed(waveform: Waveform, sampling_rate: int) -> Waveform:
    """The clip without its mean."""
    return waveform - np.float32(waveform.mean(dtype=np.float64))


def low_pass(edge: float) -> Callable[[Waveform, int], Waveform]:
    """The clip without what is above a frequency in Hz; it fades out over a tenth of that, beyond it."""
    return always(BandLimit(low_hz=(0, 0), high_hz=(edge, edge)))


CHANGES = {
    "gain_-20_db": Change("level", "20 dB quieter", gain(-20)),
    "gain_-6_db": Change("level", "6 dB quieter", gain(-6)),
    "gain_+6_db": Change("level", "6 dB louder", gain(6)),
    "offset_removed": Change("DC", "its own offset removed", offset_removed),
    "offset_0.01": Change("DC", "0.01 added", offset(0.01)),
    "offset_0.05": Change("DC", "0.05 added", offset(0.05)),
    "zeros_added": Change("silence", "0.5 s of zeros at both ends", in_zeros),
    "room_tone_added": Change("silence", "0.5 s of its own noise at both ends", in_room_tone),
    "silence_trimmed": Change(
        "silence",
        "no silence at its ends",
        trimmed,
        can_apply=has_edge_silence,
        otherwise="has none there",
    ),
    "repeated": Change("length", "played twice", twice),
    "first_2_s": Change(
        "length",
        "its first 2 s",
        beginning,
        takes_voice=True,
        can_apply=is_longer_than_cut,
        otherwise="is no longer than that",
    ),
    "middle_2_s": Change(
        "length",
        "2 s from its middle",
        middle,
        takes_voice=True,
        can_apply=is_longer_than_cut,
        otherwise="is no longer than that",
    ),
    "low_pass_7_khz": Change("band width", "nothing above 7 kHz", low_pass(7_000), takes_voice=True),
    "low_pass_5_khz": Change("band width", "nothing above 5 kHz", low_pass(5_000), takes_voice=True),
    "low_pass_3.4_khz": Change("band width", "nothing above 3.4 kHz", low_pass(3_400), takes_voice=True),
    "high_pass_100_hz": Change("band width", "nothing below 100 Hz", always(HighPass(cutoff_hz=(100, 100)))),
}
