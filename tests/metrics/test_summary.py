"""Verdicts at a threshold, the field's score, and intervals around the figures."""

import numpy as np
import pytest

from crnn_hf.metrics import bootstrap_intervals, compute_metrics, decision_metrics, real_scores


def test_decisions_by_hand() -> None:
    # Two of three fakes are found, and one of two real clips is taken for a fake.
    scores, labels = [-1.0, -2.0, 0.5, 3.0, -0.1], [1, 1, 1, 0, 0]
    assert decision_metrics(scores, labels) == pytest.approx(
        {"accuracy": 3 / 5, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    )
    assert decision_metrics(scores, labels, threshold=1.0) == pytest.approx(
        {"accuracy": 4 / 5, "precision": 3 / 4, "recall": 1, "f1": 6 / 7}
    )


def test_no_clip_called_fake() -> None:
    assert decision_metrics([1.0, 2.0], [0, 1]) == {"accuracy": 0.5, "precision": 0, "recall": 0, "f1": 0}


def test_score_is_higher_for_real_whatever_the_order_of_the_labels() -> None:
    logits = [[2.0, -1.0], [0.0, 4.0]]
    assert real_scores(logits, {"real": 0, "fake": 1}).tolist() == [3, -4]
    assert real_scores(logits, {"fake": 0, "real": 1}).tolist() == [-3, 4]
    with pytest.raises(ValueError, match=r"found \['cat', 'dog'\]"):
        real_scores(logits, {"cat": 0, "dog": 1})


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="logits that are not finite numbers: its training diverged"):
        real_scores([[0.0, np.nan]], {"real": 0, "fake": 1})


def test_all_metrics_have_their_names() -> None:
    metrics = compute_metrics([2.0, 1.0, -1.0, -2.0], [0, 0, 1, 1])
    assert metrics == {"eer": 0, "min_dcf": 0, "accuracy": 1, "precision": 1, "recall": 1, "f1": 1}


def test_intervals_hold_the_figure_and_shrink_with_more_clips() -> None:
    widths = []
    for clips in (60, 1_500):
        rng = np.random.default_rng(1)
        labels = np.arange(clips) % 2
        scores = rng.normal(1.0 - 2.0 * labels)
        intervals = bootstrap_intervals(compute_metrics, scores, labels, resamples=200)
        for name, value in compute_metrics(scores, labels).items():
            lower, upper = intervals[name]
            assert lower <= value <= upper
        # Two normal distributions two deviations apart: the true EER is the normal tail beyond one, 15.87 %.
        assert intervals["eer"][0] < 0.1587 < intervals["eer"][1]
        widths.append(intervals["eer"][1] - intervals["eer"][0])
    assert widths[1] < widths[0] / 3
    assert bootstrap_intervals(compute_metrics, scores, labels, resamples=200) == intervals


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="fakes only"):
        bootstrap_intervals(compute_metrics, [1.0, 2.0], [1, 1])
