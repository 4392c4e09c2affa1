from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.augmentation.level import rms
from crnn_hf.augmentation.timing import EdgeSilence, Shift, Speed, room_tone, sounding

RATE = 16_000


@pytest.fixture
def clip() -> np.ndarray:
    """A second of loud noise between half a second and a quarter of a second of quiet, at -60 dB of it."""
    rng = np.random.default_rng(0)
    levels = np.repeat([1e-4, 0.1, 1e-4], [RATE // 2, RATE, RATE // 4])
    return (rng.standard_normal(len(levels)) * levels).astype(np.float32)


def test_keep_the_protocol(check_protocol: Callable[..., None]) -> None:
    check_protocol(Shift())
    check_protocol(EdgeSilence(), keeps_length=False)
    check_protocol(Speed(), keeps_length=False)


@pytest.mark.parametrize(("seconds", "later"), [(0.25, 4_000), (-0.25, -4_000)])
def test_shift_moves_the_clip_and_fills_the_gap_with_its_own_noise(
    clip: np.ndarray, seconds: float, later: int
) -> None:
    shifted = Shift(1, (seconds, seconds))(clip, RATE, np.random.default_rng(0))
    kept, gap = (shifted[later:], shifted[:later]) if later > 0 else (shifted[:later], shifted[later:])
    np.testing.assert_array_equal(kept, clip[:-later] if later > 0 else clip[-later:])
    assert 0.5e-4 < rms(gap) < 1.5e-4
    assert np.count_nonzero(gap) == abs(later)


def test_shift_leaves_half_of_a_short_clip() -> None:
    clip = np.arange(1, 101, dtype=np.float32)
    np.testing.assert_array_equal(Shift(1, (9, 9))(clip, RATE, np.random.default_rng(0))[50:], clip[:50])


def test_silence_is_found_at_the_edges(clip: np.ndarray) -> None:
    assert sounding(clip, RATE) == (RATE // 2, RATE // 2 + RATE)
    assert sounding(np.zeros(1_000, np.float32), RATE) == (0, 1_000)
    assert sounding(np.ones(1_001, np.float32), RATE) == (0, 1_001)
    assert sounding(np.ones(1, np.float32), RATE) == (0, 1)


def test_edge_silence_is_added_or_removed_at_either_end(clip: np.ndarray) -> None:
    loud = clip[RATE // 2 : RATE // 2 + RATE]
    starts, stops = set(), set()
    for seed in range(40):
        changed = EdgeSilence(1, (0.1, 0.1))(clip, RATE, np.random.default_rng(seed))
        start = int(np.flatnonzero(np.isclose(changed, loud[0], atol=0))[0])
        np.testing.assert_array_equal(changed[start : start + RATE], loud)
        starts.add(start)
        stops.add(len(changed) - start - RATE)
    assert starts == {0, RATE // 2 + RATE // 10}
    assert stops == {0, RATE // 4 + RATE // 10}


def test_added_silence_is_zeros_or_low_noise(clip: np.ndarray) -> None:
    levels = set()
    for seed in range(40):
        changed = EdgeSilence(1, (0.1, 0.1))(clip, RATE, np.random.default_rng(seed))
        if len(changed) > len(clip):
            start = changed[: RATE // 10]
            levels.add("zeros" if not start.any() else "noise")
            assert rms(start) < 2e-4
    assert levels == {"zeros", "noise"}


def test_room_tone_has_level_and_colour_of_the_quietest_frame() -> None:
    time = np.arange(RATE) / RATE
    hum = 0.01 * np.sin(2 * np.pi * 400 * time)
    clip = (hum + np.where(time < 0.5, 0, 0.5) * np.sin(2 * np.pi * 3_000 * time)).astype(np.float32)
    tone = room_tone(clip, RATE, RATE, np.random.default_rng(0))
    assert rms(tone) == pytest.approx(0.01 / np.sqrt(2), rel=0.3)
    assert np.abs(np.abs(np.fft.rfft(tone)).argmax() - 400) < 50


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.07])
def test_speed_changes_duration_and_pitch(factor: float) -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(2 * RATE) / RATE).astype(np.float32)
    played = Speed(1, (factor, factor))(tone, RATE, np.random.default_rng(0))
    assert len(played) == pytest.approx(len(tone) / factor, abs=1)
    peak = np.abs(np.fft.rfft(played * np.hanning(len(played)))).argmax() * RATE / len(played)
    assert peak == pytest.approx(1_000 * factor, abs=1)
    assert rms(played) == pytest.approx(rms(tone), rel=0.01)


@pytest.mark.parametrize(
    ("kind", "settings", "name"),
    [
        (Shift, {"probability": -1}, "probability"),
        (Shift, {"seconds": (1,)}, "seconds"),
        (EdgeSilence, {"seconds": (-1, 1)}, "seconds"),
        (Speed, {"factors": (0, 1)}, "factors"),
        (Speed, {"factors": "fast"}, "factors"),
    ],
)
def test_refuses_settings_by_name(kind: type, settings: dict, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        kind(**settings)
