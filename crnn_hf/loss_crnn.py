"""Losses of the CRNN, and the head that those with a margin need.

A loss gives for every clip and every label what the clip would cost if it had that label. Class weights, label
smoothing and soft labels are then the same for all of them, see `weighted_mean`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from .configuration_crnn import CRNNConfig


class CRNNCosineClassifier(nn.Module):
    """Logits that are cosines between the embedding and a direction for each label, times `cosine_scale`.

    With OC-Softmax there is one direction, that of real speech. The difference of the two logits, real minus fake, is
    then `cosine_scale` times the cosine's distance to the middle of the two margins, so that 0 is undecided there too.
    """

    def __init__(self, config: CRNNConfig, size: int) -> None:
        super().__init__()
        self.scale = config.cosine_scale
        self.is_one_class = config.loss == "oc_softmax"
        self.weight = nn.Parameter(torch.empty(1 if self.is_one_class else config.num_labels, size))
        if self.is_one_class:
            self.middle = sum(config.margin) / 2
            self.signs = [0.5 if config.id2label[index] == "real" else -0.5 for index in range(2)]

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """(batch, size) to (batch, labels)."""
        # In float32: in half precision a cosine near 1 has two digits.
        cosines = F.cosine_similarity(embedding[:, None].float(), self.weight.float(), dim=-1)
        if self.is_one_class:
            cosines = (cosines - self.middle) * torch.tensor(self.signs, device=cosines.device)
        return (self.scale * cosines).to(embedding.dtype)


def label_costs(logits: torch.Tensor, config: CRNNConfig) -> torch.Tensor:
    """What each clip would cost under the config's loss if it had each label; (batch, labels) to the same, float32."""
    logits = logits.float()
    if config.loss == "am_softmax":
        return am_softmax(logits, config.cosine_scale * config.margin)
    if config.loss == "oc_softmax":
        return oc_softmax(logits, config.cosine_scale * (config.margin[0] - config.margin[1]) / 2)
    return -logits.log_softmax(1)


def am_softmax(logits: torch.Tensor, margin: float) -> torch.Tensor:
    """Cross-entropy in which the label's own logit counts for `margin` less.

    F. Wang, J. Cheng, W. Liu and H. Liu, "Additive margin softmax for face verification", IEEE Signal Processing
    Letters 25(7), 2018.
    """
    num_labels = logits.shape[1]
    # One row of logits for each label that the clip might have; the diagonal is that label's own.
    own = torch.eye(num_labels, dtype=torch.bool, device=logits.device)
    rows = logits[:, None] - margin * own.to(logits.dtype)
    return -rows.log_softmax(2).diagonal(dim1=1, dim2=2)


def oc_softmax(logits: torch.Tensor, margin: float) -> torch.Tensor:
    """What a label costs whose logit is not `margin` above the other's, of the two that there are.

    Y. Zhang, F. Jiang and Z. Duan, "One-class learning towards synthetic voice spoofing detection", IEEE Signal
    Processing Letters 28, 2021, equation 4, in which both margins lie equally far from their middle.
    """
    return F.softplus(margin - (logits - logits.flip(1)))


def weighted_mean(
    costs: torch.Tensor, labels: torch.Tensor, class_weights: list[float] | None, label_smoothing: float
) -> torch.Tensor:
    """The mean of the clips' costs, each weighted by its label's weight.

    With cross-entropy and labels that are numbers, it is that of `torch.nn.functional.cross_entropy`.

    Args:
        costs: (batch, labels).
        labels: each clip's label, (batch,), integers; or the probability of each, (batch, labels), floats.
        class_weights: of the labels; without them all weigh the same.
        label_smoothing: the share of each clip's label that is spread evenly over all labels.
    """
    num_labels = costs.shape[1]
    shares = labels.to(costs) if labels.is_floating_point() else F.one_hot(labels.to(costs.device), num_labels)
    weights = torch.ones(num_labels) if class_weights is None else torch.tensor(class_weights)
    weights = weights.to(costs)
    smoothed = (1 - label_smoothing) * shares + label_smoothing / num_labels
    return (smoothed * weights * costs).sum() / (shares * weights).sum()
