"""SpecAugment: what it hides, how much of it, and what it leaves alone."""

import numpy as np
import pytest
import torch

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.augmentation.spectrogram import SpecAugment

LENGTHS = (200, 120, 7, 1)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    """Clips of several lengths, padded with zeros to 200 frames of 80 bands, none with a mean of 0."""
    generator = torch.Generator().manual_seed(0)
    mask = (torch.arange(200) < torch.tensor(LENGTHS)[:, None]).int()
    features = (torch.randn(4, 200, 80, generator=generator) - 5) * mask[..., None]
    return {"input_features": features, "attention_mask": mask, "labels": torch.tensor([0, 1, 0, 1])}


def hidden(batch: dict[str, torch.Tensor], augment: SpecAugment) -> torch.Tensor:
    """Which values it changes, (batch, frames, mel)."""
    return augment(batch)["input_features"] != batch["input_features"]


def test_padding_stays_and_the_rest_of_the_batch_is_passed_on(batch: dict[str, torch.Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in batch.items()}
    for seed in range(20):
        torch.manual_seed(seed)
        changed = SpecAugment(probability=1)(batch)
        assert torch.equal(changed["input_features"][batch["attention_mask"] == 0], torch.zeros(472, 80))
        assert changed["input_features"] is not batch["input_features"]
        assert changed["attention_mask"] is batch["attention_mask"]
        assert changed["labels"] is batch["labels"]
    assert all(torch.equal(batch[name], before[name]) for name in before)


def test_what_is_hidden_takes_the_clips_mean(batch: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(3)
    changed = SpecAugment(probability=1)(batch)["input_features"]
    where = changed != batch["input_features"]
    for clip, length in enumerate(LENGTHS):
        mean = batch["input_features"][clip, :length].mean()
        torch.testing.assert_close(changed[clip][where[clip]], mean.expand(int(where[clip].sum())))
    assert where[0].any()


@pytest.mark.parametrize("normalization", ["band_mean", "clip_mean_std"])
def test_under_either_normalisation_that_is_zero(normalization: str, speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor(normalization=normalization)
    batch = extractor([speech, speech[:9_000]], sampling_rate=16_000, return_tensors="pt")
    torch.manual_seed(0)
    augment = SpecAugment(probability=1, mel_masks=8)
    changed = augment(batch)["input_features"]
    where = changed != batch["input_features"]
    assert where.any()
    assert changed[where].abs().max() < 1e-4


def test_masks_are_as_wide_as_allowed_and_no_wider(batch: dict[str, torch.Tensor]) -> None:
    frames, bands = [], []
    for seed in range(200):
        torch.manual_seed(seed)
        where = hidden(batch, SpecAugment(1, time_masks=1, time_share=0.2, mel_masks=0))
        frames.append(where.any(2).sum(1))
        assert torch.equal(where.any(2), where.all(2))
        bands.append(hidden(batch, SpecAugment(1, time_masks=0, mel_masks=1, mel_bands=8))[0].all(0).sum())
    # 0.2 of 200, 120, 7 and 1 frames
    assert torch.stack(frames).amax(0).tolist() == [40, 24, 1, 0]
    assert (min(bands), max(bands)) == (0, 8)


def test_masks_reach_both_ends(batch: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    found = torch.stack([hidden(batch, SpecAugment(1, time_share=0.25, mel_bands=20)) for _ in range(300)]).any(0)
    assert all(found[clip, :length].all() for clip, length in enumerate(LENGTHS) if length > 4)


def test_no_more_than_half_is_hidden_even_of_few_bands(batch: dict[str, torch.Tensor]) -> None:
    few = {"input_features": batch["input_features"][..., :10], "attention_mask": batch["attention_mask"]}
    for seed in range(100):
        torch.manual_seed(seed)
        where = hidden(few, SpecAugment(1, time_masks=2, time_share=0.25, mel_masks=2, mel_bands=27))
        assert (where.all(2).sum(1) <= torch.tensor(LENGTHS) / 2).all()
        assert where[0].all(0).sum() <= 5


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_the_probability_is_of_a_clip(probability: float) -> None:
    torch.manual_seed(0)
    features = {"input_features": torch.randn(2_000, 20, 8)}
    changed = hidden(features, SpecAugment(probability, time_masks=2, time_share=0.25)).any(2).any(1).float().mean()
    # Of all the masks that are applied, few have no width at all.
    assert 0.9 * probability <= changed <= 1.1 * probability


def test_a_batch_without_a_mask_and_in_half_precision() -> None:
    torch.manual_seed(0)
    features = torch.randn(4, 100, 80).half()
    changed = SpecAugment(probability=1)({"input_features": features})
    assert list(changed) == ["input_features"]
    assert changed["input_features"].dtype == torch.half
    assert changed["input_features"].isfinite().all()


def test_pytorchs_seed_decides(batch: dict[str, torch.Tensor]) -> None:
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(SpecAugment(probability=1)(batch)["input_features"])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_a_clips_masks_do_not_depend_on_the_probability(batch: dict[str, torch.Tensor]) -> None:
    results = []
    for probability in (0.5, 1.0):
        torch.manual_seed(0)
        results.append(hidden(batch, SpecAugment(probability)))
    changed = results[0].any(2).any(1)
    assert changed.any()
    assert torch.equal(results[0][changed], results[1][changed])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 2}, "probability must be a number"),
        ({"time_masks": -1}, "time_masks must be an integer of at least 0; found -1"),
        ({"mel_masks": 1.5}, "mel_masks must be an integer"),
        ({"mel_bands": True}, "mel_bands must be an integer"),
        ({"time_share": "0.1"}, r"time_share must be a number in \[0, 1\]; found '0.1'"),
        ({"time_share": 1.1}, r"time_share must be a number in \[0, 1\]"),
        ({"time_masks": 3, "time_share": 0.2}, "time_masks x time_share must be at most 0.5 of a clip; found 3 x 0.2"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpecAugment(**settings)
