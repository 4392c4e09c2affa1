"""minDCF and actDCF with ASVspoof 5's costs, by hand."""

import math

import numpy as np
import pytest

from crnn_hf.metrics import act_dcf, error_rates, min_dcf
from crnn_hf.metrics.detection_cost import BAYES_THRESHOLD, EFFECTIVE_PRIOR_OF_REAL, min_dcf_index

REAL, FAKE = 0, 1


def test_the_constants_are_those_of_asvspoof5() -> None:
    assert pytest.approx(-0.6419, abs=5e-5) == BAYES_THRESHOLD
    assert pytest.approx(0.95 / 1.45) == EFFECTIVE_PRIOR_OF_REAL
    # Equal costs under the effective prior lead to the same threshold.
    assert -math.log(EFFECTIVE_PRIOR_OF_REAL / (1 - EFFECTIVE_PRIOR_OF_REAL)) == pytest.approx(BAYES_THRESHOLD)


@pytest.mark.parametrize(
    ("scores", "labels", "cost"),
    [
        ([1, 2, 3, 4], [FAKE, FAKE, REAL, REAL], 0.0),
        # Letting everything pass costs 1, rejecting everything 1.9.
        ([1, 2, 3, 4], [REAL, REAL, FAKE, FAKE], 1.0),
        ([5, 5, 5, 5], [FAKE, REAL, FAKE, REAL], 1.0),
        ([0.3, 0.1, 0.2, 0.4], [FAKE, FAKE, REAL, REAL], 0.5),
        ([1, 2, 3, 4, 5], [FAKE, REAL, FAKE, REAL, REAL], 0.5),
        # One of four real clips below all fakes: 1.9 / 4.
        ([1, 2, 2, 3, 3, 3], [REAL, FAKE, FAKE, REAL, REAL, REAL], 1.9 / 4),
    ],
)
def test_min_dcf_by_hand(scores: list[float], labels: list[int], cost: float) -> None:
    assert min_dcf(scores, labels) == pytest.approx(cost, abs=1e-15)


def test_min_dcf_is_found_where_the_cost_is_lowest() -> None:
    rates = error_rates([1, 2, 2, 3, 3, 3], [REAL, FAKE, FAKE, REAL, REAL, REAL])
    assert rates.thresholds[min_dcf_index(rates)] == 2


@pytest.mark.parametrize(
    ("scores", "cost"),
    [
        ([1.0, 0.0, -1.0, -2.0], 0.0),
        # A real clip rejected costs 1.9 times its share, a fake that passes once its share.
        ([1.0, -1.0, -1.0, -2.0], 1.9 / 2),
        ([1.0, 0.0, 1.0, -2.0], 1 / 2),
        ([-1.0, -1.0, 1.0, 1.0], 2.9),
        # A score at the threshold passes, one just below does not.
        ([BAYES_THRESHOLD, 0.0, -1.0, np.nextafter(BAYES_THRESHOLD, -1)], 0.0),
        ([np.nextafter(BAYES_THRESHOLD, -1), 0.0, -1.0, BAYES_THRESHOLD], 1.9 / 2 + 1 / 2),
        # Well parted, but not around the threshold.
        ([11.0, 11.0, 9.0, 9.0], 1.0),
    ],
)
def test_act_dcf_by_hand(scores: list[float], cost: float) -> None:
    assert act_dcf(scores, [REAL, REAL, FAKE, FAKE]) == pytest.approx(cost, abs=1e-15)


def test_one_class_alone_is_refused() -> None:
    for metric in (min_dcf, act_dcf):
        with pytest.raises(ValueError, match="found fakes only"):
            metric([1.0, 2.0], [FAKE, FAKE])
