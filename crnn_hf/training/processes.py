"""Several processes train as one would on all their clips together."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from crnn_hf.modeling_crnn import CRNNMaskedBatchNorm


class SharedSum(torch.autograd.Function):
    """The sum over all processes of a tensor that each of them has, which each of them gets."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # What a process has goes into the sums of all, so it gets the slopes of all.
        return SharedSum.forward(ctx, gradient)


class SharedBatchNorm(CRNNMaskedBatchNorm):
    """Batch norm whose statistics, in training, are those of the clips of all processes, without their padding."""

    def forward(self, hidden_states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise (batch, channels, steps, bands); `mask` is (batch, steps), true where a step is the clip's."""
        if mask is None and self.training:
            mask = torch.ones_like(hidden_states[:, 0, :, 0], dtype=torch.bool)
        return super().forward(hidden_states, mask)

    def _totals(self, total: Tensor, squares: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # One exchange for all three.
        return SharedSum.apply(torch.hstack([total, squares, count])).split([len(total), len(squares), 1])


def share_batch_norm(model: nn.Module) -> None:
    """Let the batch norms of a model share their statistics among all processes. Its parameters stay as they are."""
    for module in model.modules():
        if type(module) is CRNNMaskedBatchNorm:
            module.__class__ = SharedBatchNorm


def weight_ratio(labels: Tensor, class_weights: Sequence[float]) -> Tensor:
    """How much a process's clips weigh in the loss, compared to those of a process on average.

    A loss that is the weighted mean over a process's clips, times this, has as its mean over the processes the
    weighted mean over all clips.

    Args:
        labels: (clips,), of this process; or each label's probability, (clips, labels), floats.
        class_weights: of each label.
    """
    weights = torch.tensor(class_weights, dtype=torch.float32, device=labels.device)
    weight = (labels @ weights if labels.is_floating_point() else weights[labels]).sum()
    total = weight.clone()
    dist.all_reduce(total)
    return weight * dist.get_world_size() / total
