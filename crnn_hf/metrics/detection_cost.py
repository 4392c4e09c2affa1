"""What a detector's errors cost."""

from numpy.typing import ArrayLike

from crnn_hf.metrics.error_rates import ErrorRates, error_rates

# ASVspoof 5, Track 1: how likely a clip is fake, what rejecting a real one costs, what accepting a fake costs.
PRIOR_OF_FAKE = 0.05
COST_OF_REJECTING_REAL = 1.0
COST_OF_ACCEPTING_FAKE = 10.0


def min_dcf(scores: ArrayLike, labels: ArrayLike) -> float:
    """Detection cost at the best threshold, ASVspoof 5's primary metric; a system that knows nothing has 1.0.

    With the costs above it is the minimum of `1.9 * FRR + FAR`. Arguments and errors are those of `error_rates`.
    """
    return min_dcf_of(error_rates(scores, labels))


def min_dcf_of(rates: ErrorRates) -> float:
    """minDCF of error rates that are computed already."""
    rejecting = COST_OF_REJECTING_REAL * (1 - PRIOR_OF_FAKE)
    accepting = COST_OF_ACCEPTING_FAKE * PRIOR_OF_FAKE
    return float((rejecting * rates.frr + accepting * rates.far).min() / min(rejecting, accepting))
