"""What a detector's errors cost."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.error_rates import ErrorRates, error_rates
from crnn_hf.metrics.trials import checked

# ASVspoof 5, Track 1: how likely a clip is fake, what rejecting a real one costs, what accepting a fake costs.
PRIOR_OF_FAKE = 0.05
COST_OF_REJECTING_REAL = 1.0
COST_OF_ACCEPTING_FAKE = 10.0

REJECTING = COST_OF_REJECTING_REAL * (1 - PRIOR_OF_FAKE)
ACCEPTING = COST_OF_ACCEPTING_FAKE * PRIOR_OF_FAKE

# Where a log-likelihood ratio makes both errors cost the same, -ln 1.9; and the prior of a real clip which, with equal
# costs, would lead to the same decisions (N. Bruemmer and J. du Preez, Computer Speech and Language 20, 2006).
BAYES_THRESHOLD = -math.log(REJECTING / ACCEPTING)
EFFECTIVE_PRIOR_OF_REAL = REJECTING / (REJECTING + ACCEPTING)


def min_dcf(scores: ArrayLike, labels: ArrayLike) -> float:
    """Detection cost at the best threshold, ASVspoof 5's primary metric; a system that knows nothing has 1.0.

    With the costs above it is the minimum of `1.9 * FRR + FAR`. Arguments and errors are those of `error_rates`.
    """
    return min_dcf_of(error_rates(scores, labels))


def min_dcf_of(rates: ErrorRates) -> float:
    """minDCF of error rates that are computed already."""
    return float(_cost(rates.frr, rates.far).min())


def min_dcf_index(rates: ErrorRates) -> int:
    """Where the detection cost is lowest."""
    return int(_cost(rates.frr, rates.far).argmin())


def act_dcf(scores: ArrayLike, labels: ArrayLike) -> float:
    """Detection cost of taking the scores for what they claim to be, natural-log likelihood ratios.

    A clip passes for real if its score is at least -ln 1.9. Worse than 1.0 means that one would do better without the
    detector. Arguments and errors are those of `error_rates`.
    """
    scores, is_fake = checked(scores, labels)
    return act_dcf_of(scores, is_fake, np.ones(len(scores)))


def act_dcf_of(scores: NDArray, is_fake: NDArray[np.bool_], weights: NDArray) -> float:
    """actDCF where each clip counts for as many as its weight says; all arguments are of shape (clips,)."""
    real, fake = weights * ~is_fake, weights * is_fake
    passes = scores >= BAYES_THRESHOLD
    return float(_cost((real * ~passes).sum() / real.sum(), (fake * passes).sum() / fake.sum()))


def _cost(frr: NDArray | float, far: NDArray | float) -> NDArray | float:
    return (REJECTING * frr + ACCEPTING * far) / min(REJECTING, ACCEPTING)
