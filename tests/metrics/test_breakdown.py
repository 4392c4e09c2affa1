"""Figures by attack, codec and whatever else a column says."""

import numpy as np
import pytest

from crnn_hf.metrics import breakdown, compute_cm_metrics, eer_matrix, length_buckets, macro_average
from crnn_hf.metrics.breakdown import Group, describes_fakes
from crnn_hf.metrics.summary import Meter

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
SCORES = np.array([4.0, 3.0, 2.0, -1.0, 1.0, -2.0, -3.0, 5.0, 2.5, -4.0])
ATTACKS = ["bonafide"] * 4 + ["A02", "A01", "A01", "A02", "A02", "A01"]
CODECS = ["C1", "C1", "C2", "C2", "C1", "C1", "C2", "C2", "C2", "C3"]


def test_values_of_both_classes_make_groups_of_their_own_clips() -> None:
    groups = breakdown(SCORES, LABELS, CODECS)
    assert [(group.name, group.real, group.fake) for group in groups] == [("C1", 2, 2), ("C2", 2, 3), ("C3", 0, 1)]
    for group, chosen in zip(groups[:2], (np.array(CODECS) == "C1", np.array(CODECS) == "C2"), strict=True):
        assert group.metrics == Meter(SCORES[chosen], LABELS[chosen]).headline()
        assert group.eer_interval is None


def test_values_of_the_fakes_alone_make_groups_against_all_real_clips() -> None:
    groups = breakdown(SCORES, LABELS, ATTACKS)
    assert [(group.name, group.real, group.fake) for group in groups] == [("A01", 4, 3), ("A02", 4, 3)]
    for group in groups:
        chosen = (LABELS == 0) | (np.array(ATTACKS) == group.name)
        assert group.metrics == Meter(SCORES[chosen], LABELS[chosen]).headline()
    # All of A01 lie below all real clips; of A02 all but one above the lowest and one above all.
    assert [group.metrics["auc"] for group in groups if group.metrics] == [1, pytest.approx((3 + 0 + 2) / 12)]


def test_one_shared_value_is_enough_to_hold_clips_against_their_like() -> None:
    assert describes_fakes(LABELS == 1, ATTACKS)
    assert not describes_fakes(LABELS == 1, CODECS)
    attacks = ["A01", *ATTACKS[1:]]
    assert not describes_fakes(LABELS == 1, attacks)
    found = {group.name: (group.real, group.fake) for group in breakdown(SCORES, LABELS, attacks)}
    assert found == {"A01": (1, 3), "A02": (0, 3), "bonafide": (3, 0)}


def test_a_group_of_one_class_has_counts_and_no_figures() -> None:
    *_, alone = breakdown(SCORES, LABELS, CODECS, resamples=10)
    assert alone == Group("C3", 0, 1, None, None)
    values = ["a", *["b"] * 9]
    assert breakdown(SCORES, LABELS, values)[0] == Group("a", 1, 0, None, None)


def test_labels_may_be_spelt_out_and_the_threshold_moved() -> None:
    names = np.where(LABELS == 0, "bonafide", "spoof")
    assert breakdown(SCORES, names, CODECS) == breakdown(SCORES, LABELS, CODECS)
    (group, *_) = breakdown(SCORES, LABELS, CODECS, threshold=3.5)
    assert group.metrics is not None
    assert group.metrics["accuracy"] == 3 / 4


def test_clips_without_a_value_are_a_group() -> None:
    codecs = [None if codec == "C2" else codec for codec in CODECS]
    groups = breakdown(SCORES, LABELS, codecs)
    assert [(group.name, group.real, group.fake) for group in groups] == [("C1", 2, 2), ("C3", 0, 1), ("None", 2, 3)]


def test_one_value_for_all_is_the_whole() -> None:
    (group,) = breakdown(SCORES, LABELS, ["same"] * 10)
    assert group.metrics == Meter(SCORES, LABELS).headline()


def test_groups_have_intervals_where_they_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    labels, codecs = np.arange(400) % 2, np.where(rng.random(400) < 0.2, "C1", "C2")
    scores = rng.normal(1.0 - 2.0 * labels)
    few, many = breakdown(scores, labels, codecs, resamples=100)
    for group in (few, many):
        assert group.metrics is not None
        assert group.eer_interval is not None
        assert group.eer_interval[0] <= group.metrics["eer"] <= group.eer_interval[1]
    assert np.diff(few.eer_interval) > np.diff(many.eer_interval)


