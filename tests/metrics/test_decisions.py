"""Verdicts at a threshold, by hand."""

import numpy as np
import pytest

from crnn_hf.metrics import decision_metrics
from crnn_hf.metrics.decisions import balancing_weights


def test_decisions_by_hand() -> None:
    # Two of three fakes are found, and one of two real clips is taken for a fake.
    scores, labels = [-1.0, -2.0, 0.5, 3.0, -0.1], [1, 1, 1, 0, 0]
    assert decision_metrics(scores, labels) == pytest.approx(
        {"accuracy": 3 / 5, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    )
    assert decision_metrics(scores, labels, threshold=1.0) == pytest.approx(
        {"accuracy": 4 / 5, "precision": 3 / 4, "recall": 1, "f1": 6 / 7}
    )


def test_a_score_at_the_threshold_is_real() -> None:
    assert decision_metrics([0.0, 0.0], [0, 1])["recall"] == 0
    assert decision_metrics([0.0, -0.0], [0, 1])["recall"] == 0
    assert decision_metrics([0.0, np.nextafter(0, -1)], [0, 1])["recall"] == 1


def test_no_clip_called_fake() -> None:
    assert decision_metrics([1.0, 2.0], [0, 1]) == {"accuracy": 0.5, "precision": 0, "recall": 0, "f1": 0}


def test_every_clip_called_fake() -> None:
    found = decision_metrics([-1.0, -2.0, -3.0, -4.0], [0, 1, 1, 1])
    assert found == pytest.approx({"accuracy": 3 / 4, "precision": 3 / 4, "recall": 1, "f1": 6 / 7})


def test_balanced_verdicts_count_both_classes_the_same() -> None:
    # Half of the real clips and a quarter of the fakes are misjudged.
    scores, labels = [1, -1, 1, -1, -1, -1], [0, 0, 1, 1, 1, 1]
    assert decision_metrics(scores, labels)["accuracy"] == pytest.approx(4 / 6)
    assert decision_metrics(scores, labels, balanced=True) == pytest.approx(
        {"accuracy": 5 / 8, "precision": 0.75 / 1.25, "recall": 0.75, "f1": 1.5 / 2.25}
    )


def test_balanced_verdicts_are_those_of_a_set_with_equally_many_of_each() -> None:
    scores, labels = np.array([1, -1, 1, -1, -1, -1]), np.array([0, 0, 1, 1, 1, 1])
    repeated = np.repeat(np.arange(6), [2, 2, 1, 1, 1, 1])
    balanced = decision_metrics(scores[repeated], labels[repeated])
    assert decision_metrics(scores, labels, balanced=True) == pytest.approx(balanced)


def test_balancing_weights_are_one_on_average() -> None:
    is_fake = np.array([False, True, True, True])
    weights = balancing_weights(is_fake)
    assert weights.tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert weights.mean() == pytest.approx(1)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="found real clips only"):
        decision_metrics([1.0, 2.0], [0, 0])
