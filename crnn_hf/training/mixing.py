"""Mixup: clips and labels of a batch mixed in pairs."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional as F


@dataclass(frozen=True)
class Mixup:
    """Mix each clip's log-mel spectrogram with another's, and their labels in the same shares; waveforms too, if any.

    H. Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018; the share is drawn for each clip from
    Beta(alpha, alpha). A mixed clip ends where the shorter of the two ends, so that each of its frames holds both in
    the shares that its label says; what was longer becomes padding. PyTorch's generator draws.

    Attributes:
        alpha: of the Beta distribution, above 0: the larger, the more even the shares.
        num_labels: how many labels the model has.
    """

    alpha: float
    num_labels: int

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Mix a batch as the collator makes it.

        Args:
            batch: `input_features`, (batch, frames, mel); optionally `attention_mask`, (batch, frames), 1 for the
                frames of a clip, which come first, and 0 for padding; optionally `input_values`, the waveforms of the
                same frames, (batch, samples); `labels`, (batch,), int64.

        Returns:
            A new mapping with new `input_features`, new `attention_mask` and `input_values` if there were any, and
            `labels` as probabilities, (batch, num_labels), float32.
        """
        features = batch["input_features"]
        other = torch.randperm(len(features)).to(features.device)
        share = Beta(self.alpha, self.alpha).sample((len(features),)).to(features.device)
        mixed = {**batch, "input_features": _mix(features, other, share[:, None, None])}
        if "input_values" in batch:
            mixed["input_values"] = _mix(batch["input_values"], other, share[:, None])
        if "attention_mask" in batch:
            mask = batch["attention_mask"]
            mixed["attention_mask"] = mask * mask[other]
            mixed["input_features"] = mixed["input_features"].masked_fill(mixed["attention_mask"][..., None] == 0, 0)
        mixed["labels"] = _mix(F.one_hot(batch["labels"], self.num_labels).float(), other, share[:, None])
        return mixed


def _mix(values: Tensor, other: Tensor, share: Tensor) -> Tensor:
    return (share * values.float() + (1 - share) * values[other].float()).to(values.dtype)
