"""Random crops."""

import numpy as np
import torch


class RandomCrop:
    """Keep a stretch of a waveform that begins anywhere; leave shorter waveforms as they are.

    So that a clip's length, and the silence at its ends, tell training nothing. Randomness is PyTorch's, which a
    `DataLoader` seeds in each of its workers.

    Args:
        samples: length of the stretch.

    Raises:
        ValueError: `samples` is below 1.
    """

    def __init__(self, samples: int) -> None:
        if samples < 1:
            raise ValueError(f"samples must be at least 1; found {samples}")
        self.samples = samples

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """(samples,) to (at most `self.samples`,)."""
        spare = len(waveform) - self.samples
        if spare <= 0:
            return waveform
        start = int(torch.randint(spare + 1, ()))
        return waveform[start : start + self.samples]
