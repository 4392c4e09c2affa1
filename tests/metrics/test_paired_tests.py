"""Tests whose p-values can be computed by hand."""

import math

import pytest

from crnn_hf.metrics.paired_tests import holm, mcnemar


@pytest.mark.parametrize(
    ("one_way", "other_way", "p_value"),
    [
        (0, 0, 1),
        (3, 3, 1),
        (0, 5, 2 / 2**5),
        (1, 5, 2 * (1 + 6) / 2**6),
        (5, 1, 2 * (1 + 6) / 2**6),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
    ],
)
def test_mcnemar(one_way: int, other_way: int, p_value: float) -> None:
    assert mcnemar(one_way, other_way) == pytest.approx(p_value)


def test_mcnemar_of_many_changes_is_near_the_normal_distribution() -> None:
    one_way, other_way = 99_700, 100_300
    z = (other_way - one_way - 1) / math.sqrt(one_way + other_way)  # with the continuity correction
    assert mcnemar(one_way, other_way) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-3)


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 x 0.01, then 2 x 0.03, and no less for what follows
        ([0.5, 0.6], [1, 1]),
    ],
)
def test_holm(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(corrected)
