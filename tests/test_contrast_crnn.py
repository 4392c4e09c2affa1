"""The second opinion: its statistics are those that it says, and it says nothing before it is fitted."""

import pytest
import torch

from crnn_hf import CRNNConfig, CRNNForAudioClassification, contrast_crnn
from crnn_hf.contrast_crnn import STEEPNESS, ContrastSums, CRNNContrast, contrast_matrix, contrast_sums

BANDS = 12


def contrast(log_mel: torch.Tensor, *widths: int) -> torch.Tensor:
    return log_mel @ contrast_matrix(BANDS, widths)


def sums(log_mel: torch.Tensor, mask: torch.Tensor | None, *widths: int) -> ContrastSums:
    return contrast_sums(log_mel, mask, contrast_matrix(BANDS, widths))


@pytest.fixture
def log_mel() -> torch.Tensor:
    """Three clips of 50 frames, whose mean is 0."""
    torch.manual_seed(0)
    clips = 2 * torch.randn(3, 50, BANDS)
    return clips - clips.mean(1, keepdim=True)


@pytest.mark.parametrize("width", [3, 5, 31])
def test_a_contrast_is_the_difference_from_the_bands_around(log_mel: torch.Tensor, width: int) -> None:
    found = contrast(log_mel, width)
    for band in range(BANDS):
        around = log_mel[..., max(0, band - width // 2) : band + width // 2 + 1].mean(-1)
        torch.testing.assert_close(found[..., band], log_mel[..., band] - around, rtol=1e-4, atol=1e-5)


def test_the_statistics_are_the_mean_and_deviation_of_frames_by_loudness(log_mel: torch.Tensor) -> None:
    statistics = sums(log_mel, None, 3, 5).statistics()
    assert statistics.shape == (3, 2 * 2 * BANDS)
    contrasts = contrast(log_mel, 3, 5).double()
    weights = torch.sigmoid(STEEPNESS * log_mel.mean(-1)).double()[..., None]
    mean = (weights * contrasts).sum(1) / weights.sum(1)
    variance = (weights * (contrasts - mean[:, None]) ** 2).sum(1) / weights.sum(1)
    torch.testing.assert_close(statistics.double(), torch.cat([mean, variance.sqrt()], dim=-1), rtol=1e-4, atol=1e-4)


def test_neither_the_level_of_a_frame_nor_its_tilt_is_contrast(log_mel: torch.Tensor) -> None:
    tilted = log_mel + torch.randn(3, 50, 1) + torch.linspace(-1, 1, BANDS)
    inner = slice(1, -1)  # at the edges a band has neighbours on one side alone
    found, expected = contrast(tilted, 3), contrast(log_mel, 3)
    torch.testing.assert_close(found[..., inner], expected[..., inner], rtol=1e-4, atol=1e-5)


def test_pauses_count_little(log_mel: torch.Tensor) -> None:
    speech, pause = log_mel + 3, 5 * torch.randn(3, 50, BANDS) - 8
    alone = sums(speech, None, 3).statistics()
    with_pause = sums(torch.cat([speech, pause], dim=1), None, 3).statistics()
    torch.testing.assert_close(alone, with_pause, rtol=1e-3, atol=1e-3)


def test_neither_padding_nor_blocks_are_heard(log_mel: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sums(log_mel[:, :31], None, 3, 5).statistics()
    padded = log_mel.clone()
    padded[:, 31:] = float("nan")
    mask = (torch.arange(50) < 31).expand(3, 50)
    torch.testing.assert_close(sums(padded, mask, 3, 5).statistics(), whole)
    monkeypatch.setattr(contrast_crnn, "BLOCK_FRAMES", 7)
    torch.testing.assert_close(sums(padded, mask, 3, 5).statistics(), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_clip_of_silence_or_of_one_frame_has_an_opinion_within_bounds(frames: int) -> None:
    opinion = CRNNContrast(CRNNConfig(num_mel_bins=BANDS))
    opinion.deviation.fill_(1e-3)
    opinion.weight.fill_(1.0)
    found = opinion(torch.zeros(1, frames, BANDS), None)
    assert found.isfinite().all()
    assert found.abs().max() <= contrast_crnn.FURTHEST * opinion.weight.shape[1]


def test_it_is_added_to_the_logits_but_not_to_what_is_trained(log_mel: torch.Tensor) -> None:
    torch.manual_seed(0)
    config = CRNNConfig(num_mel_bins=BANDS, conv_channels=[4], hidden_size=4, dropout=0.0)
    model = CRNNForAudioClassification(config).eval()
    model.crnn.encoder.blocks[0].norm.momentum = 0.0
    labels = torch.tensor([0, 1, 1])
    before = model(log_mel, labels=labels)
    trained = model.train()(log_mel, labels=labels)
    model.contrast.weight.normal_()
    after = model.eval()(log_mel, labels=labels)
    torch.testing.assert_close(after.logits - before.logits, model.contrast(log_mel, None))
    assert after.loss != before.loss
    again = model.train()(log_mel, labels=labels)
    assert again.loss == trained.loss
    torch.testing.assert_close(again.logits - trained.logits, model.contrast(log_mel, None))
    assert not any("contrast" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("widths", [[], [4], [1], [3.0], "3"])
def test_widths_that_cannot_be_are_refused(widths: object) -> None:
    with pytest.raises(
        ValueError, match=r"contrast_widths must be a list of odd numbers of at least 3, or none; found"
    ):
        CRNNConfig(contrast_widths=widths)


def test_without_it_there_is_none() -> None:
    assert CRNNForAudioClassification(CRNNConfig(contrast_widths=None)).contrast is None
    assert CRNNForAudioClassification(CRNNConfig.reference()).contrast is None