def test_macro_average_counts_every_group_the_same() -> None:
    groups = breakdown(SCORES, LABELS, CODECS)
    measured = [group.metrics for group in groups if group.metrics]
    average = macro_average(groups)
    assert list(average) == list(measured[0])
    for name, value in average.items():
        assert value == pytest.approx((measured[0][name] + measured[1][name]) / 2)


def test_macro_average_of_nothing_is_empty() -> None:
    assert macro_average([]) == {}
    assert macro_average([Group("a", 1, 0, None, None)]) == {}


def test_matrix_of_attack_and_codec() -> None:
    rows, columns, matrix = eer_matrix(SCORES, LABELS, ATTACKS, CODECS)
    assert (rows, columns) == (["A01", "A02"], ["C1", "C2", "C3"])
    # Real clips at 4 and 3 for C1, 2 and -1 for C2, none for C3; A02 has no fake with C3 either.
    nan = np.nan
    np.testing.assert_array_equal(matrix, [[0.0, 0.0, nan], [0.0, 1.0, nan]])


def test_matrix_of_two_columns_that_both_classes_have() -> None:
    rows, columns, matrix = eer_matrix(SCORES, LABELS, CODECS, ["F", "M"] * 5)
    assert (rows, columns) == (["C1", "C2", "C3"], ["F", "M"])
    # C1: real 4, fake 1 of F; real 3, fake -2 of M. C2: real 2, fakes -3 and 2.5 of F; real -1, fake 5 of M.
    np.testing.assert_array_equal(matrix, [[0, 0], [0.25, 1], [np.nan, np.nan]])


def test_matrix_of_two_columns_that_tell_fakes_apart_keeps_all_real_clips() -> None:
    families = ["-", "-", "-", "-", "tts", "tts", "vc", "vc", "tts", "vc"]
    rows, columns, matrix = eer_matrix(SCORES, LABELS, ATTACKS, families)
    assert (rows, columns) == (["A01", "A02"], ["tts", "vc"])
    for row, attack in enumerate(rows):
        for column, family in enumerate(columns):
            chosen = (LABELS == 0) | ((np.array(ATTACKS) == attack) & (np.array(families) == family))
            assert matrix[row, column] == compute_cm_metrics(SCORES[chosen], LABELS[chosen])["eer"]


@pytest.mark.parametrize("values", [["a"] * 9, [["a"]] * 10, "a"])
def test_another_number_of_values_than_clips_is_refused(values: list) -> None:
    with pytest.raises(ValueError, match="expected one value a clip"):
        breakdown(SCORES, LABELS, values)
    with pytest.raises(ValueError, match="expected one value a clip"):
        eer_matrix(SCORES, LABELS, ATTACKS, values)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="found fakes only"):
        breakdown([1.0, 2.0], [1, 1], ["a", "b"])


def test_lengths_fall_in_the_bucket_that_begins_with_them() -> None:
    assert length_buckets([0, 1.999, 2, 3.5, 4, 8, 10, 14.99, 15, 29.9, 30, 1e6]) == [
        "00 to 02 s",
        "00 to 02 s",
        "02 to 04 s",
        "02 to 04 s",
        "04 to 06 s",
        "08 to 10 s",
        "10 to 15 s",
        "10 to 15 s",
        "15 to 30 s",
        "15 to 30 s",
        "30 s and more",
        "30 s and more",
    ]
    assert length_buckets([]) == []


def test_buckets_sort_by_length() -> None:
    lengths = np.sort(np.random.default_rng(0).exponential(10, 500))
    buckets = length_buckets(lengths)
    assert buckets == sorted(buckets)
    assert len(set(buckets)) == 8


@pytest.mark.parametrize(("length", "found"), [(-0.1, "-0.1"), (np.nan, "nan")])
def test_lengths_that_cannot_be_are_refused(length: float, found: str) -> None:
    with pytest.raises(ValueError, match=f"^lengths must be seconds, at least 0; found {found}$"):
        length_buckets([1.0, length])


def test_what_is_unknown_of_both_classes_is_nothing_that_they_share() -> None:
    values = ["-", "-", "A01", "A01", "-", "-"]
    groups = breakdown([2.0, 1.0, -1.0, 0.5, -2.0, 1.5], [0, 0, 1, 1, 1, 1], values)
    assert [(group.name, group.real, group.fake) for group in groups] == [("-", 2, 2), ("A01", 2, 2)]
    assert groups[0].metrics["eer"] == 0.5
    # Where nothing is known of any clip, all are one group.
    assert [group[:3] for group in breakdown([1.0, -1.0], [0, 1], ["-", "-"])] == [("-", 1, 1)]
