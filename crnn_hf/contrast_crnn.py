"""A second opinion beside the CRNN's: how sharply neighbouring bands differ while somebody speaks.

Vocoders blur or sharpen the fine structure of the spectrum, whichever room, voice or language they imitate. Its
statistics over a clip are few, and a linear layer learns them from few clips, where a deep network learns the rooms,
voices and languages of so few by heart as well. The two err on different clips.
"""

from functools import reduce
from typing import NamedTuple, Self

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
        self.widths = tuple(config.contrast_widths)
        size = 2 * len(self.widths) * config.num_mel_bins
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.register_buffer("weight", torch.zeros(config.num_labels, size))
        self.register_buffer("bias", torch.zeros(config.num_labels))

    def forward(self, input_features: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(batch, frames, mel), (batch, frames) to (batch, labels), float32."""
        return self.classify(self.sums(input_features, mask).statistics())

    def sums(self, input_features: torch.Tensor, mask: torch.Tensor | None) -> "ContrastSums":
        """What the statistics of a batch are made of; see `contrast_sums`."""
        return contrast_sums(input_features, mask, self.widths)

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


def contrast_sums(input_features: torch.Tensor, mask: torch.Tensor | None, widths: tuple[int, ...]) -> ContrastSums:
    """Sums over time of each band's contrast to the bands around it, and of its square; loud frames count more.

    Args:
        input_features: (batch, frames, mel), log-mel spectrograms whose mean over a clip is about 0.
        mask: (batch, frames), true where a frame is the clip's; None where all are.
        widths: how many bands around each are averaged, odd numbers.
    """
    # A traced or compiled graph shall not depend on the length it was made with.
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or input_features.shape[1] <= BLOCK_FRAMES:
        return _block_sums(input_features, mask, widths)
    blocks = input_features.split(BLOCK_FRAMES, dim=1)
    masks = [None] * len(blocks) if mask is None else mask.split(BLOCK_FRAMES, dim=1)
    return reduce(ContrastSums.plus, (_block_sums(*pair, widths) for pair in zip(blocks, masks, strict=True)))


def _block_sums(log_mel: torch.Tensor, mask: torch.Tensor | None, widths: tuple[int, ...]) -> ContrastSums:
    # In float32, for half precision cannot count the frames of a minute.
    log_mel = log_mel.float()
    if mask is not None:
        # Not a product, which would leave what is not finite as it is.
        log_mel = log_mel.masked_fill(~mask[..., None], 0)
    weights = torch.sigmoid(STEEPNESS * log_mel.mean(-1))
    if mask is not None:
        weights = weights * mask
    contrasts = torch.cat([contrast(log_mel, width) for width in widths], dim=-1)
    of_frames = weights[:, None]
    return ContrastSums(
        weights.sum(1, keepdim=True), (of_frames @ contrasts)[:, 0], (of_frames @ contrasts.square())[:, 0]
    )


def contrast(log_mel: torch.Tensor, width: int) -> torch.Tensor:
    """By how much each band differs from the mean of so many around it, fewer at the edges; (batch, frames, mel)."""
    around = F.avg_pool1d(log_mel, width, stride=1, padding=width // 2, count_include_pad=False)
    return log_mel - around
