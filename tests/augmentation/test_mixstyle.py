"""Freq-MixStyle: bands take on another clip's mean and spread, and nothing else changes."""

import pytest
import torch

from crnn_hf.augmentation.mixstyle import FreqMixStyle

LENGTHS = (200, 120, 30, 1)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    """Clips of several lengths, padded with zeros to 200 frames of 8 bands, each with its own level and spread."""
    generator = torch.Generator().manual_seed(0)
    mask = (torch.arange(200) < torch.tensor(LENGTHS)[:, None]).int()
    level, spread = torch.tensor([-5.0, 0.0, 5.0, 20.0]), torch.tensor([1.0, 2.0, 5.0, 0.5])
    features = torch.randn(4, 200, 8, generator=generator) * spread[:, None, None] + level[:, None, None]
    return {"input_features": features * mask[..., None], "attention_mask": mask, "labels": torch.tensor([0, 1, 0, 1])}


def statistics(features: torch.Tensor) -> torch.Tensor:
    """Mean and deviation of each band of one clip, (2, mel)."""
    return torch.stack([features.mean(0), features.std(0, unbiased=False)])


def test_padding_stays_and_the_rest_of_the_batch_is_passed_on(batch: dict[str, torch.Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in batch.items()}
    torch.manual_seed(0)
    changed = FreqMixStyle(probability=1)(batch)
    assert torch.equal(changed["input_features"][batch["attention_mask"] == 0], torch.zeros(800 - sum(LENGTHS), 8))
    assert changed["attention_mask"] is batch["attention_mask"]
    assert changed["labels"] is batch["labels"]
    assert all(torch.equal(batch[name], before[name]) for name in before)


def test_each_band_has_statistics_between_those_of_two_clips(batch: dict[str, torch.Tensor]) -> None:
    originals = [statistics(batch["input_features"][clip, :length]) for clip, length in enumerate(LENGTHS)]
    mixed_with: set[tuple[int, int]] = set()
    for seed in range(20):
        torch.manual_seed(seed)
        changed = FreqMixStyle(probability=1, alpha=2)(batch)["input_features"]
        for clip, length in enumerate(LENGTHS[:3]):
            found = statistics(changed[clip, :length])
            distances = [share_on_line(found, originals[clip], other) for other in originals]
            others = [other for other, share in enumerate(distances) if share is not None]
            assert others
            mixed_with.add((clip, others[0]))
    assert {clip for clip, _ in mixed_with} == {0, 1, 2}
    assert any(clip != other for clip, other in mixed_with)


def share_on_line(found: torch.Tensor, start: torch.Tensor, end: torch.Tensor) -> float | None:
    """The share w in [0, 1] with which found = w * start + (1 - w) * end, the same in all bands; None if none is."""
    across = start - end
    if not across.any():
        return 1.0 if torch.allclose(found, start, atol=1e-2) else None
    share = float(((found - end) * across).sum() / across.square().sum())
    fits = torch.allclose(found, share * start + (1 - share) * end, atol=1e-2)
    return share if fits and -1e-3 <= share <= 1 + 1e-3 else None


def test_the_shape_of_a_band_over_time_stays(batch: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    changed = FreqMixStyle(probability=1)(batch)["input_features"]
    for clip, length in enumerate(LENGTHS[:3]):
        mean, deviation = statistics(changed[clip, :length])
        old_mean, old_deviation = statistics(batch["input_features"][clip, :length])
        now, then = (changed[clip, :length] - mean) / deviation, (batch["input_features"][clip, :length] - old_mean)
        torch.testing.assert_close(now, then / old_deviation, atol=1e-3, rtol=1e-3)


def test_a_batch_without_a_mask_in_half_precision_and_a_band_without_spread() -> None:
    torch.manual_seed(0)
    features = torch.randn(4, 100, 80)
    features[0, :, 3] = -7.0
    changed = FreqMixStyle(probability=1)({"input_features": features.half()})
    assert list(changed) == ["input_features"]
    assert changed["input_features"].dtype == torch.half
    assert changed["input_features"].isfinite().all()


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_the_probability_is_of_a_clip_and_moves_no_draw(probability: float) -> None:
    features = torch.randn(2_000, 20, 2, generator=torch.Generator().manual_seed(0))
    results = []
    for chance in (probability, 1.0):
        torch.manual_seed(1)
        results.append(FreqMixStyle(chance)({"input_features": features})["input_features"])
    changed = (results[0] != features).any(2).any(1)
    assert abs(float(changed.float().mean()) - probability) < 0.05
    assert torch.equal(results[0][changed], results[1][changed])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 2}, "probability must be a number"),
        ({"alpha": 0}, "alpha must be a number above 0; found 0"),
        ({"alpha": "much"}, "alpha must be a number above 0; found 'much'"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FreqMixStyle(**settings)
