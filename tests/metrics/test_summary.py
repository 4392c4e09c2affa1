"""All metrics at once, beside ASVspoof 5's definitions read one clip at a time; and the field's score."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

from crnn_hf.metrics import (
    HEADLINE,
    act_dcf,
    cllr,
    compute_cm_metrics,
    decision_metrics,
    equal_error_rate,
    min_dcf,
    polarity_warning,
    real_scores,
)
from crnn_hf.metrics.summary import Meter


def counted(scores: list[float], labels: list[int]) -> dict[str, float]:
    """The challenge's four figures by stepping through the clips, as plainly as can be."""
    real = sum(label == 0 for label in labels)
    fakes = len(labels) - real
    rejected, accepted = 0, fakes
    points = [(0.0, 1.0)]
    for _, label in sorted(zip(scores, labels, strict=True)):  # among equal scores real clips, of label 0, come first
        if label == 0:
            rejected += 1
        else:
            accepted -= 1
        points.append((rejected / real, accepted / fakes))
    frr, far = min(points, key=lambda point: abs(point[0] - point[1]))

    threshold = -math.log(1.9)
    below = sum(score < threshold for score, label in zip(scores, labels, strict=True) if label == 0)
    above = sum(score >= threshold for score, label in zip(scores, labels, strict=True) if label == 1)
    bits = [0.0, 0.0]
    for score, label in zip(scores, labels, strict=True):
        against = score if label == 1 else -score
        # log(1 + e^x) = x + log(1 + e^-x), of which one overflows where the other does not.
        bits[label] += (max(against, 0.0) + math.log1p(math.exp(-abs(against)))) / math.log(2)
    return {
        "eer": (frr + far) / 2,
        "min_dcf": min(0.95 * 1 * frr + 0.05 * 10 * far for frr, far in points) / 0.5,
        "act_dcf": (0.95 * 1 * below / real + 0.05 * 10 * above / fakes) / 0.5,
        "cllr": (bits[0] / real + bits[1] / fakes) / 2,
    }


def overlapping(seed: int, clips: int = 300, fakes: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (np.arange(clips) >= max(1, round(clips * (1 - fakes)))).astype(int)
    labels = rng.permutation(labels)
    return rng.normal(1.0 - 1.5 * labels), labels


def _sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {f"normal {seed}": overlapping(seed) for seed in range(5)}
    for digits in (1, 0, -1):
        scores, labels = overlapping(7)
        found[f"ties at {digits} digits"] = (np.round(3 * scores, digits), labels)
    scores, labels = overlapping(8)
    return {
        **found,
        "constant": (np.full(300, 0.3), labels),
        "parted": (labels * -5.0 + scores / 100, labels),
        "reversed": (-scores, labels),
        "one real clip": overlapping(9, fakes=1.0),
        "one fake": overlapping(10, fakes=1 / 300),
        "a clip of each": (np.array([1.0, 1.0]), np.array([0, 1])),
        "float32": (scores.astype(np.float32), labels),
        "float16": (scores.astype(np.float16), labels),
        "millions": (1e6 * scores, labels),
        "millionths": (1e-6 * scores, labels),
        "neighbours": (1.0 + np.round(3 * scores) * np.finfo(float).eps, labels),
        "verdicts": ((scores > 0).astype(float), labels),
        "100,000 clips": overlapping(11, clips=100_000, fakes=0.8),
    }


SETS = _sets()


@pytest.mark.parametrize("name", SETS)
def test_figures_equal_those_counted_clip_by_clip(name: str) -> None:
    scores, labels = SETS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compute_cm_metrics(scores, labels)
        alone = {
            "eer": equal_error_rate(scores, labels),
            "min_dcf": min_dcf(scores, labels),
            "act_dcf": act_dcf(scores, labels),
            "cllr": cllr(scores, labels),
        }
    expected = counted(scores.astype(float).tolist(), labels.tolist())
    assert {figure: found[figure] for figure in expected} == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert alone == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_the_eer_is_that_of_a_closest_threshold_exactly_compared() -> None:
    # Which of several equally close ones may hang on the rounding of thirds and so on, as it officially does.
    for seed in range(50):
        rng = np.random.default_rng(seed)
        real, fakes = rng.integers(1, 12, 2)
        labels = rng.permutation(np.repeat([0, 1], [real, fakes]))
        scores = rng.integers(0, 6, len(labels)).astype(float)
        points, rejected, accepted = [(Fraction(0), Fraction(1))], 0, int(fakes)
        for _, label in sorted(zip(scores, labels, strict=True)):
            rejected, accepted = rejected + int(label == 0), accepted - int(label == 1)
            points.append((Fraction(rejected, int(real)), Fraction(accepted, int(fakes))))
        closest = min(abs(frr - far) for frr, far in points)
        means = {float(frr + far) / 2 for frr, far in points if abs(frr - far) == closest}
        assert any(equal_error_rate(scores, labels) == pytest.approx(mean, abs=1e-15) for mean in means)


def test_all_metrics_have_their_names_and_values() -> None:
    found = compute_cm_metrics([2.0, 1.0, -1.0, -2.0, -3.0], ["real", "real", "fake", "fake", "fake"], threshold=1.5)
    bits = (np.log2(1 + np.exp([-2.0, -1.0])).mean() + np.log2(1 + np.exp([-1.0, -2.0, -3.0])).mean()) / 2
    assert found == {
        "eer": 0,
        "min_dcf": 0,
        "act_dcf": 0,
        "cllr": pytest.approx(bits),
        "auc": 1,
        "accuracy": pytest.approx(4 / 5),
        "precision": 3 / 4,
        "recall": 1,
        "f1": pytest.approx(6 / 7),
        "balanced": {
            "accuracy": pytest.approx(3 / 4),
            "precision": pytest.approx(2 / 3),
            "recall": 1,
            "f1": pytest.approx(4 / 5),
        },
        "thresholds": {"decision": 1.5, "eer": -1, "min_dcf": -1, "act_dcf": -math.log(1.9)},
        "counts": {"real": 2, "fake": 3},
    }
    assert tuple(found)[: len(HEADLINE)] == HEADLINE


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.5, 2.0])
def test_verdicts_are_those_of_the_threshold(threshold: float) -> None:
    # Some scores are at each of these thresholds: those clips are called real.
    scores, labels = overlapping(3)
    scores = np.round(2 * scores) / 2
    assert (scores == threshold).any()
    found = compute_cm_metrics(scores, labels, threshold)
    for name, value in decision_metrics(scores, labels, threshold).items():
        assert found[name] == value
    assert found["balanced"] == decision_metrics(scores, labels, threshold, balanced=True)


