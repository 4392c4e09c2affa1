"""Intervals by the bootstrap, and differences between two detectors on the same clips."""

import numpy as np
import pytest

from crnn_hf.metrics import HEADLINE, bootstrap_intervals, compute_cm_metrics, equal_error_rate, paired_differences
from crnn_hf.metrics.confidence import paired_eer_differences
from crnn_hf.metrics.summary import Meter

RESAMPLES = 200


def parted_by_two(clips: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two normal distributions two deviations apart: the true EER is the normal tail beyond one, 15.87 %."""
    labels = np.arange(clips) % 2
    return np.random.default_rng(seed).normal(1.0 - 2.0 * labels), labels


def test_intervals_hold_the_figure_and_shrink_with_more_clips() -> None:
    widths = []
    for clips in (60, 1_500):
        scores, labels = parted_by_two(clips)
        intervals = bootstrap_intervals(scores, labels, resamples=RESAMPLES)
        assert tuple(intervals) == HEADLINE
        figures = compute_cm_metrics(scores, labels)
        for name, (lower, upper) in intervals.items():
            assert lower <= figures[name] <= upper
        assert intervals["eer"][0] < 0.1587 < intervals["eer"][1]
        widths.append(intervals["eer"][1] - intervals["eer"][0])
    assert widths[1] < widths[0] / 3


def test_intervals_hold_the_true_figure_about_as_often_as_they_say() -> None:
    held = 0
    for seed in range(40):
        scores, labels = parted_by_two(300, seed)
        lower, upper = bootstrap_intervals(scores, labels, resamples=100, confidence=0.8)["eer"]
        held += lower < 0.1587 < upper
    # 32 of 40 are expected, with a deviation of 2.5.
    assert 24 <= held <= 39


def test_the_same_seed_gives_the_same_intervals() -> None:
    scores, labels = parted_by_two(100)
    for groups in (None, [str(index // 10) for index in range(100)]):
        first, again, other = (
            bootstrap_intervals(scores, labels, groups=groups, resamples=50, seed=seed) for seed in (3, 3, 4)
        )
        assert first == again
        assert first != other


def test_more_confidence_makes_wider_intervals() -> None:
    scores, labels = parted_by_two(100)
    narrow, wide = (
        bootstrap_intervals(scores, labels, resamples=RESAMPLES, confidence=confidence)["cllr"]
        for confidence in (0.5, 0.95)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_an_interval_of_everything_goes_from_the_lowest_draw_to_the_highest() -> None:
    # One clip of each class: every draw is the sample itself.
    assert bootstrap_intervals([1.0, 0.0], [0, 1], resamples=5, confidence=1.0)["auc"] == (1, 1)


def test_intervals_by_speaker_are_wider_where_speakers_differ() -> None:
    rng = np.random.default_rng(0)
    speaker_of = np.repeat(np.arange(50), 20)
    labels = np.tile([0, 1], 500)
    groups = [f"T_{speaker:04d}" for speaker in speaker_of]
    ratio = {}
    for differ in (0, 1):
        # Where they differ, every second speaker's fakes are not told from real clips at all.
        scores = rng.normal((1.0 - 2.0 * labels) * (1 + differ * (-1.0) ** speaker_of))
        by_clip, by_speaker = (
            np.diff(bootstrap_intervals(scores, labels, groups=each, resamples=300)["auc"]) for each in (None, groups)
        )
        ratio[differ] = float(by_speaker[0] / by_clip[0])
    assert ratio[1] > 1.5
    assert 0.7 < ratio[0] < 1.4


def test_drawn_by_clip_there_are_as_many_of_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[np.ndarray] = []
    headline = Meter.headline
    monkeypatch.setattr(Meter, "headline", lambda meter, weights: drawn.append(weights) or headline(meter, weights))
    labels = np.array([0, 1, 1, 1, 0, 1])
    bootstrap_intervals(np.arange(6.0), labels, resamples=20)
    assert len(drawn) == 20
    for weights in drawn:
        assert weights[labels == 0].sum() == 2
        assert weights[labels == 1].sum() == 4


def test_groups_are_drawn_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[np.ndarray] = []
    headline = Meter.headline
    monkeypatch.setattr(Meter, "headline", lambda meter, weights: drawn.append(weights) or headline(meter, weights))
    groups = ["b", "a", "b", "c", "a", "b"]
    bootstrap_intervals(np.arange(6.0), [0, 1, 1, 1, 0, 0], groups=groups, resamples=20)
    for weights in drawn:
        by_group = [{weights[clip] for clip in range(6) if groups[clip] == name} for name in "abc"]
        assert all(len(found) == 1 for found in by_group)
        assert sum(found.pop() for found in by_group) == 3


def test_groups_without_a_name_are_a_group() -> None:
    scores, labels = parted_by_two(40)
    groups = ["a", None, "b", "c"] * 10
    named = bootstrap_intervals(
        scores, labels, groups=["None" if name is None else name for name in groups], resamples=5
    )
    assert bootstrap_intervals(scores, labels, groups=groups, resamples=5) == named


def test_groups_of_one_class_each_are_drawn_until_both_are_there() -> None:
    groups = ["a", "b", "c", "d"]
    intervals = bootstrap_intervals([1.0, 2.0, -1.0, -2.0], [0, 0, 1, 1], groups=groups, resamples=50)
    assert intervals["eer"] == (0, 0)


def test_identical_detectors_do_not_differ() -> None:
    scores, labels = parted_by_two(100)
    for found in paired_differences(scores, scores, labels, resamples=50).values():
        assert found.first == found.second
        assert (found.difference, found.lower, found.upper, found.p_value) == (0, 0, 0, 1)


def test_a_detector_that_is_better_is_told_from_chance() -> None:
    scores, labels = parted_by_two(400)
    noisy = scores + np.random.default_rng(5).normal(0, 1.5, len(scores))
    found = paired_differences(noisy, scores, labels, resamples=199)
    figures = compute_cm_metrics(noisy, labels), compute_cm_metrics(scores, labels)
    for name, (first, second, difference, lower, upper, p_value) in found.items():
        assert (first, second) == (figures[0][name], figures[1][name])
        assert difference == second - first
        assert lower <= difference <= upper
        assert 2 / 200 <= p_value <= 1
    assert found["eer"].upper < 0
    assert found["auc"].lower > 0
    # No draw went the other way: as small as 199 draws can tell.
    assert found["eer"].p_value == pytest.approx(2 / 200)
    backwards = paired_differences(scores, noisy, labels, resamples=199)
    assert backwards["eer"].p_value == found["eer"].p_value
    assert backwards["eer"].lower == pytest.approx(-found["eer"].upper)


def test_detectors_that_differ_by_chance_are_not_told_apart() -> None:
    scores, labels = parted_by_two(400)
    rng = np.random.default_rng(6)
    first, second = (scores + rng.normal(0, 0.5, len(scores)) for _ in range(2))
    found = paired_differences(first, second, labels, resamples=RESAMPLES)["eer"]
    assert found.lower < 0 < found.upper
    assert found.p_value > 0.05


def test_pairs_tell_a_difference_that_two_intervals_hide() -> None:
    scores, labels = parted_by_two(400)
    better = scores + 0.15 * (1 - 2 * labels)
    one, other = (bootstrap_intervals(each, labels, resamples=RESAMPLES)["auc"] for each in (scores, better))
    assert one[1] > other[0]
    assert paired_differences(scores, better, labels, resamples=RESAMPLES)["auc"].lower > 0


def test_differences_by_speaker() -> None:
    scores, labels = parted_by_two(400)
    # Only one speaker of four gains, so that drawing speakers leaves it open whether others would.
    groups = np.repeat(["a", "b", "c", "d"], 100)
    better = scores + 2.0 * (1 - 2 * labels) * (groups == "a")
    by_clip, by_speaker = (
        paired_differences(scores, better, labels, groups=each, resamples=RESAMPLES)["auc"] for each in (None, groups)
    )
    assert by_clip.p_value < 0.05 < by_speaker.p_value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [1, 1, 1]}, "found fakes only"),
        ({"groups": ["a", "b"]}, "^expected one group a clip; found 2 groups and 3 clips$"),
        ({"groups": ["a", "a", "a"]}, "^expected two groups or more of real clips to draw from; found 1$"),
        ({"resamples": 0}, "^expected one resample or more; found 0$"),
        ({"confidence": 95}, "^confidence must be above 0 and at most 1; found 95$"),
        ({"confidence": 0.0}, "^confidence must be above 0 and at most 1; found 0.0$"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments: dict, message: str) -> None:
    arguments = {"labels": [0, 1, 1], "resamples": 5, **arguments}
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals([1.0, 2.0, 3.0], **arguments)
    with pytest.raises(ValueError, match=message):
        paired_differences([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], **arguments)


def test_draws_without_one_class_are_drawn_again() -> None:
    # Two of 1,000 groups have the only real clips, which every seventh draw misses.
    labels = np.append([0, 0], np.ones(998, int))
    found = bootstrap_intervals(np.arange(1000.0), labels, groups=np.arange(1000).astype(str), resamples=50)
    assert found["auc"] == (0, 0)


def test_detectors_of_other_clips_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        paired_differences([1.0, 2.0, 3.0], [1.0, 2.0], [0, 1, 1], resamples=5)


def test_parts_differ_as_they_would_alone() -> None:
    scores, labels = parted_by_two(300)
    other = scores + np.random.default_rng(1).normal(0, 0.5, len(scores))
    parts = {"all": np.ones(len(scores), bool), "half": np.arange(len(scores)) % 4 < 2}
    by_part, mean = paired_eer_differences(scores, other, labels, parts, resamples=RESAMPLES)
    alone = paired_differences(scores, other, labels, resamples=RESAMPLES)["eer"]
    assert by_part["all"][:3] == alone[:3]
    assert by_part["all"][3:5] == pytest.approx(alone[3:5], abs=0.01)  # other draws
    of_half = [equal_error_rate(each[parts["half"]], labels[parts["half"]]) for each in (scores, other)]
    assert list(by_part["half"][:2]) == of_half
    assert mean.difference == pytest.approx(np.mean([found.difference for found in by_part.values()]))
    assert mean.lower < mean.difference < mean.upper


def test_the_mean_over_parts_knows_what_they_have_in_common() -> None:
    scores, labels = parted_by_two(300)
    other = scores + np.random.default_rng(1).normal(0, 0.5, len(scores))
    chosen = np.ones(len(scores), bool)
    by_part, mean = paired_eer_differences(scores, other, labels, {"a": chosen, "b": chosen}, resamples=RESAMPLES)
    assert by_part["a"] == by_part["b"] == mean


def test_a_speaker_without_clips_of_a_part_says_nothing_of_it() -> None:
    labels = np.array([0, 1] * 6)
    speakers = np.repeat(["a", "b", "c"], 4)
    first, second = np.where(labels, -1.0, 1.0), np.where(labels, 1.0, -1.0)
    parts = {name: speakers == name for name in "abc"}
    by_part, mean = paired_eer_differences(first, second, labels, parts, groups=speakers, resamples=RESAMPLES)
    assert [found[:5] for found in (*by_part.values(), mean)] == [(0, 1, 1, 1, 1)] * 4
    # As often as the part was drawn at all: two in three times.
    assert [found.p_value for found in by_part.values()] == pytest.approx([3 / RESAMPLES] * 3, rel=0.2)


def test_parts_without_both_classes_are_refused() -> None:
    scores, labels = [1.0, 2.0, 3.0], [0, 1, 1]
    with pytest.raises(ValueError, match="expected one part or more of the clips; found none"):
        paired_eer_differences(scores, scores, labels, {}, resamples=5)
    with pytest.raises(ValueError, match="found fakes only"):
        paired_eer_differences(scores, scores, labels, {"x": np.array([False, True, True])}, resamples=5)
