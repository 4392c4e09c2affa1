"""A PyTorch model made ready for inference and nothing else."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from transformers import PreTrainedModel

from crnn_hf.modeling_crnn import CRNNConvBlock


class FoldedNorm(nn.Module):
    """Stands where a batch norm was that is now part of the convolution before it."""

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Change nothing."""
        return hidden_states


def tuned(model: PreTrainedModel) -> PreTrainedModel:
    """Fold the batch norms of a CRNN into its convolutions, in place, lay these out channels last, keep no gradients.

    The logits stay the same but for rounding. The weights are no longer those of its class: a tuned model is for
    inference, and not to be saved or trained. Of a model of another class only the gradients go.

    One LSTM of both directions where nothing is padded was tried too: it gains 2 %, and is not worth the lines.

    Args:
        model: from `load_detector`.

    Returns:
        The model.
    """
    model.eval().requires_grad_(False)
    for block in model.modules():
        if isinstance(block, CRNNConvBlock) and not isinstance(block.norm, FoldedNorm):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm).to(memory_format=torch.channels_last)
            block.norm = FoldedNorm()
    return model.requires_grad_(False)
