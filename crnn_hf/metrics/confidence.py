"""How far chance alone may have moved a figure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from crnn_hf.metrics.error_rates import checked


def bootstrap_intervals(
    metrics: Callable[[ArrayLike, ArrayLike], dict[str, float]],
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap over clips, within each class (B. Efron, Annals of Statistics 7(1), 1979).

    Clips of one speaker or one system are alike, which this does not know: the interval says how the figure would
    vary over other clips of the same corpus, not over other corpora.

    Args:
        metrics: a function of scores and labels that names its figures, such as `compute_metrics`.
        scores: (clips,), higher for real.
        labels: (clips,), 0 for real and 1 for fake.
        resamples: how often to draw.
        confidence: share of the resamples that the interval holds.
        seed: of the draws.

    Returns:
        Lower and upper end by the figure's name.

    Raises:
        ValueError: as `error_rates`.
    """
    scores, is_fake = checked(scores, labels)
    rng = np.random.default_rng(seed)
    real, fake = np.flatnonzero(~is_fake), np.flatnonzero(is_fake)
    draws = []
    for _ in range(resamples):
        drawn = np.concatenate([rng.choice(real, len(real)), rng.choice(fake, len(fake))])
        draws.append(metrics(scores[drawn], is_fake[drawn]))
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    return {name: tuple(np.quantile([draw[name] for draw in draws], ends).tolist()) for name in draws[0]}
