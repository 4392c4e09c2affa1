"""Mixup: each frame of a mixed clip holds both in the shares that its label says."""

import pytest
import torch

from crnn_hf import CRNNConfig, CRNNForAudioClassification
from crnn_hf.training.mixing import Mixup

LENGTHS = torch.tensor([50, 30, 40, 10])
LABELS = torch.tensor([0, 1, 2, 0])


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    """Clips whose every value is a number of its own, which tells in a mixture who is in it."""
    mask = (torch.arange(50) < LENGTHS[:, None]).int()
    features = torch.tensor([1.0, 10.0, 100.0, 1000.0])[:, None, None] * mask[..., None]
    return {"input_features": features.expand(4, 50, 8), "attention_mask": mask, "labels": LABELS, "other": LABELS}


def test_features_masks_and_labels_are_mixed_alike(batch: dict[str, torch.Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in batch.items()}
    for seed in range(10):
        torch.manual_seed(seed)
        other = torch.randperm(4)
        torch.manual_seed(seed)
        mixed = Mixup(alpha=1.0, num_labels=3)(batch)
        lengths = torch.minimum(LENGTHS, LENGTHS[other])
        assert torch.equal(mixed["attention_mask"].sum(1), lengths)
        assert not mixed["input_features"][mixed["attention_mask"] == 0].any()
        first = mixed["input_features"][:, 0, 0]
        own, others = batch["input_features"][:, 0, 0], batch["input_features"][other, 0, 0]
        share = torch.where(own == others, 1.0, (first - others) / (own - others))
        assert ((share > -1e-3) & (share < 1 + 1e-3)).all()
        expected = torch.zeros(4, 3)
        expected[range(4), LABELS] += share
        expected[range(4), LABELS[other]] += 1 - share
        torch.testing.assert_close(mixed["labels"], expected, atol=1e-3, rtol=0)
        for clip, length in enumerate(lengths):
            assert (mixed["input_features"][clip, :length] == first[clip]).all()
    assert mixed["other"] is batch["other"]
    assert all(torch.equal(batch[name], before[name]) for name in before)


def test_a_batch_without_a_mask_and_in_half_precision(batch: dict[str, torch.Tensor]) -> None:
    mixed = Mixup(alpha=0.3, num_labels=3)({"input_features": batch["input_features"].half(), "labels": LABELS})
    assert set(mixed) == {"input_features", "labels"}
    assert mixed["input_features"].dtype == torch.half
    assert mixed["labels"].dtype == torch.float32


def test_the_model_learns_from_what_is_mixed() -> None:
    torch.manual_seed(0)
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4], hidden_size=4, class_weights=[1.0, 3.0]))
    mask = (torch.arange(50) < LENGTHS[:, None]).int()
    batch = {"input_features": torch.randn(4, 50, 80), "attention_mask": mask, "labels": torch.tensor([0, 1, 1, 0])}
    mixed = Mixup(alpha=0.5, num_labels=2)(batch)
    model.eval()
    outputs = model(**mixed)
    weighted = mixed["labels"] * torch.tensor([1.0, 3.0])
    costs = -(weighted * outputs.logits.log_softmax(1)).sum(1)
    # A mean over the clips, whichever way their weights are made to count.
    assert costs.min() / 3 <= outputs.loss <= costs.max()
    outputs.loss.backward()
    assert model.classifier.weight.grad.any()
