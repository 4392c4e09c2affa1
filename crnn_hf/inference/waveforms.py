"""Waveforms in, a score each out: what the pipeline and the streams share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from crnn_hf.inference.batches import scores_of


class UnheardError(ValueError):
    """A waveform of which the feature extractor makes nothing."""


def score_waveforms(
    detector: Any, feature_extractor: Any, waveforms: Sequence[NDArray[np.float32]]
) -> NDArray[np.float64]:
    """The score of each waveform, in one batch; higher for real.

    Args:
        detector, feature_extractor: from `crnn_hf.inference.load_backend`.
        waveforms: each (samples,), at the extractor's rate.

    Returns:
        (waveforms,)

    Raises:
        UnheardError: a waveform gives no features, being shorter than a frame.
        ValueError: the model gives logits that are not finite numbers.
    """
    rate = feature_extractor.sampling_rate
    try:
        batch = feature_extractor(list(waveforms), sampling_rate=rate, return_tensors="pt")
    except ValueError as error:
        raise UnheardError(str(error)) from error
    with torch.inference_mode():
        return scores_of(detector, batch)
