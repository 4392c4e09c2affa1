"""Several processes train as one would on all their clips together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn

from crnn_hf.norm_crnn import CRNNMaskedBatchNorm


class SharedBatchNorm(CRNNMaskedBatchNorm):
    """Batch norm whose statistics, in training, are those of the clips of all processes, without their padding."""

    def forward(self, hidden_states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalise (batch, channels, steps, bands); `mask` is (batch, steps), true where a step is the clip's."""
        if mask is None and self.training:
            mask = torch.ones_like(hidden_states[:, 0, :, 0], dtype=torch.bool)
        return super().forward(hidden_states, mask)

    def over_all(self, *sums: Tensor) -> tuple[Tensor, ...]:
        """Sums over the clips of a batch of this process, to those over the batches of all."""
        # One exchange for all of them.
        total = torch.hstack(sums)
        dist.all_reduce(total)
        return total.split([one.numel() for one in sums])


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


@contextmanager
def cores_left_to(workers: int) -> Iterator[None]:
    """Take PyTorch's threads off as many cores as there are workers, which read clips meanwhile.

    What is shared out among threads waits for the last of them, and that one for a core: on two cores, one of which a
    worker keeps busy, a step of training takes half as long again with two threads as with one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
