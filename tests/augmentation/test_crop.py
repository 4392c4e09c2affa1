"""A crop is a stretch of the clip that begins anywhere."""

import numpy as np
import pytest
import torch

from crnn_hf.augmentation import RandomCrop


def test_every_beginning_is_drawn() -> None:
    torch.manual_seed(0)
    waveform = np.arange(10, dtype=np.float32)
    crops = [RandomCrop(7)(waveform) for _ in range(100)]
    assert {crop[0] for crop in crops} == {0, 1, 2, 3}
    for crop in crops:
        np.testing.assert_array_equal(crop, np.arange(crop[0], crop[0] + 7))


def test_shorter_clips_stay() -> None:
    waveform = np.arange(5, dtype=np.float32)
    assert RandomCrop(5)(waveform) is waveform
    assert RandomCrop(6)(waveform) is waveform


def test_a_seed_repeats_it() -> None:
    waveform = np.arange(10_000)
    torch.manual_seed(3)
    first = RandomCrop(10)(waveform)
    torch.manual_seed(3)
    np.testing.assert_array_equal(RandomCrop(10)(waveform), first)


def test_an_empty_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1; found 0"):
        RandomCrop(0)
