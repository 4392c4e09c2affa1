"""Cllr, by hand and far out."""

import math
import warnings

import numpy as np
import pytest

from crnn_hf.metrics import cllr


@pytest.mark.parametrize(
    ("scores", "labels", "bits"),
    [
        # Scores that say nothing cost a bit.
        ([0.0, 0.0, 0.0], [0, 1, 1], 1.0),
        # Odds of 3 to 1, rightly: log2(4 / 3).
        ([math.log(3), -math.log(3)], [0, 1], math.log2(4 / 3)),
        # The same wrongly: log2(4).
        ([-math.log(3), math.log(3)], [0, 1], 2.0),
        # Each class counts one half, however many clips it has.
        ([math.log(3), 0.0, 0.0, 0.0], [0, 1, 1, 1], (math.log2(4 / 3) + 1) / 2),
        ([-math.log(3), math.log(3), 0.0], [0, 0, 1], ((2 + math.log2(4 / 3)) / 2 + 1) / 2),
    ],
)
def test_cllr_by_hand(scores: list[float], labels: list[int], bits: float) -> None:
    assert cllr(scores, labels) == pytest.approx(bits, abs=1e-15)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e100])
def test_scores_far_out_cost_what_they_should_without_a_warning(size: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cllr([size, -size], [0, 1]) == 0
        assert cllr([-size, size], [0, 1]) == pytest.approx(size / math.log(2))
        assert cllr([-size, -size], [0, 1]) == pytest.approx(size / math.log(2) / 2)


def test_true_ratios_cost_less_than_the_same_scaled_or_shifted() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(20_000) % 2
    # Normal distributions of means 2 and -2 and variance 4: the score is its own log-likelihood ratio.
    scores = rng.normal(2.0 - 4.0 * labels, 2.0)
    best = cllr(scores, labels)
    for scale, offset in [(0.7, 0), (1.4, 0), (1, 0.5), (1, -0.5)]:
        assert cllr(scale * scores + offset, labels) > best + 0.005


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="found fakes only"):
        cllr([1.0, 2.0], [1, 1])
