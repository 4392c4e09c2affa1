"""How far measures tell the classes apart, alone and together."""

import numpy as np
import pytest

from crnn_hf.data.statistics import separation, separation_together


def test_the_better_direction_is_named() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    values = rng.normal(size=400) + 2 * labels
    fakes_higher, real_higher = separation(values, labels), separation(-values, labels)
    assert (fakes_higher.higher, real_higher.higher) == ("fake", "real")
    assert fakes_higher[:2] == real_higher[:2]
    # Two normal distributions of deviation 1, 2 apart: half of that is exceeded by 15.9 %.
    assert fakes_higher.eer == pytest.approx(0.159, abs=0.03)
    assert fakes_higher.interval[0] < fakes_higher.eer < fakes_higher.interval[1]


def test_chance_is_just_below_one_half() -> None:
    found = separation(np.random.default_rng(1).normal(size=400), np.arange(400) % 2)
    assert 0.45 < found.eer <= 0.5 < found.interval[1]


def test_measures_that_tell_nothing_alone_can_tell_much_together() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 2
    common = 10 * rng.normal(size=600)
    table = np.column_stack([common + 2 * labels, common + 0.5 * rng.normal(size=600), np.full(600, 7.0)])
    speakers = (np.arange(600) // 20).astype(str)
    assert separation(table[:, 0], labels).eer > 0.4
    together = separation_together(table, labels, speakers)
    # The difference of the first two has a deviation of 0.5 around means that are 2 apart: 2.3 %.
    assert together.eer == pytest.approx(0.023, abs=0.02)
    assert together.held_out == "speaker"


def test_what_tells_speakers_apart_does_not_tell_classes_apart() -> None:
    """Each speaker of a class has values of its own: whoever heard the others knows nothing of the one held out."""
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(40), 10)
    labels = speaker % 2
    table = rng.normal(size=(40, 15))[speaker]
    by_speaker = separation_together(table, labels, speaker.astype(str))
    by_clip = separation_together(table, labels, ["-"] * 400)
    assert by_clip.eer + 0.1 < by_speaker.eer
    assert (by_speaker.held_out, by_clip.held_out) == ("speaker", "clip")


def test_a_class_of_one_speaker_is_held_out_clip_by_clip() -> None:
    labels = np.repeat([0, 1], 20)
    speakers = ["S1"] * 20 + [f"S{number}" for number in range(2, 22)]
    together = separation_together(labels[:, None] + np.zeros((40, 1)), labels, speakers)
    assert (together.eer, together.held_out) == (0, "clip")


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 1, 1]])
def test_of_a_single_clip_none_can_be_held_out(labels: list[int]) -> None:
    assert separation_together(np.ones((len(labels), 2)), labels, ["-"] * len(labels)) is None


def test_outliers_do_not_break_the_regression() -> None:
    labels = np.arange(60) % 2
    table = np.column_stack([1e6 * (np.arange(60) == 0), labels * 1e-3, np.zeros(60)])
    assert separation_together(table, labels, ["-"] * 60).eer == 0
