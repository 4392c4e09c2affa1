"""What holds for any scores: drawn by hypothesis, the same at every run.

Scores are small whole numbers, so that ties are common, within a class and across; or any floats of a sensible size.
"""

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crnn_hf.metrics import (
    HEADLINE,
    abstention_band,
    breakdown,
    calibrate,
    cllr,
    compute_cm_metrics,
    equal_error_rate,
    error_rates,
    macro_average,
    min_dcf,
    operating_points,
)
from crnn_hf.metrics.calibration import rates_at
from crnn_hf.metrics.error_rates import ErrorRates, auc_of, equal_error_index
from crnn_hf.metrics.summary import Meter

Clips = tuple[NDArray[np.float64], NDArray[np.int64]]
TINY = 1e-12

whole = st.integers(-8, 8).map(float)
sensible = st.floats(-1e3, 1e3, allow_subnormal=False)


@st.composite
def clips(draw: st.DrawFn, scores: st.SearchStrategy[float] = whole | sensible, most: int = 25) -> Clips:
    """Scores and labels of both classes, in any order."""
    real = draw(st.lists(scores, min_size=1, max_size=most))
    fakes = draw(st.lists(scores, min_size=1, max_size=most))
    together = draw(st.permutations([*((score, 0) for score in real), *((score, 1) for score in fakes)]))
    found, labels = zip(*together, strict=True)
    return np.array(found), np.array(labels)


def holds(examples: int = 150) -> Callable:
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


def gap(rates: ErrorRates) -> NDArray[np.float64]:
    return rates.frr - rates.far


@holds()
@given(clips(whole), st.sampled_from([lambda x: 3 * x - 7, lambda x: x**3, lambda x: np.exp(x / 4), np.arctan]))
def test_strictly_rising_maps_leave_eer_and_min_dcf_alone(drawn: Clips, rising: Callable) -> None:
    # Of whole numbers: of floats in general, a map that rises may make equals of neighbours.
    scores, labels = drawn
    assert equal_error_rate(rising(scores), labels) == equal_error_rate(scores, labels)
    assert min_dcf(rising(scores), labels) == min_dcf(scores, labels)


@holds(300)
@given(clips())
def test_swapping_the_classes_and_the_sign_leaves_the_eer_alone_but_for_equally_close_thresholds(drawn: Clips) -> None:
    # The rule that real clips come first among equals looks lopsided, and is not: both ways go through the same pairs
    # of error rates, in opposite order and with the rates' names swapped, whatever the ties. What is lopsided is that
    # of equally close thresholds the first is taken: from the other side it is the last, which may have another mean.
    scores, labels = drawn
    rates, swapped = error_rates(scores, labels), error_rates(-scores, 1 - labels)
    assert swapped.frr.tolist() == rates.far[::-1].tolist()
    assert swapped.far.tolist() == rates.frr[::-1].tolist()

    closest = np.flatnonzero(np.abs(gap(rates)) == np.abs(gap(rates)).min())
    means = (rates.frr[closest] + rates.far[closest]) / 2
    assert equal_error_rate(scores, labels) == means[0]
    assert equal_error_rate(-scores, 1 - labels) == means[-1]


def test_two_equally_close_thresholds_give_two_eers() -> None:
    # (1/2, 1) and (1/2, 0).
    scores, labels = np.array([1, 2, 3]), np.array([0, 1, 0])
    assert equal_error_rate(scores, labels) == 3 / 4
    assert equal_error_rate(-scores, 1 - labels) == 1 / 4


@holds(300)
@given(clips())
def test_min_dcf_is_bounded_by_the_eer(drawn: Clips) -> None:
    scores, labels = drawn
    rates = error_rates(scores, labels)
    eer, lowest = equal_error_rate(scores, labels), min_dcf(scores, labels)
    # Where both rates are closest the cost is 1.9 FRR + FAR = 2.9 EER + 0.45 (FRR - FAR), and the lowest is no higher.
    at_eer = gap(rates)[equal_error_index(rates)]
    assert lowest <= 2.9 * eer + 0.45 * at_eer + TINY
    if at_eer <= 0:
        assert lowest <= 2.9 * eer + TINY
    assert 0 <= lowest <= 1


