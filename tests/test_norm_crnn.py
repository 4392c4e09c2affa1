"""Batch norm of padded clips is that of the clips, and so are its gradients."""

import pytest
import torch

from crnn_hf import norm_crnn
from crnn_hf.norm_crnn import CRNNMaskedBatchNorm


@pytest.fixture(params=["clip by clip", "all at once"])
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor, and as on a GPU."""
    if request.param == "all at once":
        monkeypatch.setattr(norm_crnn, "_clips", lambda *batches: [batches])


@pytest.mark.usefixtures("_each_way")
def test_it_is_that_of_the_clips_as_one() -> None:
    torch.manual_seed(0)
    lengths = [5, 5, 2]
    clips = [torch.randn(3, length, 4) for length in lengths]
    mask = torch.arange(5) < torch.tensor(lengths)[:, None]
    padded = torch.stack([torch.nn.functional.pad(clip, (0, 0, 0, 5 - clip.shape[1]), value=9.0) for clip in clips])
    flat = torch.cat([clip.flatten(1) for clip in clips], 1)[None, :, :, None]
    slopes = torch.randn_like(flat)
    ours, theirs = CRNNMaskedBatchNorm(3).train(), torch.nn.BatchNorm2d(3).train()
    with torch.no_grad():
        for norm in (ours, theirs):
            norm.weight.copy_(torch.tensor([0.5, -1.0, 2.0]))
            norm.bias.copy_(torch.tensor([0.1, 0.0, -0.2]))
    padded.requires_grad_()
    flat.requires_grad_()

    def as_one(batch: torch.Tensor) -> torch.Tensor:
        return torch.cat([clip[:, :length].flatten(1) for clip, length in zip(batch, lengths, strict=True)], 1)

    found, expected = ours(padded, mask), theirs(flat)
    torch.testing.assert_close(as_one(found), expected[0, :, :, 0], atol=1e-5, rtol=1e-5)
    assert not found[2, :, 2:].any()
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    assert ours.num_batches_tracked == 1
    (as_one(found) * slopes[0, :, :, 0]).sum().backward()
    (expected * slopes).sum().backward()
    torch.testing.assert_close(as_one(padded.grad), flat.grad[0, :, :, 0], atol=1e-5, rtol=1e-4)
    assert not padded.grad[2, :, 2:].any()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.usefixtures("_each_way")
def test_what_stands_in_the_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    mask = torch.arange(6) < torch.tensor([6, 3])[:, None]
    batch = torch.randn(2, 3, 6, 4)
    results = []
    for value in (0.0, 1e4):
        states = batch.masked_fill(~mask[:, None, :, None], value).requires_grad_()
        normal = CRNNMaskedBatchNorm(3).train()(states, mask)
        normal.square().sum().backward()
        results.append((normal.detach(), states.grad))
    torch.testing.assert_close(*results)


def test_training_in_half_precision_counts_more_positions_than_it_can_hold() -> None:
    norm = CRNNMaskedBatchNorm(2).half().train()
    mask = torch.ones(8, 400, dtype=torch.bool)
    mask[0, 200:] = False
    output = norm(torch.randn(8, 2, 400, 40).half() + 3, mask)
    assert output.dtype == torch.float16
    assert output.isfinite().all()
    torch.testing.assert_close(norm.running_mean.float(), torch.full((2,), 0.3), atol=0.01, rtol=0)
