"""From the scores of windows that overlap to one score for every step of the recording."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Timeline:
    """A score for every step of a recording.

    Attributes:
        step: in seconds.
        scores: (steps,), of the time from `step * index` to `step * (index + 1)`, the last one until the recording's
            end; NaN where no window that sounds lies.
        changes: (changes,), in seconds, in order: where windows end because the recording becomes another.
    """

    step: float
    scores: NDArray[np.float64]
    changes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def edge(self, index: int) -> float:
        """When it is that the steps from `index` on begin to have other scores than those before, in seconds.

        A step's score is that of its middle; so a change up to half a step away is what parts it from its neighbour.
        """
        place = self.step * index
        near = self.changes[np.abs(self.changes - place) <= self.step / 2]
        return float(near[np.argmin(np.abs(near - place))]) if len(near) else place


def join(
    starts: NDArray[np.float64],
    lengths: NDArray[np.float64],
    scores: NDArray[np.float64],
    step: float,
    duration: float,
    changes: NDArray[np.float64],
) -> Timeline:
    """The mean score of the windows over each step, each weighted by how near the step is to the window's middle.

    A window of length L weighs `1 - 2d / L` at a distance d from its middle, and 0 from its ends on: what lies at its
    edge has less of a part in its score's being what it is, and more of it is heard in the next window's middle. At
    the recording's ends, where one window alone may lie, its own weight is all there is.

    Args:
        starts, lengths: of each window, (windows,), in seconds.
        scores: of each window; NaN where a window has none.
        step: of the timeline, in seconds.
        duration: of the recording, in seconds.
        changes: as of a timeline; no window lies across one.
    """
    count = max(1, int(np.ceil(duration / step - 1e-9)))
    begins = np.arange(count) * step
    middles = (begins + np.minimum(begins + step, duration)) / 2
    total, weights = np.zeros(count), np.zeros(count)
    for start, length, score in zip(starts, lengths, scores, strict=True):
        if np.isnan(score):
            continue
        first, last = np.searchsorted(middles, [start, start + length])
        near = 1 - 2 * np.abs(middles[first:last] - (start + length / 2)) / length
        weight = np.maximum(near, 1e-6)
        total[first:last] += weight * score
        weights[first:last] += weight
    with np.errstate(invalid="ignore"):
        return Timeline(step, total / weights, changes)