def test_the_bound_without_the_gap_fails_for_few_clips() -> None:
    # FRR 1/4 and FAR 0 are the closest and the cheapest: 1.9 / 4, where the EER is 1/8.
    scores, labels = [1.0, 2.0, 3.0, 4.0, 5.0], [0, 1, 0, 0, 0]
    assert equal_error_rate(scores, labels) == 1 / 8
    assert min_dcf(scores, labels) == pytest.approx(1.9 / 4)
    assert min_dcf(scores, labels) > 2.9 / 8


@holds()
@given(clips())
def test_rates_only_rise_and_fall_and_figures_stay_in_their_range(drawn: Clips) -> None:
    scores, labels = drawn
    rates = error_rates(scores, labels)
    assert (np.diff(rates.frr) >= 0).all()
    assert (np.diff(rates.far) <= 0).all()
    assert (rates.frr[0], rates.far[0], rates.frr[-1], rates.far[-1]) == (0, 1, 1, 0)
    assert rates.can_decide[[0, -1]].all()
    found = compute_cm_metrics(scores, labels)
    assert found["cllr"] >= 0
    assert 0 <= found["act_dcf"] <= 2.9 + TINY
    assert found["min_dcf"] <= found["act_dcf"] + TINY
    for name in ("eer", "auc", "accuracy", "precision", "recall", "f1"):
        assert 0 <= found[name] <= 1 + TINY


@holds()
@given(clips(), st.randoms(use_true_random=False))
def test_the_order_of_the_clips_changes_nothing(drawn: Clips, random: object) -> None:
    scores, labels = drawn
    order = np.array(random.sample(range(len(scores)), len(scores)))  # type: ignore[attr-defined]
    found, again = compute_cm_metrics(scores, labels), compute_cm_metrics(scores[order], labels[order])
    for name in ("eer", "min_dcf", "auc", "thresholds", "counts"):
        assert found[name] == again[name]
    assert Meter(scores[order], labels[order]).headline() == pytest.approx(Meter(scores, labels).headline(), abs=TINY)


def largest_share(labels: NDArray, weights: NDArray | None = None) -> float:
    """How much of its class one clip is at most."""
    weights = np.ones(len(labels)) if weights is None else weights
    return max(float(weights[labels == label].max() / weights[labels == label].sum()) for label in (0, 1))


def assert_repeating_is_weighing(once: dict[str, float], repeated: dict[str, float], share: float) -> None:
    # A clip that stands twice makes two steps where one that counts twice makes one, on the same path from (0, 1) to
    # (1, 0). The cost is lowest at the end of steps, but the errors may be closer within one: off the crossing by no
    # more than a quarter of the step, on either side.
    assert abs(once["eer"] - repeated["eer"]) <= share / 2 + TINY
    rest = [name for name in HEADLINE if name != "eer"]
    assert [repeated[name] for name in rest] == pytest.approx([once[name] for name in rest], rel=TINY, abs=TINY)


@holds()
@given(clips(), st.integers(2, 4))
def test_repeating_every_clip_changes_nothing_but_how_finely_the_eer_is_found(drawn: Clips, times: int) -> None:
    scores, labels = drawn
    once = Meter(scores, labels).headline()
    repeated = Meter(np.tile(scores, times), np.tile(labels, times)).headline()
    assert_repeating_is_weighing(once, repeated, largest_share(labels))
    if not gap(error_rates(scores, labels))[equal_error_index(error_rates(scores, labels))]:
        assert repeated["eer"] == once["eer"]


@holds()
@given(clips(), st.data())
def test_a_weight_counts_a_clip_as_often(drawn: Clips, data: st.DataObject) -> None:
    scores, labels = drawn
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(scores), max_size=len(scores))))
    assume(weights[labels == 0].any() and weights[labels == 1].any())
    weighted = Meter(scores, labels).headline(weights)
    repeated = Meter(np.repeat(scores, weights), np.repeat(labels, weights)).headline()
    assert_repeating_is_weighing(weighted, repeated, largest_share(labels, weights))


