"""A change does what its title says, to any clip, always alike, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from crnn_hf.data.statistics import MEASURES, measure
from crnn_hf.inference import load_detector
from crnn_hf.inference.probing import CHANGES
from crnn_hf.metrics import real_scores

RATE = 16_000


@pytest.fixture
def between_pauses(speech: np.ndarray) -> np.ndarray:
    """A voice of 2 s with 0.3 s of quiet noise before and 0.5 s after, and an offset; 2.8 s."""
    noise = 1e-5 * np.random.default_rng(1).standard_normal(round(0.8 * RATE)).astype(np.float32)
    return np.concatenate([noise[:4_800], speech, noise[4_800:]]) + np.float32(0.002)


def changed(name: str, waveform: np.ndarray) -> np.ndarray:
    return CHANGES[name].apply(waveform, RATE)


@pytest.mark.parametrize("name", CHANGES)
def test_the_same_clip_changes_alike_and_is_left_as_it_was(name: str, between_pauses: np.ndarray) -> None:
    before = between_pauses.copy()
    once, again = changed(name, between_pauses), changed(name, between_pauses)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(between_pauses, before)
    assert once.dtype == np.float32
    assert once.shape != before.shape or not np.array_equal(once, before)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("samples", [1, 600])
def test_short_and_silent_clips_can_be_changed_or_are_known_to_have_nothing_to_change(name: str, samples: int) -> None:
    change, waveform = CHANGES[name], np.zeros(samples, np.float32)
    if change.can_apply is None or change.can_apply(waveform, RATE):
        assert np.isfinite(change.apply(waveform, RATE)).all()
    else:
        assert change.otherwise


@pytest.mark.parametrize(("name", "decibels"), [("gain_-20_db", -20), ("gain_-6_db", -6), ("gain_+6_db", 6)])
def test_gain_is_of_the_level_alone(name: str, decibels: float, between_pauses: np.ndarray) -> None:
    loud = 4 * between_pauses / np.abs(between_pauses).max()  # beyond full scale, which is not clipped
    np.testing.assert_allclose(changed(name, loud), loud * 10 ** (decibels / 20), rtol=1e-5)


def test_an_offset_is_added_or_removed(between_pauses: np.ndarray) -> None:
    assert changed("offset_removed", between_pauses).mean() == pytest.approx(0, abs=1e-6)
    for name, constant in (("offset_0.01", 0.01), ("offset_0.05", 0.05)):
        np.testing.assert_allclose(changed(name, between_pauses) - between_pauses, constant, atol=1e-6)


def test_silence_is_added_at_both_ends_and_the_clip_stands_between(between_pauses: np.ndarray) -> None:
    for name in ("zeros_added", "room_tone_added"):
        longer = changed(name, between_pauses)
        assert len(longer) == len(between_pauses) + RATE
        np.testing.assert_array_equal(longer[8_000:-8_000], between_pauses)
    assert not changed("zeros_added", between_pauses)[:8_000].any()
    tone = changed("room_tone_added", between_pauses - np.float32(0.002))
    for edge in (tone[:8_000], tone[-8_000:]):
        assert 0.5e-5 < edge.std() < 2e-5


def test_silence_at_the_ends_is_taken_away(between_pauses: np.ndarray, speech: np.ndarray) -> None:
    change = CHANGES["silence_trimmed"]
    clip = between_pauses - np.float32(0.002)
    assert change.can_apply(clip, RATE)
    left = measure(change.apply(clip, RATE), RATE)
    assert (left["leading_silence"], left["trailing_silence"]) == (0, 0)
    assert left["seconds"] == pytest.approx(len(speech) / RATE, abs=0.1)
    assert not change.can_apply(speech[4_800:16_000], RATE)


def test_length_is_cut_or_doubled(between_pauses: np.ndarray, speech: np.ndarray) -> None:
    np.testing.assert_array_equal(changed("first_2_s", between_pauses), between_pauses[:32_000])
    np.testing.assert_array_equal(changed("middle_2_s", between_pauses), between_pauses[6_400:38_400])
    np.testing.assert_array_equal(changed("repeated", speech), np.concatenate([speech, speech]))
    for name in ("first_2_s", "middle_2_s"):
        assert CHANGES[name].can_apply(between_pauses, RATE)
        assert not CHANGES[name].can_apply(speech, RATE)  # exactly 2 s


@pytest.mark.parametrize(
    ("name", "kept", "lost"),
    [
        ("low_pass_7_khz", 6_900, 7_800),
        ("low_pass_5_khz", 4_900, 5_600),
        ("low_pass_3.4_khz", 3_300, 3_800),
        ("high_pass_100_hz", 400, 20),
    ],
)
def test_a_band_is_let_through_and_the_rest_is_not(name: str, kept: float, lost: float) -> None:
    time = np.arange(2 * RATE) / RATE
    passed, stopped = (
        changed(name, np.sin(2 * np.pi * frequency * time).astype(np.float32)) for frequency in (kept, lost)
    )
    inner = slice(RATE // 2, -RATE // 2)
    assert passed[inner].std() == pytest.approx(np.sqrt(0.5), rel=0.01)
    assert stopped[inner].std() < 0.05


def test_every_change_is_of_something_that_is_measured() -> None:
    assert {change.kind for change in CHANGES.values()} == {measure.kind for measure in MEASURES.values()}


@pytest.mark.parametrize("name", ["gain_-20_db", "gain_-6_db", "gain_+6_db", "offset_0.01", "offset_0.05"])
def test_what_the_default_extractor_closes_moves_no_score(name: str, tiny_detector: Path, speech: np.ndarray) -> None:
    model, extractor = load_detector(tiny_detector)

    def score(waveform: np.ndarray) -> float:
        inputs = extractor([waveform], sampling_rate=RATE, return_tensors="pt")
        return float(real_scores(model(**inputs).logits.detach(), model.config.label2id)[0])

    assert abs(score(changed(name, speech)) - score(speech)) < 1e-3
    assert abs(score(changed("low_pass_3.4_khz", speech)) - score(speech)) > 1e-2
