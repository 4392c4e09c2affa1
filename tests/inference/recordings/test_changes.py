"""Changes of voice or room are found where they are, whatever the pieces that a recording comes in."""

import numpy as np
import pytest

from crnn_hf.data.embedded.voice import coloured_noise, draw_speaker, place_in_room, synthesize_utterance
from crnn_hf.inference.recordings.changes import BANDS, BLOCK, ChangeFinder, change_ratios

RATE = 16_000


def spoken(seed: int, seconds: float) -> np.ndarray:
    """An artificial voice in a room of its own."""
    rng = np.random.default_rng(seed)
    voice = synthesize_utterance(draw_speaker(rng, "S", "FM"[seed % 2]), seconds + 1, rng)
    return place_in_room(voice[: round(seconds * RATE)], rng)


@pytest.fixture(scope="module")
def conversation() -> np.ndarray:
    """Three voices: until 6 s, until 11 s, and until 26 s."""
    return np.concatenate([spoken(5, 6), spoken(6, 5), spoken(7, 15)])


def changes_of(recording: np.ndarray, pieces: int = 10**9) -> list[int]:
    finder = ChangeFinder(RATE)
    found = [
        change
        for begin in range(0, len(recording), pieces)
        for change in finder.push(recording[begin : begin + pieces])
    ]
    return found + finder.end()


def test_where_one_voice_follows_another_is_found(conversation: np.ndarray) -> None:
    found = np.array(changes_of(conversation)) / RATE
    for place in (6, 11):
        assert np.abs(found - place).min() < 0.25


@pytest.mark.parametrize("pieces", [1_000, 7_919, 400_000])
def test_pieces_change_nothing(conversation: np.ndarray, pieces: int) -> None:
    assert changes_of(conversation, pieces) == changes_of(conversation)


def test_nothing_settled_is_found_later(conversation: np.ndarray) -> None:
    finder, settled = ChangeFinder(RATE), 0
    for begin in range(0, len(conversation), 20_000):
        found = finder.push(conversation[begin : begin + 20_000])
        assert all(settled <= change < finder.settled for change in found)
        settled = finder.settled
    assert settled > 0
    assert all(change >= settled for change in finder.end())


def test_what_does_not_change_has_no_change() -> None:
    rng = np.random.default_rng(0)
    assert changes_of(coloured_noise(20 * RATE, 1.0, rng).astype(np.float32) * 0.05) == []
    assert changes_of(np.zeros(5 * RATE, np.float32)) == []


def test_another_level_is_no_change() -> None:
    noise = coloured_noise(8 * RATE, 1.0, np.random.default_rng(0)).astype(np.float32) * 0.05
    noise[4 * RATE :] *= 0.3
    assert changes_of(noise) == []


def test_another_colour_is_one() -> None:
    rng = np.random.default_rng(0)
    noise = [coloured_noise(4 * RATE, exponent, rng).astype(np.float32) * 0.05 for exponent in (0.0, 2.0)]
    (found,) = changes_of(np.concatenate(noise))
    assert found / RATE == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 10_000, 20_000])
def test_a_short_recording_has_none(samples: int) -> None:
    assert changes_of(spoken(0, 2)[:samples]) == []


def test_what_is_held_does_not_grow(conversation: np.ndarray) -> None:
    finder = ChangeFinder(RATE)
    for _ in range(4):
        finder.push(conversation)
        assert len(finder._log_power) <= 2 * BLOCK
        assert len(finder._samples) <= (BLOCK + 1) * RATE // 50
        assert len(finder._ratios) <= 2 * BLOCK


def test_a_ratio_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    log_power = rng.standard_normal((60, BANDS)).astype(np.float32)
    log_power[:, 40:] += np.where(np.arange(60) < 30, 0.0, 1.0).astype(np.float32)[:, None]
    bands = np.arange(BANDS)
    basis = np.sqrt(2 / BANDS) * np.cos(np.pi / BANDS * (bands[:, None] + 0.5) * np.arange(1, 40))
    cepstra, loudness = log_power @ basis, log_power.mean(1)
    expected = 0.0
    for sign, share in ((1, 1.0), (-1, 0.5)):
        weights = 1 / (1 + np.exp(-sign * (loudness - loudness.mean())))
        sides = [(weights[part], cepstra[part]) for part in (slice(0, 30), slice(30, 60))]
        means = [np.average(x, axis=0, weights=w) for w, x in sides]
        counts = [w.sum() for w, _ in sides]
        within = sum((w[:, None] * (x - mean) ** 2).sum(0) for (w, x), mean in zip(sides, means, strict=True))
        between = counts[0] * counts[1] / sum(counts) ** 2 * (means[0] - means[1]) ** 2
        ratio = np.log1p(between / (within / sum(counts) + 0.05)).mean()
        expected += share * ratio * min(counts) / (min(counts) + 10)
    found = change_ratios(log_power)
    assert found[30] == pytest.approx(expected, rel=1e-3)
    assert found.argmax() == 30