@holds()
@given(clips(), st.data())
def test_weights_of_none_and_one_choose_clips(drawn: Clips, data: st.DataObject) -> None:
    scores, labels = drawn
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    assume((chosen & (labels == 0)).any() and (chosen & (labels == 1)).any())
    weighted = Meter(scores, labels).headline(chosen)
    assert weighted["eer"] == equal_error_rate(scores[chosen], labels[chosen])
    assert weighted == pytest.approx(Meter(scores[chosen], labels[chosen]).headline(), rel=TINY, abs=TINY)


@holds()
@given(clips(), st.data())
def test_labels_may_be_spelt_in_any_way(drawn: Clips, data: st.DataObject) -> None:
    scores, labels = drawn
    names = {0: ["real", "bonafide"], 1: ["fake", "spoof"]}
    spelt = [data.draw(st.sampled_from(names[label])) for label in labels.tolist()]
    expected = compute_cm_metrics(scores, labels)
    kinds = [
        labels.astype(bool),
        labels.astype(float),
        labels.astype(np.uint8),
        labels.astype(object),
        labels.tolist(),
    ]
    for same in (*kinds, spelt, np.array(spelt), np.array(spelt, object)):
        assert compute_cm_metrics(scores, same) == expected


@holds()
@given(clips())
def test_auc_is_how_often_a_real_clip_scores_above_a_fake(drawn: Clips) -> None:
    scores, labels = drawn
    real, fakes = scores[labels == 0], scores[labels == 1]
    above = sum((one > other) + 0.5 * (one == other) for one in real for other in fakes)
    assert auc_of(error_rates(scores, labels)) == pytest.approx(above / (len(real) * len(fakes)), abs=TINY)


thousandths = st.integers(-5_000, 5_000).map(lambda number: number / 1000)


def calibratable(drawn: Clips) -> bool:
    """Whether real clips score higher on average, by so much that it does not hang on rounding."""
    scores, labels = drawn
    return scores[labels == 0].mean() - scores[labels == 1].mean() > 1e-3


@holds(200)
@given(clips(whole | thousandths), st.sampled_from([0.05, 0.5, 0.655, 0.95]))
def test_ratios_rise_with_the_scores_wherever_real_clips_score_higher_on_average(drawn: Clips, prior: float) -> None:
    scores, labels = drawn
    if not calibratable(drawn):
        assume(scores[labels == 0].mean() - scores[labels == 1].mean() < -1e-3)
        with pytest.raises(ValueError, match="no rising line"):
            calibrate(scores, labels, prior)
        return
    ratios = calibrate(scores, labels, prior)(scores)
    order = np.argsort(scores, kind="stable")
    assert (np.diff(ratios[order])[np.diff(scores[order]) > 0] > 0).all()
    assert equal_error_rate(ratios, labels) == equal_error_rate(scores, labels)
    assert min_dcf(ratios, labels) == min_dcf(scores, labels)
    if prior == 0.5:
        # Fitted for even odds, as Cllr counts them: no worse than to say nothing, though the targets are drawn in.
        assert cllr(ratios, labels) <= 1 + 1e-9


def loss(labels: NDArray, ratios: NDArray, prior: float) -> float:
    """What a calibration makes as small as a line can: the cross-entropy under the prior, with a little doubt."""
    doubt = sum(1 / (np.sum(labels == label) + 2) for label in (0, 1))
    total = 0.0
    for label, weight in ((0, prior), (1, 1 - prior)):
        logits = ratios[labels == label] + np.log(prior / (1 - prior))
        target = doubt * prior + (1 - doubt) * (label == 0)
        total += weight * np.mean(target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits))
    return total


