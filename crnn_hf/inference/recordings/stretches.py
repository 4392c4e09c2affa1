"""A recording in windows none of which lies across a change of voice, room or microphone."""

import numpy as np

from crnn_hf.inference.recordings.changes import ChangeFinder
from crnn_hf.inference.recordings.windows import Waveform, Window, Windower


class StretchWindower:
    """Cuts a recording that comes piece by piece where it changes, and what lies between two changes into windows.

    A stretch no longer than `longest` is one window. A longer one has windows that overlap by half, as a whole
    recording has of a [`Windower`]. What is held is a stretch that may yet be short, and what may yet be a change:
    some 30 seconds.

    Attributes:
        heard: samples so far.
        changes: the first sample of each stretch but the first one.
    """

    def __init__(self, window: int, longest: int, sampling_rate: int) -> None:
        """`window` and `longest` in samples."""
        self.window = window
        self.longest = longest
        self.heard = 0
        self.changes: list[int] = []
        self._finder = ChangeFinder(sampling_rate)
        self._start = 0  # of the present stretch
        self._windower: Windower | None = None  # of it, once it is known to be long
        self._held = np.zeros(0, np.float32)  # the samples that are in no window and no windower

    def push(self, samples: Waveform) -> list[Window]:
        """The windows that become certain by these samples, (samples,)."""
        self.heard += len(samples)
        self._held = np.concatenate([self._held, samples])
        found = self._stretches_until(self._finder.push(samples))
        if self._finder.settled - self._start > self.longest:
            found += self._go_on(self._finder.settled)
        return found

    def end(self) -> list[Window]:
        """The windows that are left; none for a recording of no samples."""
        found = self._stretches_until(self._finder.end())
        return found + (self._stretch_until(self.heard) if self.heard > self._start else [])

    def _stretches_until(self, changes: list[int]) -> list[Window]:
        """The windows that are left of the stretches that end at these changes."""
        self.changes += changes
        return [window for change in changes for window in self._stretch_until(change)]

    def _stretch_until(self, sample: int) -> list[Window]:
        """The windows that are left of the present stretch, which ends there."""
        if sample - self._start <= self.longest:
            found = [Window(self._start, self._take(sample))]
        else:
            found = self._go_on(sample) + self._shifted(self._windower.end())
        self._start, self._windower = sample, None
        return found

    def _go_on(self, sample: int) -> list[Window]:
        """The windows of the present stretch, which is long, that end before that sample."""
        if self._windower is None:
            self._windower = Windower(self.window, max(1, self.window // 2))
        return self._shifted(self._windower.push(self._take(sample)))

    def _take(self, sample: int) -> Waveform:
        """What is held of the samples before this one."""
        count = sample - (self.heard - len(self._held))
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _shifted(self, windows: list[Window]) -> list[Window]:
        """Windows of the present stretch as windows of the recording."""
        return [Window(self._start + window.start, window.waveform) for window in windows]
