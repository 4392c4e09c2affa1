"""A recording in windows of one kind, and what becomes known of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.inference.recordings.sound import FRAME_SECONDS, Loudness, levels, newest_sounding, sounds_enough
from crnn_hf.inference.recordings.stretches import StretchWindower
from crnn_hf.inference.recordings.windows import Window, Windower


class Scale:
    """Cuts a recording into windows, tells which of them sound, and keeps their scores: some bytes for each."""

    def __init__(self, windower: Windower | StretchWindower, sampling_rate: int, least_sound: float) -> None:
        """`windower` has heard nothing yet; `least_sound` in seconds, below which a window is not to be counted."""
        self.windower = windower
        self.sampling_rate = sampling_rate
        self.least_sound = least_sound
        self.sounding_seconds = 0.0
        self._loudness = Loudness()
        self._starts: list[float] = []
        self._lengths: list[float] = []
        self._sounds: list[bool] = []
        self._scores: list[float] = []
        self._measured = 0  # samples whose sound was counted

    def push(self, samples: NDArray[np.float32]) -> list["Part"]:
        """The windows that these samples complete, to be scored."""
        return [self._part(window) for window in self.windower.push(samples)]

    def end(self) -> list["Part"]:
        """The last window of all."""
        return [self._part(window) for window in self.windower.end()]

    def note(self, index: int, score: float) -> None:
        """Keep the score of a window."""
        self._scores[index] = score

    @property
    def seconds(self) -> float:
        """How much was heard."""
        return self.windower.heard / self.sampling_rate

    @property
    def starts(self) -> NDArray[np.float64]:
        """Where each window begins, in seconds."""
        return np.array(self._starts)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """How long each window is, in seconds."""
        return np.array(self._lengths)

    def heard(self) -> NDArray[np.float64]:
        """The score of each window, NaN where too little sounds."""
        return np.where(self._sounds, self._scores, np.nan)

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Whether each window is one of those whose mean is that of the whole: if it sounds, or if none does."""
        sounds = np.array(self._sounds, bool)
        return sounds | ~sounds.any()

    def mean(self) -> float:
        """The mean score of the windows that count."""
        return float(np.mean(np.array(self._scores)[self.counts]))

    def _part(self, window: Window) -> "Part":
        sounding = self._loudness.sounding(levels(window.waveform, self.sampling_rate))
        seconds = len(window.waveform) / self.sampling_rate
        self._sounds.append(sounds_enough(sounding, seconds, self.least_sound))
        stop = window.start + len(window.waveform)
        newest = newest_sounding(sounding, stop - self._measured, self.sampling_rate)
        self.sounding_seconds += newest * FRAME_SECONDS
        self._measured = stop
        self._starts.append(window.start / self.sampling_rate)
        self._lengths.append(seconds)
        self._scores.append(np.nan)
        return Part(window.waveform, self, len(self._scores) - 1)


@dataclass(frozen=True)
class Part:
    """A window that waits for its score.

    Attributes:
        waveform: (samples,), float32.
        scale: that it belongs to.
        index: its place there.
    """

    waveform: NDArray[np.float32]
    scale: Scale
    index: int

    @property
    def is_whole(self) -> bool:
        """Whether it has the full length of a window, as all have but the only one of a shorter recording."""
        return len(self.waveform) == self.scale.windower.window

    def note(self, score: float) -> None:
        """Keep the score, in whatever order the windows come to be scored."""
        self.scale.note(self.index, score)
