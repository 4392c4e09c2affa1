"""What is known of a live recording so far, for any model: scores of windows, of which a few seconds are held."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crnn_hf.inference.recordings.hearing import Listening
from crnn_hf.inference.recordings.sound import FRAME_SECONDS, Loudness, levels, newest_sounding, sounds_enough
from crnn_hf.inference.recordings.windows import Window, Windower

Waveform = NDArray[np.float32]


@dataclass(frozen=True)
class Standing:
    """Scores so far.

    Attributes:
        seconds: how much they are of.
        sounding_seconds: how much of that is no pause.
        whole: of all that was heard; NaN before the first step is full.
        latest: of the last window of the timeline.
    """

    seconds: float
    sounding_seconds: float
    whole: float
    latest: float


NOTHING = Standing(0.0, 0.0, np.nan, np.nan)


class RunningMean:
    """The mean score of windows that sound; of all of them where none does."""

    def __init__(self) -> None:
        self.sounding = 0
        self.count = 0
        self._sounding_total = 0.0
        self._total = 0.0

    def add(self, score: float, sounds: bool) -> None:
        """Take in the score of a window."""
        self.count += 1
        self._total += score
        self.sounding += sounds
        self._sounding_total += score * sounds

    def with_last(self, score: float, sounds: bool) -> float:
        """The mean if one more window is taken in."""
        sounding = self.sounding + sounds
        if sounding:
            return (self._sounding_total + score * sounds) / sounding
        return (self._total + score) / (self.count + 1)

    def value(self) -> float:
        """The mean so far."""
        return self._sounding_total / self.sounding if self.sounding else self._total / self.count


@dataclass(frozen=True)
class Due:
    """A window that waits for its score: what it is to be taken for, and whether it sounds."""

    waveform: Waveform
    kind: str  # "whole", "end" or "latest"
    sounds: bool


class Running:
    """A live recording. After each `step` of it stands what the detection pipeline says of all until there.

    `push` gives the windows that are due, in order; `note` takes their scores. Neither keeps more than a window.
    """

    def __init__(self, sampling_rate: int, listening: Listening) -> None:
        self.sampling_rate = sampling_rate
        self.listening = listening
        whole, window, step = (
            round(seconds * sampling_rate) for seconds in (listening.whole_window, listening.window, listening.step)
        )
        self._step = step
        self._whole, self._latest = Windower(whole, max(1, whole // 2)), Windower(window, step)
        self._loudness = Loudness()
        self._mean = RunningMean()
        self._sounding_frames = 0  # in the whole windows
        self._newest_frames = 0  # that sound after the last of them
        self._measured = 0
        self._rest = np.zeros(0, np.float32)  # of a step that is not full yet
        self.standing = NOTHING

    def push(self, samples: Waveform) -> list[Due]:
        """The windows that these samples, (samples,), bring about."""
        held = np.concatenate([self._rest, samples])
        steps = len(held) // self._step
        self._rest = held[steps * self._step :].copy()
        if steps == 0:
            return []
        due: list[Due] = []
        # Step by step, as loudness is followed in the order of the windows.
        for index in range(steps):
            block = held[index * self._step : (index + 1) * self._step]
            due += [self._heard(window) for window in self._whole.push(block)]
            due += [_latest(window) for window in self._latest.push(block)]
        # Before the first window of the timeline is full, the latest is what there is.
        first = self._latest.end() if self._latest.heard < self._latest.window else []
        return due + [self._unfinished(window) for window in self._whole.end()] + [_latest(window) for window in first]

    def end(self) -> list[Due]:
        """The windows that are due because the recording ends here: of what is left of a step, if anything is."""
        block, self._rest = self._rest, np.zeros(0, np.float32)
        if len(block) == 0:
            return []
        due = [self._heard(window) for window in self._whole.push(block)]
        due += [_latest(window) for window in self._latest.push(block)]
        due += [self._unfinished(window) for window in self._whole.end()]
        return due + [_latest(window) for window in self._latest.end()]

    def _heard(self, window: Window) -> Due:
        """A window of the whole that is full."""
        due, newest = self._due(window, "whole", self._loudness)
        self._sounding_frames, self._newest_frames = self._sounding_frames + newest, 0
        self._measured = window.start + len(window.waveform)
        return due

    def _unfinished(self, window: Window) -> Due:
        """What there is since the last of them, which is judged again with more of the recording."""
        due, self._newest_frames = self._due(window, "end", Loudness(self._loudness.loudest))
        return due

    def _due(self, window: Window, kind: str, loudness: Loudness) -> tuple[Due, int]:
        """A window of the whole, and how many of its frames that sound lie behind the last full one."""
        sounding = loudness.sounding(levels(window.waveform, self.sampling_rate))
        seconds = len(window.waveform) / self.sampling_rate
        newest = window.start + len(window.waveform) - self._measured
        due = Due(window.waveform, kind, sounds_enough(sounding, seconds, self.listening.least_sound))
        return due, newest_sounding(sounding, newest, self.sampling_rate)

    def note(self, due: list[Due], scores: NDArray[np.float64]) -> Standing:
        """Take in the scores of what was due, and tell what stands now."""
        if not due:
            return self.standing
        latest, last = self.standing.latest, None
        for window, score in zip(due, scores, strict=True):
            if window.kind == "whole":
                self._mean.add(float(score), window.sounds)
            elif window.kind == "end":
                last = (float(score), window.sounds)
            else:
                latest = float(score)
        self.standing = Standing(
            seconds=self._whole.heard / self.sampling_rate,
            sounding_seconds=(self._sounding_frames + self._newest_frames) * FRAME_SECONDS,
            whole=self._mean.value() if last is None else self._mean.with_last(*last),
            latest=latest,
        )
        return self.standing


def _latest(window: Window) -> Due:
    """A window of the timeline, which counts whether it sounds or not."""
    return Due(window.waveform, "latest", True)
