#!/usr/bin/env python
"""Seconds for all figures of ASVspoof 5's evaluation set, Track 1, on one core, beside a plain reading of them.

The scores are drawn at random, as many as the set has clips of each class. The plain reading sorts, steps through the
thresholds one by one for minDCF, and otherwise takes the definitions at their word. All ways run in this process, in
turns; the ratio is that of the medians. Sorting alone is the floor of anything that needs an order. NumPy does all of
this in one thread, but for a few dot products, which the variable below keeps to one as well.

    OPENBLAS_NUM_THREADS=1 .venv/bin/python scripts/benchmark_metrics.py
"""

import argparse
import math
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from crnn_hf.metrics.confidence import bootstrap_intervals
from crnn_hf.metrics.detection_cost import act_dcf, min_dcf_of
from crnn_hf.metrics.error_rates import eer_of, error_rates
from crnn_hf.metrics.likelihood_ratio_cost import cllr
from crnn_hf.metrics.summary import compute_cm_metrics

REAL, FAKE = 138_688, 542_086
DRAWS = 20  # of the bootstrap, enough to say how many a second there are

Figures = dict[str, float]


def drawn() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores of overlapping classes in mixed order, with the precision of float32, and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1], [REAL, FAKE]))
    return rng.normal(1.0 - 2.0 * labels, 1.5).astype(np.float32).astype(np.float64), labels


def ours(scores: NDArray, labels: NDArray) -> Figures:
    """The four of the challenge alone."""
    rates = error_rates(scores, labels)
    return {
        "eer": eer_of(rates),
        "min_dcf": min_dcf_of(rates),
        "act_dcf": act_dcf(scores, labels),
        "cllr": cllr(scores, labels),
    }


def plain(scores: NDArray, labels: NDArray) -> Figures:
    """The same four as their definitions read."""
    real, fake = scores[labels == 0], scores[labels == 1]
    is_real = np.concatenate([np.ones(len(real)), np.zeros(len(fake))])
    is_real = is_real[np.argsort(np.concatenate([real, fake]), kind="mergesort")]
    frr = np.concatenate([[0.0], np.cumsum(is_real) / len(real)])
    far = np.concatenate([[1.0], (len(fake) - np.cumsum(1 - is_real)) / len(fake)])
    closest = np.argmin(np.abs(frr - far))
    lowest = math.inf
    for index in range(len(frr)):
        lowest = min(lowest, 1.0 * frr[index] * 0.95 + 10.0 * far[index] * 0.05)
    threshold = -math.log(1.9)
    actual = 0.95 * np.mean(real < threshold) + 0.5 * np.mean(fake >= threshold)
    bits = (np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean()) / math.log(2)
    return {
        "eer": float(frr[closest] + far[closest]) / 2,
        "min_dcf": float(lowest) / 0.5,
        "act_dcf": float(actual) / 0.5,
        "cllr": float(bits) / 2,
    }


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(rounds: int) -> None:
    scores, labels = drawn()
    expected = plain(scores, labels)
    off = max(abs(value - expected[name]) for name, value in ours(scores, labels).items())
    print(f"{REAL:,} real clips and {FAKE:,} fakes; the figures differ by {off:.0e} at most.\n")
    ways: dict[str, Callable[[], object]] = {
        "the four figures": lambda: ours(scores, labels),
        "compute_cm_metrics": lambda: compute_cm_metrics(scores, labels),
        "plain reading": lambda: plain(scores, labels),
        "sorting alone": lambda: np.sort(scores),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds(way))
    four, floor = median(times["the four figures"]), median(times["sorting alone"])
    print(f"{'':20}{'seconds':>9}{'it / the four':>15}")
    for name, taken in times.items():
        print(f"{name:20}{median(taken):9.3f}{median(taken) / four:15.2f}")
    print(f"\nSorting alone is {floor / four:.0%} of the time of the four figures.")


def bootstrap() -> None:
    scores, labels = drawn()
    taken = seconds(lambda: bootstrap_intervals(scores, labels, resamples=DRAWS))
    print(f"A bootstrap makes {DRAWS / taken:.1f} draws a second: 1,000 take {1000 * taken / DRAWS / 60:.1f} minutes.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    compare(options.rounds)
    bootstrap()


if __name__ == "__main__":
    main()
