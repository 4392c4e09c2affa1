"""Of two opinions each counts for as much as other clips say."""

import numpy as np
import pytest
import torch

from crnn_hf.training.fusion import MOST_FACTOR, SHRINKAGE, fusion_factor, logistic_regression


def test_no_other_weights_have_a_lower_cost() -> None:
    rng = np.random.default_rng(0)
    is_fake = rng.random(600) < 0.3
    scores = rng.standard_normal((600, 20))
    scores[:, :5] += is_fake[:, None]
    inputs, targets = torch.from_numpy(scores), torch.from_numpy(is_fake).double()
    start = rng.standard_normal(21) * 0.1
    found = torch.from_numpy(logistic_regression(scores, is_fake, start)).requires_grad_()
    shares = torch.where(targets > 0, 0.5 / targets.sum(), 0.5 / (1 - targets).sum())
    costs = torch.nn.functional.binary_cross_entropy_with_logits(
        inputs @ found[:-1] + found[-1], targets, reduction="none"
    )
    pull = SHRINKAGE / 2 * (found[:-1] - torch.from_numpy(start[:-1])).square().sum()
    # The cost is convex: where it has no slope it is lowest.
    (slope,) = torch.autograd.grad((shares * costs).sum() + pull, found)
    assert slope.abs().max() < 1e-6


@pytest.mark.parametrize("too_sure", [0.5, 1.0, 3.0])
def test_who_is_too_sure_counts_for_less(too_sure: float) -> None:
    rng = np.random.default_rng(0)
    is_fake = rng.random(20_000) < 0.2
    # Of two that are as often wrong, independently.
    scores, others = rng.normal(np.where(is_fake, -2, 2), 4.0, (2, 20_000))
    assert fusion_factor(too_sure * scores, others, is_fake) == pytest.approx(too_sure, rel=0.1)


def test_who_is_wrong_is_not_silenced() -> None:
    is_fake = np.arange(20) < 10
    scores, others = np.where(is_fake, -1.0, 1.0), np.where(is_fake, 3.0, -3.0)
    assert fusion_factor(scores, others, is_fake) == 1 / MOST_FACTOR
    assert fusion_factor(others, scores, is_fake) == MOST_FACTOR
