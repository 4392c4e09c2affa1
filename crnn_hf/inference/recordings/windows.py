"""A recording of any length, in windows that overlap."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A stretch of a recording.

    Attributes:
        start: at which of the recording's samples it begins.
        waveform: its samples, (samples,), float32.
    """

    start: int
    waveform: Waveform


class Windower:
    """Cuts a recording that comes piece by piece into windows, and holds no more of it than a window's length.

    Windows begin every `step` samples. `end` gives one more where the recording goes on behind the last of them: it
    ends with the recording, so that every sample is in some window. A recording shorter than a window is one, whole.
    """

    def __init__(self, window: int, step: int) -> None:
        """Both in samples.

        Raises:
            ValueError: not 1 <= step <= window.
        """
        if not 1 <= step <= window:
            raise ValueError(f"expected 1 <= step <= window, in samples; found a step of {step}, a window of {window}")
        self.window = window
        self.step = step
        self.heard = 0
        self._next_start = 0
        self._held = np.zeros(0, np.float32)  # the samples from `heard - len(held)` on

    def push(self, samples: Waveform) -> list[Window]:
        """The windows that these samples, (samples,), complete."""
        held = np.concatenate([self._held, samples])
        first = self.heard - len(self._held)
        self.heard += len(samples)
        found = []
        while self._next_start + self.window <= self.heard:
            begin = self._next_start - first
            found.append(Window(self._next_start, held[begin : begin + self.window]))
            self._next_start += self.step
        # The last window of all may begin up to a window's length before the end.
        self._held = held[max(0, len(held) - self.window) :].copy()
        return found

    def end(self) -> list[Window]:
        """The window that ends with the recording, unless the last one did; none for a recording of no samples."""
        covered = self._next_start - self.step + self.window if self._next_start else 0
        if covered >= self.heard:
            return []
        return [Window(self.heard - len(self._held), self._held)]


def windows(blocks: Iterable[Waveform], window: int, step: int) -> Iterator[list[Window]]:
    """The windows that each block of a recording completes, and at the end the last; lists may be empty.

    Args:
        blocks: of the recording, (samples,) each, of any length.
        window, step: as [`Windower`].
    """
    windower = Windower(window, step)
    for block in blocks:
        # A block may be an hour; the windows of a stretch are all that is held at once.
        for begin in range(0, len(block), 4 * window):
            yield windower.push(block[begin : begin + 4 * window])
    yield windower.end()