@pytest.mark.parametrize("threshold", [math.nan, math.inf, "real_flagged_1%"])
def test_a_threshold_that_is_no_finite_number_is_refused(threshold: float | str) -> None:
    with pytest.raises(ValueError, match="threshold must be a finite number; found"):
        compute_cm_metrics([1.0, 0.0], [0, 1], threshold)


def test_all_values_are_plain_and_finite() -> None:
    found = compute_cm_metrics(np.zeros(4, np.float32), np.array([0, 0, 1, 1]), threshold=np.float32(0))
    values = [*(found[name] for name in HEADLINE), *found["balanced"].values(), *found["thresholds"].values()]
    assert {type(value) for value in values} == {float}
    assert np.isfinite(values).all()
    assert {type(count) for count in found["counts"].values()} == {int}


def test_a_meter_without_weights_counts_every_clip_once() -> None:
    scores, labels = overlapping(0)
    meter = Meter(scores, labels)
    assert meter.headline() == meter.headline(np.ones(len(scores)))
    assert meter.headline(np.full(len(scores), 0.5)) == pytest.approx(meter.headline(), abs=1e-12)


def test_score_is_higher_for_real_whatever_the_order_of_the_labels() -> None:
    logits = [[2.0, -1.0], [0.0, 4.0]]
    assert real_scores(logits, {"real": 0, "fake": 1}).tolist() == [3, -4]
    assert real_scores(logits, {"fake": 0, "real": 1}).tolist() == [-3, 4]
    assert real_scores(np.zeros((0, 2)), {"real": 0, "fake": 1}).shape == (0,)
    with pytest.raises(ValueError, match=r"found \['cat', 'dog'\]"):
        real_scores(logits, {"cat": 0, "dog": 1})


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="logits that are not finite numbers: its training diverged"):
        real_scores([[0.0, np.nan]], {"real": 0, "fake": 1})


def test_reversed_scores_are_told() -> None:
    scores, labels = overlapping(0)
    assert polarity_warning(scores, labels) is None
    assert polarity_warning([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1]) == (
        "the scores look reversed: the EER is 100.00% as they are and 0.00% with the opposite sign. "
        "Expected higher scores for real clips"
    )
    assert "look reversed" in (polarity_warning(-scores, labels) or "")


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        # By the rule that real clips come first among equals, constant scores have an EER of 1, either way round.
        ([5.0, 5.0, 5.0], [0, 1, 1]),
        # An EER of exactly one half, either way round.
        ([0.3, 0.1, 0.2, 0.4], [1, 1, 0, 0]),
        # Many ties, which put both ways above one half.
        ([0.0, 0.0, 0.0, 1.0, 1.0], [0, 1, 1, 0, 1]),
    ],
)
def test_scores_that_are_no_better_the_other_way_round_are_not_told(scores: list[float], labels: list[int]) -> None:
    assert polarity_warning(scores, labels) is None


def test_one_class_alone_is_refused() -> None:
    for function in (compute_cm_metrics, polarity_warning, Meter):
        with pytest.raises(ValueError, match="found fakes only"):
            function([1.0, 2.0], [1, 1])


def test_scores_that_say_nothing_are_not_called_reversed() -> None:
    warnings = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        warnings.append(polarity_warning(rng.normal(size=200), np.arange(200) % 2))
    assert sum(warning is not None for warning in warnings) <= 5
