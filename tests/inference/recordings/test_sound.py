"""What sounds is told from pauses and from silence."""

import numpy as np
import pytest

from crnn_hf.inference.recordings.sound import Loudness, levels


def test_levels_are_those_of_the_mean_square() -> None:
    sine = np.sin(np.arange(16_000) * 2 * np.pi * 400 / 16_000).astype(np.float32)
    assert levels(sine, 16_000) == pytest.approx(np.full(50, -3.01), abs=0.01)
    assert levels(sine / 10 + 0.5, 16_000) == pytest.approx(np.full(50, -23.01), abs=0.01)  # a constant is no sound
    assert levels(np.zeros(320, np.float32), 16_000) == pytest.approx([-200])


def test_a_clip_shorter_than_a_frame_has_one_level() -> None:
    assert len(levels(np.ones(5, np.float32), 16_000)) == 1


def test_pauses_lie_below_the_floor_whatever_the_level() -> None:
    rng = np.random.default_rng(0)
    speech = rng.normal(0, 0.1, 16_000)
    pause = rng.normal(0, 0.0003, 16_000)
    for gain in (1.0, 0.1):
        frames = levels((gain * np.concatenate([speech, pause])).astype(np.float32), 16_000)
        assert Loudness().sounding(frames).tolist() == [True] * 50 + [False] * 50


def test_what_was_loud_before_makes_pauses_of_what_is_quiet_now() -> None:
    loudness = Loudness()
    quiet = np.full(50, -60, np.float32)
    assert loudness.sounding(quiet).all()
    assert loudness.sounding(np.full(50, -10, np.float32)).all()
    assert not loudness.sounding(quiet).any()


def test_rounding_noise_does_not_sound() -> None:
    noise = np.round(np.random.default_rng(0).normal(0, 0.4, 16_000)).astype(np.float32) / 32_768
    assert not Loudness().sounding(levels(noise, 16_000)).any()
