"""EER and minDCF as ASVspoof 5 defines them, on cases small enough to count by hand, and their properties."""

import numpy as np
import pytest

from crnn_hf.metrics import equal_error_rate, error_rates, min_dcf

REAL, FAKE = 0, 1


def drawn(seed: int, clips: int = 200, digits: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Scores of overlapping classes; few digits make ties."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([[REAL, FAKE], rng.integers(0, 2, clips - 2)])
    return np.round(rng.normal(1.0 - 1.5 * labels), digits), labels


def test_error_rates_by_hand() -> None:
    rates = error_rates([0.3, 0.1, 0.2, 0.4], [FAKE, FAKE, REAL, REAL])
    assert rates.thresholds.tolist() == [-np.inf, 0.1, 0.2, 0.3, 0.4]
    assert rates.frr.tolist() == [0, 0, 0.5, 0.5, 1]
    assert rates.far.tolist() == [1, 0.5, 0.5, 0, 0]


@pytest.mark.parametrize(
    ("scores", "labels", "eer", "dcf"),
    [
        ([1, 2, 3, 4], [FAKE, FAKE, REAL, REAL], 0.0, 0.0),
        ([1, 2, 3, 4], [REAL, REAL, FAKE, FAKE], 1.0, 1.0),
        ([0.3, 0.1, 0.2, 0.4], [FAKE, FAKE, REAL, REAL], 0.5, 0.5),
        # All equal: the real clips come first, so that half of them are rejected while all fakes pass.
        ([5, 5, 5, 5], [FAKE, REAL, FAKE, REAL], 1.0, 1.0),
        # No threshold makes both rates equal: 1/3 and 1/2 are the closest, and their mean is taken.
        ([1, 2, 3, 4, 5], [FAKE, REAL, FAKE, REAL, REAL], 5 / 12, 0.5),
    ],
)
def test_figures_by_hand(scores: list[float], labels: list[int], eer: float, dcf: float) -> None:
    assert equal_error_rate(scores, labels) == pytest.approx(eer)
    assert min_dcf(scores, labels) == pytest.approx(dcf)


def counted(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """EER and minDCF by stepping through the sorted scores one at a time, as plainly as can be."""
    order = sorted(range(len(scores)), key=lambda clip: (scores[clip], labels[clip] == FAKE))
    rejected = accepted = 0
    points = [(0.0, 1.0)]
    fakes = int((labels == FAKE).sum())
    accepted = fakes
    for clip in order:
        rejected += labels[clip] == REAL
        accepted -= labels[clip] == FAKE
        points.append((rejected / (len(labels) - fakes), accepted / fakes))
    frr, far = min(points, key=lambda point: round(abs(point[0] - point[1]), 12))
    return (frr + far) / 2, min(1.9 * frr + far for frr, far in points)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("digits", [6, 1, 0])
def test_figures_equal_those_counted_step_by_step(seed: int, digits: int) -> None:
    scores, labels = drawn(seed, digits=digits)
    eer, dcf = counted(scores, labels)
    assert equal_error_rate(scores, labels) == pytest.approx(eer, abs=1e-9)
    assert min_dcf(scores, labels) == pytest.approx(dcf, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_properties(seed: int) -> None:
    scores, labels = drawn(seed)
    eer, dcf = equal_error_rate(scores, labels), min_dcf(scores, labels)
    assert 0 < eer < 0.5
    assert 0 < dcf <= min(1, 2.9 * eer + 1e-9)
    # A monotone transform changes neither, nor does the order of the clips.
    assert equal_error_rate(np.exp(scores), labels) == eer
    assert min_dcf(3 * scores - 7, labels) == dcf
    order = np.random.default_rng(seed).permutation(len(scores))
    assert equal_error_rate(scores[order], labels[order]) == eer
    assert min_dcf(scores[order], labels[order]) == dcf


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, np.nan, np.inf], [REAL, FAKE, FAKE], "2 scores are not finite numbers, the first at 1: nan"),
        ([1.0, 2.0], [REAL], r"shapes \(2,\) and \(1,\)"),
        ([[1.0], [2.0]], [[REAL], [FAKE]], r"shapes \(2, 1\)"),
        ([1.0, 2.0], [REAL, REAL], "found real clips only"),
        ([1.0, 2.0], [FAKE, FAKE], "found fakes only"),
        ([], [], "found no clip"),
        ([1.0, 2.0, 3.0], [REAL, FAKE, 2], r"found \[2\]"),
    ],
)
def test_what_cannot_be_right_is_refused(scores: list, labels: list, message: str) -> None:
    for metric in (equal_error_rate, min_dcf):
        with pytest.raises(ValueError, match=message):
            metric(scores, labels)
