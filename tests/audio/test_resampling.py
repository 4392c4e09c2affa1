"""Resampling: the right length, the right signal, and nothing folded back."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest

from crnn_hf.audio import StreamingResampler, resample
from crnn_hf.audio.resampling import BLOCK

EDGE = 1_000  # samples at either end that the filter's length disturbs


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def test_same_rate_returns_the_input_itself() -> None:
    waveform = tone(440, 16_000)
    assert resample(waveform, 16_000, 16_000) is waveform


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_a_tone_stays_that_tone(rate: int) -> None:
    resampled = resample(tone(1_000, rate), rate, 16_000)
    assert resampled.shape == (16_000,)
    assert resampled.dtype == np.float32
    np.testing.assert_allclose(resampled[EDGE:-EDGE], tone(1_000, 16_000)[EDGE:-EDGE], atol=1e-4)


def test_length_is_rounded_up() -> None:
    assert resample(np.zeros(442, np.float32), 44_100, 16_000).shape == (161,)


def test_nothing_above_nyquist_is_folded_back() -> None:
    resampled = resample(tone(8_200, 44_100), 44_100, 16_000)
    assert np.abs(resampled[EDGE:-EDGE]).max() < 1e-5


def test_an_odd_rate_is_approximated_rather_than_filling_the_memory() -> None:
    resampled = resample(tone(1_000, 44_101), 44_101, 16_000)
    assert abs(len(resampled) - 16_000) <= 1
    # 119/328 instead of 16000/44101, 3.6 millionths more: after a second, the tone is 0.023 radians behind.
    np.testing.assert_allclose(resampled[EDGE:-EDGE], tone(1_000, 16_000)[EDGE : len(resampled) - EDGE], atol=0.025)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_blocks_leave_no_seam(rate: int) -> None:
    # Four seconds around the first seam, which is then within a block: in whole seconds, hence in whole periods.
    begin = BLOCK // rate - 2
    noise = np.random.default_rng(0).uniform(-1, 1, 2 * BLOCK + 1).astype(np.float32)
    whole = resample(noise, rate, 16_000)
    part = resample(noise[begin * rate : (begin + 4) * rate], rate, 16_000)
    assert len(whole) == math.ceil((2 * BLOCK + 1) * 16_000 / rate)
    np.testing.assert_allclose(part[EDGE:-EDGE], whole[begin * 16_000 :][: len(part)][EDGE:-EDGE], atol=1e-5)


def test_a_read_only_waveform_is_accepted_and_left_alone() -> None:
    waveform = tone(440, 8_000)
    waveform.flags.writeable = False
    before = waveform.copy()
    resample(waveform, 8_000, 16_000)
    np.testing.assert_array_equal(waveform, before)


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, 0), (-8_000, 16_000)])
def test_rates_must_be_positive(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        resample(np.zeros(16, np.float32), *rates)


# --- As the sound comes in ------------------------------------------------------------------------------------------


def pushed(resampler: StreamingResampler, waveform: np.ndarray, sizes: list[int]) -> np.ndarray:
    """The waveform pushed in pieces of these sizes, which are taken in turn, and all that comes of them."""
    pieces, begin = [], 0
    for size in itertools.cycle(sizes):
        if begin >= len(waveform):
            return np.concatenate([*pieces, resampler.flush()])
        pieces.append(resampler.push(waveform[begin : begin + size]))
        begin += size


@pytest.mark.parametrize("sizes", [[1], [0, 7, 1], [441], [960], [5_000, 0, 1, 100]])
@pytest.mark.parametrize(
    "rates", [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (44_101, 16_000), (16_000,) * 2]
)
def test_pieces_join_to_what_the_whole_gives(rates: tuple[int, int], sizes: list[int]) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 12_345).astype(np.float32)
    joined = pushed(StreamingResampler(*rates), noise, sizes)
    assert joined.dtype == np.float32
    np.testing.assert_allclose(joined, resample(noise, *rates), rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [0, 1, 2, 3, 161, 162, 500])
def test_a_few_samples_or_none(samples: int) -> None:
    waveform = np.ones(samples, np.float32)
    for rates in ((44_100, 16_000), (16_000, 44_100), (16_000, 16_000)):
        joined = pushed(StreamingResampler(*rates), waveform, [1])
        np.testing.assert_allclose(joined, resample(waveform, *rates), rtol=0, atol=1e-6)
        assert len(joined) == math.ceil(samples * rates[1] / rates[0])


def test_latency_is_what_the_output_lags_behind_at_most() -> None:
    for rates in ((44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (16_000, 16_000)):
        resampler = StreamingResampler(*rates)
        assert resampler.latency < 0.02
        taken = given = 0
        lags = []
        for _ in range(500):
            given += len(resampler.push(np.zeros(37, np.float32)))
            taken += 37
            lags.append(taken / rates[0] - given / rates[1])
        assert max(lags) <= resampler.latency <= max(lags) + 40 / rates[0]


def test_another_waveform_after_the_end_or_a_reset() -> None:
    resampler = StreamingResampler(44_100, 16_000)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 3_000).astype(np.float32)
    expected = resample(noise, 44_100, 16_000)
    for _ in range(2):
        np.testing.assert_allclose(pushed(resampler, noise, [100]), expected, rtol=0, atol=1e-6)
    assert len(resampler.flush()) == 0
    resampler.push(noise[:1_111])
    resampler.reset()
    np.testing.assert_allclose(pushed(resampler, noise, [100]), expected, rtol=0, atol=1e-6)


def test_what_is_pushed_may_be_overwritten_afterwards() -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (30, 100)).astype(np.float32)
    resampler, buffer, pieces = StreamingResampler(48_000, 16_000), np.empty(100, np.float32), []
    for row in noise:
        buffer[:] = row
        pieces.append(resampler.push(buffer))
    joined = np.concatenate([*pieces, resampler.flush()])
    np.testing.assert_allclose(joined, resample(noise.ravel(), 48_000, 16_000), rtol=0, atol=1e-6)


def test_what_waits_does_not_grow() -> None:
    resampler = StreamingResampler(44_100, 16_000)
    tracemalloc.start()
    for _ in range(3_000):  # a minute of 20 ms
        resampler.push(np.zeros(882, np.float32))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (held < 20_000, peak < 50_000) == (True, True)
