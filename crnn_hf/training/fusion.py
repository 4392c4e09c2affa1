"""How much each of two opinions counts, by clips that neither has learned from."""

import numpy as np
from numpy.typing import NDArray

MOST_FACTOR = 4.0  # a few clips of evaluation are not to silence either
SHRINKAGE = 0.003  # of the weights, relative to the mean loss of a clip
NEWTON_STEPS = 50
CONVERGED = 1e-6
SMALLEST = 1e-9


def fusion_factor(scores: NDArray, others: NDArray, is_fake: NDArray[np.bool_]) -> float:
    """What other scores of the same clips are to be multiplied with, before the sum of both tells most.

    Logistic regression of both, in which each class counts one half: the usual fusion of detectors (N. Brümmer et al.,
    "Fusion of heterogeneous speaker recognition systems in the STBU submission for the NIST speaker recognition
    evaluation 2006", IEEE Transactions on Audio, Speech and Language Processing 15(7), 2007).

    Args:
        scores, others: (clips,), higher for real.
        is_fake: (clips,), of both kinds.

    Returns:
        From `1 / MOST_FACTOR` to `MOST_FACTOR`.
    """
    inputs = -np.stack([scores, others], axis=1)
    of_scores, of_others, _ = logistic_regression(inputs, is_fake, np.array([1.0, 1.0, 0.0]))
    return float(np.clip(of_others / max(of_scores, SMALLEST), 1 / MOST_FACTOR, MOST_FACTOR))


def logistic_regression(
    inputs: NDArray[np.float64], is_fake: NDArray[np.bool_], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The weights with which a linear layer gives the log odds of fake to real, the bias last, (inputs + 1,).

    Newton's method on the cross-entropy, in which each class counts one half, plus `SHRINKAGE / 2` times the squared
    distance of the weights, but not of the bias, to those at the start.

    Args:
        inputs: (clips, inputs), of mean 0 and deviation 1 or so.
        is_fake: (clips,), of both kinds.
        start: (inputs + 1,).
    """
    rows = np.hstack([inputs, np.ones((len(inputs), 1))])
    shares = np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())
    signs = np.where(is_fake, -1.0, 1.0)
    pull = np.full(rows.shape[1], SHRINKAGE)
    pull[-1] = 0

    def cost(weights: NDArray[np.float64]) -> float:
        return shares @ np.logaddexp(0, signs * (rows @ weights)) + pull @ (weights - start) ** 2 / 2

    weights, lowest = start, cost(start)
    for _ in range(NEWTON_STEPS):
        chance = 0.5 * (1 + np.tanh(rows @ weights / 2))
        slope = rows.T @ (shares * (chance - is_fake)) + pull * (weights - start)
        # The smallest number that keeps the bias in bounds where all clips are beyond doubt.
        curvature = (rows * (shares * chance * (1 - chance))[:, None]).T @ rows + np.diag(pull + SMALLEST)
        step = np.linalg.solve(curvature, slope)
        # Where the curve flattens, Newton's step is too long; a shorter one in its direction always lowers the cost.
        while (found := cost(weights - step)) > lowest and np.abs(step).max() > CONVERGED:
            step = step / 2
        weights, lowest = weights - step, found
        if np.abs(step).max() <= CONVERGED:
            break
    return weights
