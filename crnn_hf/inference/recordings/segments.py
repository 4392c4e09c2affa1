"""From a timeline to stretches of one verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from crnn_hf.inference.recordings.timeline import Timeline

SILENCE = "silence"


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording with one verdict.

    Attributes:
        first, last: of its steps, the first and the one behind the last.
        label: "real", "fake", "unsure", or "silence" where too little sounds to be scored.
        score: the mean of its steps' scores; NaN of silence.
    """

    first: int
    last: int
    label: str
    score: float


def segments(timeline: Timeline, label_of: Callable[[float], str], shortest: float) -> list[Segment]:
    """The runs of steps with the same label, the shortest first joined to the longer of their neighbours.

    Args:
        timeline: of the recording.
        label_of: the label of a score.
        shortest: seconds; no run is left that is shorter, unless it is all there is, or silence is what it adjoins.
    """
    runs = _runs([SILENCE if np.isnan(score) else label_of(score) for score in timeline.scores])
    found = [_scored(timeline, Segment(first, last, label, np.nan), label_of) for first, last, label in runs]
    while (index := _too_short(found, shortest / timeline.step)) is not None:
        neighbour = _neighbour(found, index)
        begin, end = min(index, neighbour), max(index, neighbour)
        joined = _scored(timeline, replace(found[begin], last=found[end].last), label_of)
        found = _fused(timeline, [*found[:begin], joined, *found[end + 1 :]], label_of)
    return found


def _runs(labels: list[str]) -> list[tuple[int, int, str]]:
    edges = [0, *(place for place in range(1, len(labels)) if labels[place] != labels[place - 1]), len(labels)]
    return [(first, last, labels[first]) for first, last in pairwise(edges)]


def _scored(timeline: Timeline, segment: Segment, label_of: Callable[[float], str]) -> Segment:
    """The segment with the mean of its steps' scores, and the label of that."""
    if segment.label == SILENCE:
        return segment
    score = float(np.mean(timeline.scores[segment.first : segment.last]))
    return replace(segment, label=label_of(score), score=score)


def _too_short(found: list[Segment], steps: float) -> int | None:
    """The shortest run below so many steps that has a neighbour to be joined to."""
    candidates = [
        (segment.last - segment.first, index)
        for index, segment in enumerate(found)
        if segment.label != SILENCE and segment.last - segment.first < steps and _neighbour(found, index) is not None
    ]
    return min(candidates)[1] if candidates else None


def _neighbour(found: list[Segment], index: int) -> int | None:
    """The longer of the runs on either side that are not silence."""
    sides = [side for side in (index - 1, index + 1) if 0 <= side < len(found) and found[side].label != SILENCE]
    return max(sides, key=lambda side: found[side].last - found[side].first, default=None)


def _fused(timeline: Timeline, found: list[Segment], label_of: Callable[[float], str]) -> list[Segment]:
    """Runs next to each other that have come to have the same label, as one."""
    fused: list[Segment] = []
    for segment in found:
        if fused and fused[-1].label == segment.label:
            segment = _scored(timeline, replace(fused.pop(), last=segment.last), label_of)
        fused.append(segment)
    return fused
