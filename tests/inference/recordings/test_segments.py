"""A timeline becomes stretches of one verdict."""

from itertools import pairwise

import numpy as np
import pytest

from crnn_hf.inference.recordings.segments import segments
from crnn_hf.inference.recordings.timeline import Timeline


def label_of(score: float) -> str:
    return "fake" if score < -1 else "real" if score >= 1 else "unsure"


def found(scores: list[float], shortest: float = 1.0) -> list[tuple[int, int, str]]:
    timeline = Timeline(0.5, np.array(scores))
    return [(part.first, part.last, part.label) for part in segments(timeline, label_of, shortest)]


def test_runs() -> None:
    assert found([2, 2, 2, -2, -2, -2, -2, 0, 0, 0]) == [(0, 3, "real"), (3, 7, "fake"), (7, 10, "unsure")]


def test_a_run_too_short_joins_the_longer_neighbour() -> None:
    assert found([2, 2, 2, 2, -2, 2, 2, 2]) == [(0, 8, "real")]
    assert found([2, 2, 2, 2, 2, 0, -2, -2]) == [(0, 6, "real"), (6, 8, "fake")]


def test_a_joined_run_has_the_label_of_its_mean() -> None:
    assert found([1.1, 1.1, 1.1, -2, 1.1, 1.1]) == [(0, 4, "unsure"), (4, 6, "real")]


def test_silence_is_joined_to_nothing() -> None:
    nan = np.nan
    assert found([2, nan, 2, 2, 2]) == [(0, 1, "real"), (1, 2, "silence"), (2, 5, "real")]
    assert found([nan] * 3) == [(0, 3, "silence")]


def test_a_short_recording_is_one_segment() -> None:
    assert found([-2]) == [(0, 1, "fake")]


@pytest.mark.parametrize("seed", range(5))
def test_segments_cover_all_steps_and_are_long_enough(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 2, 200)
    parts = segments(Timeline(0.5, scores), label_of, 2.0)
    assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
    assert parts[-1].last == 200
    assert all(part.last - part.first >= 4 for part in parts)
    assert all(one.label != other.label for one, other in pairwise(parts))
    for part in parts:
        assert part.score == pytest.approx(scores[part.first : part.last].mean())
