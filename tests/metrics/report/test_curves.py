"""The numbers behind the pictures: probit axes, a DET curve of few points, and promises against what holds."""

import numpy as np
import pytest

from crnn_hf.metrics.error_rates import equal_error_index, error_rates
from crnn_hf.metrics.report.curves import calibration_bins, det_points, probit


def test_probit_is_the_inverse_of_the_normal_distribution() -> None:
    # The normal distribution's quantiles, as every table has them.
    rates = [0.5, 0.8413447460685429, 0.975, 0.001]
    assert probit(rates) == pytest.approx([0, 1, 1.959963984540054, -3.090232306167813], abs=1e-12)
    assert probit([[0.0, 1.0]]).tolist() == [[-np.inf, np.inf]]


def test_normal_scores_give_a_straight_line() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200_000) % 2
    rates = error_rates(rng.normal(1.0 - 2.0 * labels), labels)
    far, frr = det_points(rates, 0.01, 0.6, 100)
    inside = (far > 0.02) & (frr > 0.02)
    # Two distributions two deviations apart: probit(FAR) + probit(FRR) is -2 at every threshold.
    assert probit(far[inside]) + probit(frr[inside]) == pytest.approx(-2, abs=0.03)


def test_few_points_draw_the_same_curve() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(50_000) % 2
    rates = error_rates(rng.standard_t(4, size=50_000) - 2.0 * labels, labels)
    steps = 400
    far, frr = det_points(rates, 0.001, 0.6, steps)
    assert len(far) <= 2 * steps + 10
    equal = equal_error_index(rates)
    assert (rates.far[equal], rates.frr[equal]) in set(zip(far, frr, strict=True))
    # Everywhere on the whole curve, the one of few points is within a cell.
    cell = float(np.diff(probit([0.001, 0.6]))[0]) / steps
    seen = (rates.far > 0.001) & (rates.far < 0.6) & (rates.frr > 0.001) & (rates.frr < 0.6)
    drawn_far, drawn_frr = (probit(np.clip(values, 5e-4, 0.999)) for values in (far, frr))
    drawn = np.interp(-probit(rates.far[seen]), -drawn_far, drawn_frr)
    assert drawn == pytest.approx(probit(rates.frr[seen]), abs=cell)


def test_ratios_that_hold_what_they_promise_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(2)
    is_fake = rng.random(200_000) < 0.8
    # Of normal distributions of deviation 1 at 1 and -1, the log-likelihood ratio at x is 2 x.
    ratios = 2 * rng.normal(np.where(is_fake, -1.0, 1.0))
    bins = calibration_bins(ratios, is_fake)
    assert sum(found.clips for found in bins) == len(ratios)
    for found in bins:
        assert found.found == pytest.approx(found.promised, abs=0.02)
        assert found.lower < found.found < found.upper
    assert all(found.found < found.promised - 0.05 for found in calibration_bins(ratios + 2, is_fake)[2:-1])


def test_scores_of_any_size_have_bins() -> None:
    bins = calibration_bins([1e6, -1e6, 0.0, 800.0], [0, 1, 1, 0])
    assert [(found.clips, found.found) for found in bins] == [(1, 0), (1, 0), (2, 1)]
    # By E. Wilson's formula with two of two: 2 / (2 + 1.96²).
    assert bins[-1].lower == pytest.approx(2 / (2 + 1.959964**2), abs=1e-6)
    assert bins[-1].upper == 1
