"""Samples in memory become a waveform, or are refused by name."""

import numpy as np
import pytest

from crnn_hf.audio import mono_samples


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_values(dtype: type) -> None:
    found = mono_samples(np.array([0.5, -1.25], dtype))
    assert found.dtype == np.float32
    assert found.tolist() == [0.5, -1.25]


def test_integers_have_a_full_scale_of_one() -> None:
    assert mono_samples(np.array([16_384, -32_768], np.int16)).tolist() == [0.5, -1.0]


def test_none_at_all() -> None:
    assert mono_samples([]).shape == (0,)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((3, 2)), r"one channel, \(samples,\); found \(3, 2\)"),
        (np.zeros(3, np.int32), "16-bit integers; found int32"),
        (np.array([0.0, np.nan, np.inf]), "2 samples are not finite numbers, the first is 1"),
    ],
)
def test_what_is_no_waveform_is_named(samples: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mono_samples(samples)
