"""A recording as it is heard: block by block, at two scales, without keeping it.

The verdict on the whole comes from windows as long as the stretches that training hears. The timeline comes from what
lies between one change of voice, room or microphone and the next: of that, if it is no longer, a window alone, else
shorter windows, which tell better where something is fake and worse whether. A recording no longer than one of the
former is heard once, as a whole, lest its parts contradict it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedConfig

from crnn_hf.inference.recordings.result import describe
from crnn_hf.inference.recordings.scale import Part, Scale
from crnn_hf.inference.recordings.stretches import StretchWindower
from crnn_hf.inference.recordings.timeline import Timeline, join
from crnn_hf.inference.recordings.windows import Windower


@dataclass(frozen=True)
class Listening:
    """How recordings are listened to. All in seconds.

    Attributes:
        whole_window: length of the windows whose mean score is that of the whole. They overlap by half.
        window: length of the windows that the timeline is made of, where nothing changes for longer than
            `whole_window`. They overlap by half; and it is how much of a stream its latest score is of.
        step: of the timeline, and from one of a stream's latest scores to the next.
        least_sound: of sound, below which a window is left out, and a recording is "unsure".
        shortest: below which a stretch with a verdict of its own is joined to its neighbour.
    """

    whole_window: float = 4.0
    window: float = 2.0
    step: float = 0.5
    least_sound: float = 0.5
    shortest: float = 1.0

    def __post_init__(self) -> None:
        for name in ("whole_window", "window", "step", "shortest"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds; found {getattr(self, name)!r}")
        if not self.step <= self.window <= self.whole_window:
            raise ValueError(
                f"expected step <= window <= whole_window; found {self.step:g}, {self.window:g} and "
                f"{self.whole_window:g} s"
            )
        if not 0 <= self.least_sound <= self.window:
            raise ValueError(f"least_sound must be from 0 to {self.window:g} s, a window; found {self.least_sound!r}")

    def windowers(self, sampling_rate: int) -> tuple[Windower, StretchWindower]:
        """For the windows of the whole, and for those of the timeline."""
        whole, window = (round(seconds * sampling_rate) for seconds in (self.whole_window, self.window))
        return Windower(whole, max(1, whole // 2)), StretchWindower(window, whole, sampling_rate)


class Hearing:
    """One recording. `hear` its blocks, then `end` it; score the parts that they give; then ask for the `result`."""

    def __init__(self, sampling_rate: int, listening: Listening) -> None:
        self.listening = listening
        of_whole, self._stretches = listening.windowers(sampling_rate)
        self._whole = Scale(of_whole, sampling_rate, listening.least_sound)
        self._timeline = Scale(self._stretches, sampling_rate, listening.least_sound)
        self._waiting: list[Part] = []  # of the timeline, until it is known that there is to be one

    @property
    def _is_short(self) -> bool:
        return self._whole.seconds <= self.listening.whole_window

    def hear(self, block: NDArray[np.float32]) -> list[Part]:
        """The windows that a block, (samples,), completes, as far as they are to be scored."""
        whole = self._whole.push(block)
        self._waiting += self._timeline.push(block)
        return whole if self._is_short else whole + self._released()

    def end(self) -> list[Part]:
        """The last windows of all."""
        whole = self._whole.end()
        if self._is_short:
            return whole
        self._waiting += self._timeline.end()
        return whole + self._released()

    def _released(self) -> list[Part]:
        released, self._waiting = self._waiting, []
        return released

    def timeline(self) -> Timeline:
        """The scores step by step, once every part has its score."""
        parts = self._whole if self._is_short else self._timeline
        changes = np.array(self._stretches.changes, np.float64) / parts.sampling_rate
        return join(parts.starts, parts.lengths, parts.heard(), self.listening.step, parts.seconds, changes)

    def result(
        self, config: PreTrainedConfig, threshold: float | str | None = None, prior_of_fake: float = 0.5
    ) -> dict[str, Any]:
        """All there is to say, once every part has its score; see [`crnn_hf.inference.recordings.result.describe`]."""
        return describe(
            self._whole.mean(),
            self.timeline(),
            self._whole.seconds,
            self._whole.sounding_seconds,
            config,
            least_sound=self.listening.least_sound,
            shortest=self.listening.shortest,
            threshold=threshold,
            prior_of_fake=prior_of_fake,
        )
