"""Calibration finds the ratios behind simulated scores; thresholds and the abstention band keep what they promise."""

import math
import warnings

import numpy as np
import pytest

from crnn_hf.metrics import (
    Calibration,
    abstention_band,
    act_dcf,
    calibrate,
    cllr,
    cross_calibrated,
    equal_error_rate,
    min_dcf,
    operating_points,
)
from crnn_hf.metrics.calibration import rates_at
from crnn_hf.metrics.detection_cost import BAYES_THRESHOLD, EFFECTIVE_PRIOR_OF_REAL

REAL, FAKE = 0, 1


def simulated(real: int, fakes: int, seed: int = 0, scale: float = 1.0, offset: float = 0.0) -> tuple:
    """Scores whose log-likelihood ratio is known: `scale * score + offset`.

    Normal distributions of means 2 and -2 and variance 4 are their own log-likelihood ratios.
    """
    labels = np.repeat([REAL, FAKE], [real, fakes])
    ratios = np.random.default_rng(seed).normal(2.0 - 4.0 * labels, 2.0)
    return (ratios - offset) / scale, labels


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.3, 5.0), (20.0, -3.0), (1e-6, 0.5), (1e6, -40.0)])
@pytest.mark.parametrize("prior", [EFFECTIVE_PRIOR_OF_REAL, 0.5, 0.05])
def test_the_map_behind_simulated_scores_is_found(scale: float, offset: float, prior: float) -> None:
    scores, labels = simulated(20_000, 40_000, scale=scale, offset=offset)
    found = calibrate(scores, labels, prior)
    assert found.prior_of_real == prior
    assert found.scale == pytest.approx(scale, rel=0.03)
    assert found.offset == pytest.approx(offset, rel=0.03, abs=0.05)


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.5, EFFECTIVE_PRIOR_OF_REAL, 0.95, 0.99])
@pytest.mark.parametrize(("real", "fakes"), [(500, 500), (300, 2_700)])
def test_few_clips_do_not_lean_towards_either_class(prior: float, real: int, fakes: int) -> None:
    # Targets shrunk towards 1/2 would put the offset off by 1 where the prior is 0.01 or 0.99.
    found = [calibrate(*simulated(real, fakes, seed), prior) for seed in range(20)]
    assert np.median([each.scale for each in found]) == pytest.approx(1, abs=0.1)
    assert np.median([each.offset for each in found]) == pytest.approx(0, abs=0.2)


def test_a_calibration_maps_scores_of_any_shape() -> None:
    ratios = Calibration(2.0, -1.0, 0.5)
    assert ratios(3.0) == 5
    assert ratios([[1.0, 2.0]]).tolist() == [[1, 3]]
    assert ratios(np.zeros(3, np.float32)).dtype == np.float64


def test_calibration_mends_costs_and_leaves_the_order_alone() -> None:
    scores, labels = simulated(500, 1_500, scale=5.0, offset=-7.0)
    ratios = calibrate(scores, labels)(scores)
    assert equal_error_rate(ratios, labels) == equal_error_rate(scores, labels)
    assert min_dcf(ratios, labels) == min_dcf(scores, labels)
    assert act_dcf(scores, labels) > 0.9
    assert act_dcf(ratios, labels) < min_dcf(scores, labels) + 0.05
    assert cllr(ratios, labels) < 0.6 < cllr(scores, labels)


def test_scores_without_any_error_have_finite_ratios() -> None:
    for clips in (1, 2, 50, 5_000):
        labels = np.repeat([REAL, FAKE], clips)
        scores = np.where(labels == REAL, 1.0, -1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = calibrate(scores, labels, 0.5)
        # Platt's targets: as if each class had two clips more, one of them with the other label.
        assert found(1.0) == pytest.approx(math.log(clips + 1), rel=1e-6)
        assert found.offset == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("real", "fakes"), [(2, 8), (8, 2)])