@holds()
@given(clips(whole | thousandths).filter(calibratable), st.sampled_from([0.05, 0.5, 0.655, 0.95]))
def test_no_other_line_calibrates_better(drawn: Clips, prior: float) -> None:
    scores, labels = drawn
    ratios = calibrate(scores, labels, prior)(scores)
    # Neither the scores themselves, nor ratios of nothing, nor a line a little steeper, flatter, higher or lower.
    others = [scores, 0 * scores, *(scale * ratios for scale in (0.9, 0.999, 1.001, 1.1))]
    for other in (*others, *(ratios + offset for offset in (-0.1, -0.001, 0.001, 0.1))):
        assert loss(labels, ratios, prior) <= loss(labels, other, prior) + TINY


@holds()
@given(clips(whole | thousandths).filter(calibratable), st.integers(-3, 3), st.floats(-50, 50))
def test_ratios_do_not_depend_on_the_scale_and_the_origin_of_the_scores(
    drawn: Clips, power: int, offset: float
) -> None:
    scores, labels = drawn
    moved = 10.0**power * scores + offset
    expected = calibrate(scores, labels)(scores)
    np.testing.assert_allclose(calibrate(moved, labels)(moved), expected, rtol=1e-6, atol=1e-6)


@holds(200)
@given(clips(), st.sampled_from([0.05, 0.1, 0.25, 0.4]))
def test_operating_points_keep_their_promise(drawn: Clips, share: float) -> None:
    scores, labels = drawn
    found = {point.name: point for point in operating_points(scores, labels, [share])}
    text = f"{share * 100:g}%"
    assert (f"real_flagged_{text}" in found) == ((labels == 0).sum() * share >= 1)
    assert (f"fakes_missed_{text}" in found) == ((labels == 1).sum() * share >= 1)
    for name, point in found.items():
        is_fake = scores < point.threshold
        assert point.frr == is_fake[labels == 0].mean()
        assert point.far == (~is_fake)[labels == 1].mean()
        # The best that keeps to it: the next score higher or lower would break the promise.
        if name.startswith("real_flagged"):
            assert point.frr <= share
            above = scores[scores >= point.threshold]
            assert not len(above) or rates_at(scores, labels, np.nextafter(above.min(), np.inf))[0] > share
        if name.startswith("fakes_missed"):
            assert point.far <= share
            below = scores[scores < point.threshold]
            assert not len(below) or rates_at(scores, labels, below.max())[1] > share
    thresholds = [point.threshold for point in operating_points(scores, labels, [share])]
    assert thresholds == sorted(thresholds)
    closest = min(abs(np.subtract(*rates_at(scores, labels, each))) for each in [*scores, np.inf])
    assert abs(found["equal_errors"].frr - found["equal_errors"].far) == closest


@holds(300)
@given(clips(), st.sampled_from([0.05, 0.1, 0.25, 0.4]))
def test_the_band_keeps_its_promise(drawn: Clips, share: float) -> None:
    scores, labels = drawn
    lower, upper = abstention_band(scores, labels, share)
    assert lower <= upper
    assert (scores[labels == 0] < lower).mean() <= share
    assert (scores[labels == 1] >= upper).mean() <= share


@holds(60)
@given(clips(most=15), st.data())
def test_macro_average_is_the_mean_over_groups_with_both_classes(drawn: Clips, data: st.DataObject) -> None:
    scores, labels = drawn
    values = data.draw(st.lists(st.sampled_from("abc"), min_size=len(scores), max_size=len(scores)))
    groups = breakdown(scores, labels, values)
    measured = [group.metrics["eer"] for group in groups if group.metrics is not None]
    average = macro_average(groups)
    assert bool(average) == bool(measured)
    if measured:
        assert average["eer"] == pytest.approx(sum(measured) / len(measured))
        assert min(measured) - TINY <= average["eer"] <= max(measured) + TINY


@holds(60)
@given(clips(), st.sampled_from([0.05, 0.25]))
def test_points_and_bands_are_plain_numbers(drawn: Clips, share: float) -> None:
    scores, labels = drawn
    for point in operating_points(scores, labels, [share]):
        assert [type(value) for value in astuple(point)] == [str, str, float, float, float]
    assert [type(end) for end in abstention_band(scores, labels, share)] == [float, float]
