"""What the tests of all augmentations share: the promises of the protocol, checked."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.augmentation.chain import Augmentation

RATES = (8_000, 11_025, 16_000, 44_100, 48_000)


def _check(augmentation: Augmentation, speech: np.ndarray, keeps_length: bool) -> None:
    for rate in RATES:
        for samples in (1, 2, rate // 100, len(speech)):
            for waveform in (speech[:samples], np.zeros(samples, np.float32)):
                before = waveform.copy()
                result = augmentation(waveform, rate, np.random.default_rng(1))
                assert result.dtype == np.float32
                assert result.ndim == 1
                assert len(result) == samples if keeps_length else len(result) > 0
                assert np.isfinite(result).all()
                assert not np.shares_memory(result, waveform)
                np.testing.assert_array_equal(waveform, before)
    results = [augmentation(speech, 16_000, np.random.default_rng(seed)) for seed in (7, 7, 8, 9)]
    np.testing.assert_array_equal(results[0], results[1])
    assert any(not np.array_equal(results[0], other) for other in results[2:])


@pytest.fixture
def check_protocol(speech: np.ndarray) -> Callable[..., None]:
    """Checks that an augmentation keeps the protocol, at all rates, for short and silent clips too.

    Called with the augmentation, and with keeps_length=False for one that may change the length.
    """

    def check(augmentation: Augmentation, keeps_length: bool = True) -> None:
        with np.errstate(all="raise", under="ignore"):
            _check(augmentation, speech, keeps_length)

    return check