@pytest.mark.parametrize("prior", [0.05, 0.5, 0.9])
def test_both_classes_are_doubted_by_the_same_share(real: int, fakes: int, prior: float) -> None:
    labels = np.repeat([REAL, FAKE], [real, fakes])
    found = calibrate(np.where(labels == REAL, 1.0, -1.0), labels, prior)
    doubt = 1 / 4 + 1 / 10
    for score, target in ((1.0, 1 - doubt + doubt * prior), (-1.0, doubt * prior)):
        assert found(score) == pytest.approx(math.log(target / (1 - target)) - math.log(prior / (1 - prior)), rel=1e-6)


@pytest.mark.parametrize("prior", [0.01, 0.5, 0.99])
def test_scores_that_tell_nothing_have_ratios_of_about_zero(prior: float) -> None:
    # One real clip among five fakes, half way between them.
    ratios = calibrate([1e-6, -1.0, -1.0, 1.0, 1.0, 0.0], [REAL] + [FAKE] * 5, prior)([-1.0, 0.0, 1.0])
    assert ratios == pytest.approx([0, 0, 0], abs=1e-3)


def test_one_clip_of_each_class_is_enough() -> None:
    found = calibrate([3.0, 1.0], [REAL, FAKE])
    assert 0 < found.scale < 2


def test_a_score_far_out_on_its_own_side_is_borne() -> None:
    scores, labels = simulated(500, 500)
    for size in (1e3, 1e9, 1e30):
        far_out = scores.copy()
        far_out[0], far_out[-1] = size, -size
        found = calibrate(far_out, labels)
        assert 0 < found.scale < 2
        assert np.isfinite(found(far_out)).all()


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_a_prior_that_is_none_is_refused(prior: float) -> None:
    with pytest.raises(ValueError, match=f"^prior_of_real must be above 0 and below 1; found {prior}$"):
        calibrate([1.0, 0.0], [REAL, FAKE], prior)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e8])
def test_constant_scores_are_refused(value: float) -> None:
    # Thirty times 0.1 has a mean that is not 0.1: the deviation alone would not tell.
    with pytest.raises(ValueError, match=f"^all scores are {value}: there is nothing to calibrate$"):
        calibrate([value] * 30, [REAL, FAKE] * 15)


@pytest.mark.parametrize("prior", [0.05, 0.5, 0.655])
@pytest.mark.parametrize("scores", [[0.0, 2.0, 1.0, 1.0], [-4.0, 5.0, -1.0, 2.0], [3.0, 1.0, 0.0, 4.0]])
def test_equal_means_are_refused_whatever_rounding_makes_of_them(scores: list[float], prior: float) -> None:
    with pytest.raises(ValueError, match=r"^no rising line makes ratios of these scores"):
        calibrate(scores, [REAL, REAL, FAKE, FAKE], prior)


def test_reversed_scores_are_refused() -> None:
    scores, labels = simulated(500, 500)
    message = (
        r"^no rising line makes ratios of these scores, whose mean is -[12]\.\d+ for real clips and [12]\.\d+ for "
        r"fakes, with an EER of 8\d\.\d\d%: are they reversed, or do a few lie far from all others\?$"
    )
    with pytest.raises(ValueError, match=message):
        calibrate(-scores, labels)


@pytest.mark.parametrize("outlier", [-1e9, -1e30])
def test_a_score_far_out_on_the_wrong_side_is_named(outlier: float) -> None:
    scores, labels = simulated(500, 500)
    scores[0] = outlier
    message = r"whose mean is -2e\+\d\d for real clips and -\d\.\d+ for fakes, with an EER of 1\d\.\d\d%"
    with pytest.raises(ValueError, match=message):
        calibrate(scores, labels)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("scores", [[1e200, 1.0, 0.0], [1e308, -1e308, -1e308], [1e-320, 0.0, 0.0]])
def test_scores_beyond_what_floats_can_standardise_are_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="no rising line makes ratios of these scores"):
        calibrate(scores, [REAL, FAKE, FAKE])


