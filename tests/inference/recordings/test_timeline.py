"""The scores of overlapping windows become one score a step."""

import numpy as np
import pytest

from crnn_hf.inference.recordings.timeline import Timeline, join

NOWHERE = np.zeros(0)


def joined(scores: list[float], duration: float = 5.0) -> np.ndarray:
    starts = np.arange(len(scores)) * 0.5
    return join(starts, np.full(len(scores), 2.0), np.array(scores), 0.5, duration, NOWHERE).scores


def test_a_constant_stays() -> None:
    assert joined([3.0] * 7) == pytest.approx([3.0] * 10)


def test_a_change_is_where_it_is() -> None:
    scores = joined([1.0] * 10 + [-1.0] * 10, duration=11.5)
    # The windows from 5 s on are the others; halfway between the two kinds' middles lies 5.75 s.
    assert (scores[:11] > 0).all()
    assert (scores[12:] < 0).all()
    assert scores == pytest.approx(-scores[::-1])


def test_a_window_without_score_counts_for_nothing() -> None:
    assert joined([1.0, np.nan, 1.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx([1.0] * 10)
    lone = join(np.array([0.0, 4.0]), np.array([2.0, 2.0]), np.array([np.nan, 1.0]), 0.5, 6.0, NOWHERE).scores
    assert np.isnan(lone).tolist() == [True] * 8 + [False] * 4


@pytest.mark.parametrize(("duration", "steps"), [(0.001, 1), (0.5, 1), (0.51, 2), (3.6, 8)])
def test_steps_reach_to_the_end(duration: float, steps: int) -> None:
    scores = join(np.array([0.0]), np.array([duration]), np.array([2.0]), 0.5, duration, NOWHERE).scores
    assert scores == pytest.approx([2.0] * steps)


def test_a_segment_begins_at_the_change_that_parts_its_steps() -> None:
    timeline = Timeline(0.5, np.zeros(10), np.array([1.2, 1.3, 3.75, 4.9]))
    assert [timeline.edge(index) for index in (0, 2, 3, 7, 8, 9, 10)] == [0.0, 1.2, 1.3, 3.75, 3.75, 4.5, 4.9]
    assert Timeline(0.5, np.zeros(10)).edge(3) == 1.5
