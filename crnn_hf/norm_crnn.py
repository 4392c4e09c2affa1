"""Batch norm of clips of different lengths, whose padding is left out."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable


class CRNNMaskedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics, in training, leave out the padding."""

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Normalise (batch, channels, steps, bands); `mask` is (batch, steps), true where a step is the clip's.

        In training with a mask, the padding becomes 0.
        """
        if mask is None or not self.training:
            return super().forward(hidden_states)
        return _Normalisation.apply(hidden_states, mask[:, None, :, None], self.weight, self.bias, self)

    def over_all(self, *sums: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Sums over the clips of a batch: over this one's, unless a subclass knows of more. Each (channels,) or ()."""
        return sums

    def update_running_statistics(self, mean: torch.Tensor, unbiased_variance: torch.Tensor) -> None:
        """Let the statistics for evaluation follow those of a batch, (channels,) each."""
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(unbiased_variance.to(self.running_var.dtype), self.momentum)


class _Normalisation(torch.autograd.Function):
    """What a batch norm does in training, without the padding.

    Written out, for as single operations it takes as long as the convolutions: each goes through all the memory of
    the batch, which does not fit the processor's caches, as a clip does. The gradients are those of S. Ioffe and
    C. Szegedy, "Batch normalization", ICML 2015, https://arxiv.org/abs/1502.03167.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden_states: torch.Tensor,
        mask: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        norm: CRNNMaskedBatchNorm,
    ) -> torch.Tensor:
        # In float32, for half precision cannot count the positions of a batch.
        total, squares = (torch.zeros_like(weight, dtype=torch.float32) for _ in range(2))
        for states, is_clip in _clips(hidden_states, mask):
            states = states.float() * is_clip
            total += states.sum((0, 2, 3))
            squares += states.square_().sum((0, 2, 3))
        total, squares, count = norm.over_all(total, squares, (mask.sum() * hidden_states.shape[-1]).float())
        # At least 1, should it be all padding.
        count = count.clamp(min=1)
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=0)
        norm.update_running_statistics(mean, variance * count / (count - 1).clamp(min=1))
        scale = weight * torch.rsqrt(variance + norm.eps)
        shift = bias - mean * scale
        normal = torch.empty_like(hidden_states)
        for states, is_clip, found in _clips(hidden_states, mask, normal):
            found.copy_(_over_channels(states, scale, shift).mul_(is_clip))
        ctx.save_for_backward(hidden_states, mask, scale, mean, torch.rsqrt(variance + norm.eps), count)
        ctx.norm = norm
        return normal

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slopes: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden_states, mask, scale, mean, inverse, count = ctx.saved_tensors
        of_bias, products = torch.zeros_like(mean), torch.zeros_like(mean)
        for states, is_clip, slope in _clips(hidden_states, mask, slopes):
            slope = slope.float() * is_clip
            of_bias += slope.sum((0, 2, 3))
            products += slope.mul_(states).sum((0, 2, 3))
        of_weight = (products - mean * of_bias) * inverse
        # The statistics depend on all clips, so through them each has a part in all slopes.
        all_of_bias, all_of_weight = ctx.norm.over_all(of_bias, of_weight)
        by_state = -scale * inverse * all_of_weight / count
        by_all = -scale * all_of_bias / count - by_state * mean
        of_states = torch.empty_like(hidden_states)
        for states, is_clip, slope, found in _clips(hidden_states, mask, slopes, of_states):
            spread = _over_channels(states, by_state, by_all).addcmul_(slope.float(), scale[:, None, None])
            found.copy_(spread.mul_(is_clip))
        return of_states, None, of_weight, of_bias, None


def _clips(*batches: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Some clips of each batch at a time: on a processor one, which its caches hold, elsewhere all."""
    size = 1 if batches[0].device.type == "cpu" else len(batches[0])
    return zip(*(batch.split(size) for batch in batches), strict=True)


def _over_channels(states: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """States times their channel's scale plus its shift, in float32."""
    return torch.addcmul(shift[:, None, None], states.float(), scale[:, None, None])