def test_each_fold_is_calibrated_by_the_other() -> None:
    scores, labels = simulated(41, 60, seed=3)
    ratios = cross_calibrated(scores, labels, folds=2, seed=5)
    assert ratios.shape == scores.shape
    # Each fold's line, found again from its own two ends.
    order = np.argsort(scores)
    lines = {}
    for clip in order:
        for other in order:
            if abs(scores[clip] - scores[other]) > 1:
                slope = (ratios[clip] - ratios[other]) / (scores[clip] - scores[other])
                line = (round(float(slope), 6), round(float(ratios[clip] - slope * scores[clip]), 6))
                lines.setdefault(line, set()).update([int(clip), int(other)])
    (first_line, first), (second_line, second) = sorted(lines.items(), key=lambda item: len(item[1]))[-2:]
    assert first.isdisjoint(second)
    assert len(first | second) == len(scores)
    for line, fold, rest in ((first_line, first, second), (second_line, second, first)):
        assert {int(np.sum(labels[list(fold)] == REAL)), int(np.sum(labels[list(rest)] == REAL))} == {20, 21}
        expected = calibrate(scores[sorted(rest)], labels[sorted(rest)])
        assert line == pytest.approx((expected.scale, expected.offset), abs=1e-5)


def test_a_clip_has_no_part_in_its_own_ratio() -> None:
    scores, labels = simulated(30, 30)
    for clip in (0, 45):
        moved = scores.copy()
        moved[clip] += 1.0
        before, after = cross_calibrated(scores, labels), cross_calibrated(moved, labels)
        # Along the same line: the calibration of its fold does not know of the move; those of all others do.
        same = np.isclose(before, after, rtol=0, atol=1e-12)
        assert not same[clip]
        assert 10 <= same.sum() <= 12
        fold = np.append(np.flatnonzero(same), clip)
        slope, offset = np.polyfit(scores[same], before[same], 1)
        assert after[clip] == pytest.approx(slope * moved[clip] + offset)
        assert sorted(np.bincount(labels[fold])) == [6, 6]


