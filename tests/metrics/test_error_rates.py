"""Error rates over all thresholds, EER and AUC, on cases small enough to count by hand."""

import numpy as np
import pytest

from crnn_hf.metrics import equal_error_rate, error_rates
from crnn_hf.metrics.error_rates import Ranking, auc_of, eer_of, eers_of, equal_error_index

REAL, FAKE = 0, 1


def test_error_rates_by_hand() -> None:
    rates = error_rates([0.3, 0.1, 0.2, 0.4], [FAKE, FAKE, REAL, REAL])
    assert rates.thresholds.tolist() == [np.nextafter(0.1, -1), 0.1, 0.2, 0.3, 0.4]
    assert rates.frr.tolist() == [0, 0, 0.5, 0.5, 1]
    assert rates.far.tolist() == [1, 0.5, 0.5, 0, 0]
    assert rates.can_decide.all()


def test_rates_are_those_of_passing_above_the_threshold() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(100) % 3 == 0
    scores = np.round(rng.normal(size=100), 1)
    rates = error_rates(scores, labels)
    for threshold, frr, far, decides in zip(*rates, rates.can_decide, strict=True):
        if decides:
            assert frr == np.mean(scores[~labels] <= threshold)
            assert far == np.mean(scores[labels] > threshold)


def test_no_threshold_goes_through_ties() -> None:
    rates = error_rates([1, 2, 2, 2, 3], [FAKE, FAKE, REAL, FAKE, REAL])
    assert rates.can_decide.tolist() == [True, True, False, False, True, True]
    # Among equals the real come first.
    assert rates.frr.tolist() == [0, 0, 0.5, 0.5, 0.5, 1]
    assert rates.far.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3, 0, 0])


def test_zero_has_one_sign_among_ties() -> None:
    assert error_rates([0.0, -0.0], [FAKE, REAL]).can_decide.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("scores", "labels", "eer"),
    [
        ([1, 2, 3, 4], [FAKE, FAKE, REAL, REAL], 0.0),
        ([1, 2, 3, 4], [REAL, REAL, FAKE, FAKE], 1.0),
        ([0.3, 0.1, 0.2, 0.4], [FAKE, FAKE, REAL, REAL], 0.5),
        ([1, 2], [FAKE, REAL], 0.0),
        ([1, 2], [REAL, FAKE], 1.0),
        # All equal: the real come first, so that all are rejected while all fakes pass.
        ([5, 5, 5, 5], [FAKE, REAL, FAKE, REAL], 1.0),
        # No threshold makes both rates equal: 1/3 and 1/2 are the closest, and their mean is taken.
        ([1, 2, 3, 4, 5], [FAKE, REAL, FAKE, REAL, REAL], 5 / 12),
        # (1/2, 1) and (1/2, 0) are equally close: the lower threshold is taken.
        ([1, 2, 3], [REAL, FAKE, REAL], 3 / 4),
        # One real clip and many fakes, of which a quarter lie above it: (0, 1/4) is the closest.
        ([3, 1, 1, 2, 4], [REAL, FAKE, FAKE, FAKE, FAKE], 1 / 8),
    ],
)
def test_equal_error_rate_by_hand(scores: list[float], labels: list[int], eer: float) -> None:
    assert equal_error_rate(scores, labels) == pytest.approx(eer, abs=1e-15)


def test_equal_errors_are_found_where_both_rates_are_closest() -> None:
    assert equal_error_index(error_rates([1, 2, 3, 4, 5], [FAKE, REAL, FAKE, REAL, REAL])) == 2


@pytest.mark.parametrize(
    ("scores", "labels", "auc"),
    [
        ([1, 2, 3, 4], [FAKE, FAKE, REAL, REAL], 1.0),
        ([1, 2, 3, 4], [REAL, REAL, FAKE, FAKE], 0.0),
        ([5, 5, 5, 5], [FAKE, REAL, FAKE, REAL], 0.5),
        # Of six pairs the real clip is above in four and equal in one.
        ([2, 3, 2, 1, 2.5], [REAL, REAL, FAKE, FAKE, FAKE], 4.5 / 6),
    ],
)
def test_auc_by_hand(scores: list[float], labels: list[int], auc: float) -> None:
    assert auc_of(error_rates(scores, labels)) == pytest.approx(auc, abs=1e-15)


def test_clips_of_weight_zero_are_not_there() -> None:
    scores, labels = np.array([1.0, 2, 2, 3, 4]), np.array([FAKE, REAL, FAKE, REAL, FAKE])
    weights = np.array([1.0, 1, 0, 1, 1])
    weighted, rest = Ranking(scores, labels).rates(weights), error_rates(scores[weights > 0], labels[weights > 0])
    kept = np.append(True, weights[Ranking(scores, labels).order] > 0)
    assert weighted.frr[kept].tolist() == rest.frr.tolist()
    assert weighted.far[kept].tolist() == rest.far.tolist()


def test_several_weightings_at_once_are_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    ranking = Ranking(rng.normal(size=40).round(1), np.arange(40) % 2)
    weights = rng.integers(0, 3, (25, 40))
    rates = ranking.rates(weights)
    alone = [ranking.rates(each) for each in weights]
    assert np.array_equal(rates.frr, [each.frr for each in alone])
    assert np.array_equal(rates.far, [each.far for each in alone])
    assert eers_of(rates).tolist() == [eer_of(each) for each in alone]


def test_one_class_alone_is_refused() -> None:
    for function in (error_rates, equal_error_rate):
        with pytest.raises(ValueError, match="found real clips only"):
            function([1.0, 2.0], [REAL, REAL])
