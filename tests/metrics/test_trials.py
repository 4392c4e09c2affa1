"""Scores and labels are taken in any spelling that has one meaning, and refused in any other."""

from typing import Any

import numpy as np
import pandas
import pytest
import torch

from crnn_hf.metrics.trials import Trials, checked

SCORES = [2.0, 1.0, -1.0, -2.0]


@pytest.mark.parametrize(
    "labels",
    [
        [0, 0, 1, 1],
        (0, 0, 1, 1),
        [False, False, True, True],
        [0.0, 0.0, 1.0, 1.0],
        np.array([0, 0, 1, 1], np.uint8),
        np.array([0, 0, 1, 1], object),
        ["real", "real", "fake", "fake"],
        ["bonafide", "bonafide", "spoof", "spoof"],
        ["real", "bonafide", "spoof", "fake"],
        [np.str_("real"), np.str_("real"), np.str_("fake"), np.str_("fake")],
        np.array(["real", "bonafide", "spoof", "fake"], object),
        torch.tensor([0, 0, 1, 1]),
        pandas.Series([0, 0, 1, 1], index=[9, 8, 7, 6]),
        pandas.Series([0, 0, 1, 1], dtype=object),
        pandas.Series(["real", "real", "fake", "fake"]),
        pandas.Series(["real", "real", "fake", "fake"], dtype="category"),
    ],
)
def test_labels_may_be_spelt_in_many_ways(labels: Any) -> None:
    scores, is_fake = checked(SCORES, labels)
    assert scores.tolist() == SCORES
    assert is_fake.dtype == bool
    assert is_fake.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    "scores",
    [
        np.array(SCORES, np.float32),
        np.array(SCORES, object),
        np.array(SCORES, np.float16),
        torch.tensor(SCORES),
        pandas.Series(SCORES, index=[9, 8, 7, 6]),
        (2, 1, -1, -2),
    ],
)
def test_scores_become_float64(scores: Any) -> None:
    found, _ = checked(scores, [0, 0, 1, 1])
    assert found.dtype == np.float64
    assert found.tolist() == SCORES


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, np.nan, np.inf], [0, 1, 1], "^2 scores are not finite numbers, the first at 1: nan$"),
        ([-np.inf, 1.0], [0, 1], "^1 scores are not finite numbers, the first at 0: -inf$"),
        ([None, 1.0], [0, 1], "the first at 0: nan"),
        (["high", "low"], [0, 1], "^scores must be numbers: could not convert string to float: 'high'$"),
        ([[1.0], [1.0, 2.0]], [0, 1], "^scores must be numbers: "),
        ([1.0, 2.0], [0], r"^expected one score and one label a clip; found shapes \(2,\) and \(1,\)$"),
        ([[1.0], [2.0]], [[0], [1]], r"found shapes \(2, 1\) and \(2, 1\)$"),
        (1.0, 0, r"found shapes \(\) and \(\)$"),
        ([1.0, 2.0], [0, 0], "^error rates need real clips and fakes; found real clips only$"),
        ([1.0, 2.0], ["spoof", "fake"], "found fakes only$"),
        ([], [], "found no clip$"),
        ([1.0, 2.0, 3.0], [0, 1, 2], "^labels must be 0 or 1, 'real' or 'fake', 'bonafide' or 'spoof'; found 2$"),
        ([1.0, 2.0, 3.0], [0, 1, 0.5], "found 0.5$"),
        ([1.0, 2.0, 3.0], [0, 1, np.nan], "found nan$"),
        ([1.0, 2.0, 3.0], [-1, 1, 1], "found -1$"),
        ([1.0, 2.0, 3.0], ["real", "fake", None], "found None$"),
        ([1.0, 2.0], [b"real", b"fake"], "found b'fake', b'real'$"),
        ([1.0, 2.0], ["Real", "fake"], "found 'Real'$"),
        # Among strings a number has become one: the quotation marks say so.
        ([1.0, 2.0], ["real", 1], "found '1'$"),
        (range(7), [0, 1, 2, 3, 4, 5, 6], "found 2, 3, 4, 5, 6$"),
        (range(9), [0, 1, 2, 3, 4, 5, 6, 7, 8], "found 2, 3, 4, 5, 6$"),
    ],
)
def test_what_cannot_be_right_is_refused(scores: Any, labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(scores, labels)


def test_trials_are_as_many_as_their_names() -> None:
    trials = Trials(["a", "b"], np.array([1.0, 2.0]), np.array([False, True]))
    assert len(trials) == 2
    assert trials.columns == {}