def test_as_many_folds_as_the_rarer_class_has_clips_at_most() -> None:
    scores, labels = simulated(2, 40, seed=1)
    ratios = cross_calibrated(scores, labels, folds=10)
    assert np.isfinite(ratios).all()
    np.testing.assert_array_equal(ratios, cross_calibrated(scores, labels, folds=2))
    assert (ratios != cross_calibrated(scores, labels, folds=2, seed=1)).any()


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [
        ([REAL, FAKE, FAKE, FAKE], 5, "^expected two clips or more of each class; found 1$"),
        ([REAL, REAL, FAKE, FAKE], 1, "^expected two folds or more; found 1$"),
        ([REAL, REAL, FAKE, FAKE], 0, "^expected two folds or more; found 0$"),
        ([FAKE] * 4, 5, "found fakes only"),
    ],
)
def test_what_cannot_be_dealt_is_refused(labels: list[int], folds: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross_calibrated([4.0, 3.0, 2.0, 1.0], labels, folds=folds)


def test_operating_points_by_hand() -> None:
    scores = [1.0, 2, 3, 4, 5, 6, 7, 8]
    labels = [FAKE, FAKE, REAL, FAKE, FAKE, REAL, REAL, REAL]
    found = operating_points(scores, labels, shares=[0.25, 0.1])
    assert [(point.name, point.threshold, point.frr, point.far) for point in found] == [
        ("lowest_cost", BAYES_THRESHOLD, 0, 1),
        ("equal_errors", 4.5, 0.25, 0.25),
        ("fakes_missed_25%", 4.5, 0.25, 0.25),
        ("real_flagged_25%", 5.5, 0.25, 0),
    ]
    assert found[-1].meaning == "at most 25 % of real clips flagged"


def test_a_share_is_left_out_where_one_clip_is_more() -> None:
    scores, labels = simulated(100, 1_000)
    names = {point.name for point in operating_points(scores, labels)}
    assert names == {
        "equal_errors",
        "lowest_cost",
        *(f"real_flagged_{share}%" for share in ("1", "5", "10")),
        *(f"fakes_missed_{share}%" for share in ("0.1", "1", "5", "10")),
    }
    assert {point.name for point in operating_points([1.0, 0.0], [REAL, FAKE])} == {"equal_errors", "lowest_cost"}


@pytest.mark.parametrize(
    "scores",
    [
        [1.0, np.nextafter(1.0, 2), 1.0, np.nextafter(1.0, 2)],
        [np.nextafter(1.0, 0), 1.0, np.nextafter(1.0, 0), 1.0],
        [0.0, 5e-324, 0.0, 5e-324],
        [-5e-324, 0.0, -5e-324, 0.0],
        [1.7e308, 1.79e308, 1.7e308, 1.79e308],
        [-1.79e308, 1.79e308, -1.79e308, 1.79e308],
    ],
)
def test_a_threshold_lies_between_scores_however_close_or_far_they_are(scores: list[float]) -> None:
    for point in operating_points(scores, [FAKE, REAL, FAKE, REAL], shares=[0.5]):
        if point.name != "lowest_cost":
            assert (point.frr, point.far) == (0, 0), point
    lower, upper = abstention_band(scores, [FAKE, REAL, FAKE, REAL])
    assert scores[0] < lower == upper <= scores[1]


def test_equal_errors_are_taken_where_one_can_decide() -> None:
    # The EER lies within the ties at 1, as a detector has whose scores are saturated: no threshold goes through them.
    labels = np.repeat([REAL, FAKE], 100)
    scores = np.concatenate([np.repeat([0.0, 1.0], [10, 90]), np.repeat([0.0, 1.0], [85, 15])])
    assert equal_error_rate(scores, labels) == 0.15
    (point,) = (point for point in operating_points(scores, labels) if point.name == "equal_errors")
    assert (point.threshold, point.frr, point.far) == (0.5, 0.1, 0.15)


def test_the_band_by_hand() -> None:
    scores = [1.0, 2, 3, 4, 5, 6, 7, 8]
    labels = [FAKE, FAKE, REAL, FAKE, FAKE, REAL, REAL, REAL]
    # Below 2.5 no real clip, from 5.5 on no fake.
    assert abstention_band(scores, labels) == (2.5, 5.5)
    # A quarter of each may be on the wrong side: one threshold does for both.
    assert abstention_band(scores, labels, 0.25) == (4.5, 4.5)


def test_a_detector_that_says_nothing_abstains() -> None:
    lower, upper = abstention_band([5.0] * 4, [REAL, FAKE, REAL, FAKE])
    assert lower <= 5 < upper


def test_an_empty_band_keeps_both_promises() -> None:
    # The errors are closest at (1/16, 1/20), which is more real clips than promised; (0, 1/20) would do.
    labels = np.repeat([FAKE, REAL], [20, 16])
    scores = np.concatenate([np.arange(19.0), [50.0], [20.0], np.arange(51.0, 66.0)])
    lower, upper = abstention_band(scores, labels, 0.05)
    assert lower == upper
    assert rates_at(scores, labels, lower) == (0, 1 / 20)


@pytest.mark.parametrize("share", [0.0, 0.5, -0.1, math.nan])
def test_a_share_that_makes_no_band_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=f"^share must be above 0 and below 0.5; found {share}$"):
        abstention_band([1.0, 0.0], [REAL, FAKE], share)


def test_rates_at_a_threshold_by_hand() -> None:
    scores, labels = [1.0, 2.0, 3.0, 0.0, 2.0], [REAL, REAL, REAL, FAKE, FAKE]
    assert rates_at(scores, labels, 2.0) == pytest.approx((1 / 3, 1 / 2))
    assert rates_at(scores, labels, 2.1) == pytest.approx((2 / 3, 0))


def test_one_class_alone_is_refused() -> None:
    for function in (calibrate, cross_calibrated, operating_points, abstention_band):
        with pytest.raises(ValueError, match="found fakes only"):
            function([1.0, 2.0], [FAKE, FAKE])
