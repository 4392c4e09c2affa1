"""A second opinion beside the CRNN's: how sharply neighbouring bands differ while there is speech.

Vocoders blur or sharpen the fine structure of the spectrum, whichever room, voice or language they imitate. Its
statistics over a clip are few, and a linear layer learns them from few clips, where a deep network learns the rooms,
voices and languages of so few by heart as well. The two err on different clips.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .configuration_crnn import CRNNConfig

# Frames that are looked at at once outside of training; an hour at once would not fit the memory.
BLOCK_FRAMES = 8192
# How fast a frame's weight grows with its loudness: per neper of its bands' mean power above that of the clip.
STEEPNESS = 2.0
# Standard deviations from the usual beyond which a statistic says no more, as those of digital silence.
FURTHEST = 5.0


class CRNNContrast(nn.Module):
    """Logits of the spectral contrast alone: a linear layer on its statistics.

    It is fitted to statistics, by `crnn_hf.training`, and not trained by gradients: what it holds are buffers. Before
    that it says nothing, and its logits are 0.
    """

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__()
        # No buffer: it is not learned, and the CPU has it even where a model is made without memory.
        self.differences = contrast_matrix(config.num_mel_bins, config.contrast_widths)
        size = 2 * self.differences.shape[1]
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.register_buffer("weight", torch.zeros(config.num_labels, size))
        self.register_buffer("bias", torch.zeros(config.num_labels))

    def forward(self, input_features: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(batch, frames, mel), (batch, frames) to (batch, labels), float32."""
        return self.classify(self.sums(input_features, mask).statistics())

    def sums(self, input_features: torch.Tensor, mask: torch.Tensor | None) -> "ContrastSums":
        """What the statistics of a batch are made of; see `contrast_sums`."""
        return contrast_sums(input_features, mask, self.differences.to(input_features.device))

    def classify(self, statistics: torch.Tensor) -> torch.Tensor:
        """(batch, 2 x widths x mel) to (batch, labels), float32."""
        return F.linear(self.normalise(statistics.float()), self.weight.float(), self.bias.float())

    def normalise(self, statistics: torch.Tensor) -> torch.Tensor:
        """Statistics relative to the usual ones; of the same shape."""
        return ((statistics - self.mean) / self.deviation).clamp(-FURTHEST, FURTHEST)


class ContrastSums(NamedTuple):
    """What the statistics are made of; those of two stretches add up.

    Attributes:
        weight: sum of the frames' weights, (batch, 1).
        total: weighted sum of the contrasts, (batch, widths x mel).
        squares: weighted sum of their squares, likewise.
    """

    weight: torch.Tensor
    total: torch.Tensor
    squares: torch.Tensor

    def plus(self, other: Self) -> Self:
        """Those of both stretches together."""
        return type(self)(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))

    def statistics(self) -> torch.Tensor:
        """Means and standard deviations, (batch, 2 x widths x mel)."""
        weight = self.weight.clamp(min=torch.finfo(torch.float32).tiny)
        mean = self.total / weight
        variance = self.squares / weight - mean.square()
        # The square root has no slope at 0, where a clip of one frame lies.
        return torch.cat([mean, variance.clamp(min=1e-6).sqrt()], dim=-1)


def contrast_sums(input_features: torch.Tensor, mask: torch.Tensor | None, differences: torch.Tensor) -> ContrastSums:
    """Sums over time of each band's contrast to the bands around it, and of its square; loud frames count more.

    Args:
        input_features: (batch, frames, mel), log-mel spectrograms whose mean over a clip is about 0.
        mask: (batch, frames), true where a frame is the clip's; None where all are.
        differences: from `contrast_matrix`.
    """
    # A traced or compiled graph shall not depend on the length it was made with.
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or input_features.shape[1] <= BLOCK_FRAMES:
        return _block_sums(input_features, mask, differences)
    blocks = input_features.split(BLOCK_FRAMES, dim=1)
    masks = [None] * len(blocks) if mask is None else mask.split(BLOCK_FRAMES, dim=1)
    return reduce(ContrastSums.plus, (_block_sums(*pair, differences) for pair in zip(blocks, masks, strict=True)))


def _block_sums(log_mel: torch.Tensor, mask: torch.Tensor | None, differences: torch.Tensor) -> ContrastSums:
    # In float32, for half precision cannot count the frames of a minute.
    log_mel = log_mel.float()
    if mask is not None:
        # Not a product, which would leave what is not finite as it is.
        log_mel = log_mel.masked_fill(~mask[..., None], 0)
    weights = torch.sigmoid(STEEPNESS * log_mel.mean(-1))
    if mask is not None:
        weights = weights * mask
    contrasts = log_mel @ differences
    of_frames = weights[:, None]
    return ContrastSums(
        weights.sum(1, keepdim=True), (of_frames @ contrasts)[:, 0], (of_frames @ contrasts.square())[:, 0]
    )


def contrast_matrix(bands: int, widths: Sequence[int]) -> torch.Tensor:
    """By how much each band differs from the mean of so many around it, fewer at the edges.

    Args:
        bands: how many there are.
        widths: how many are averaged, odd numbers.

    Returns:
        (bands, widths x bands), float32, to multiply spectrograms with.
    """
    distance = np.abs(np.arange(bands)[:, None] - np.arange(bands))
    around = [distance <= width // 2 for width in widths]
    return torch.from_numpy(np.hstack([np.eye(bands) - near / near.sum(0) for near in around]).astype(np.float32))
