"""No window lies across a change, and every sample is in one."""

import numpy as np
import pytest

from crnn_hf.data.embedded.voice import coloured_noise
from crnn_hf.inference.recordings.stretches import StretchWindower
from crnn_hf.inference.recordings.windows import Window

RATE = 16_000
WINDOW, LONGEST = 2 * RATE, 4 * RATE


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    """Noise of another colour from 3 s and 12.3 s on, until 40 s."""
    rng = np.random.default_rng(0)
    parts = [(3.0, 0.0), (9.3, 2.0), (27.7, 0.5)]
    return np.concatenate(
        [0.05 * coloured_noise(round(seconds * RATE), colour, rng) for seconds, colour in parts]
    ).astype(np.float32)


def cut(recording: np.ndarray, pieces: int) -> tuple[list[Window], list[int]]:
    windower = StretchWindower(WINDOW, LONGEST, RATE)
    found = [
        window
        for begin in range(0, len(recording), pieces)
        for window in windower.push(recording[begin : begin + pieces])
    ]
    found += windower.end()
    assert windower.heard == len(recording)
    return found, windower.changes


@pytest.mark.parametrize("pieces", [3_001, 50_000, 10**9])
def test_windows_lie_within_stretches_and_cover_them(colours: np.ndarray, pieces: int) -> None:
    found, changes = cut(colours, pieces)
    assert np.array(changes) / RATE == pytest.approx([3, 12.3], abs=0.05)
    covered = np.zeros(len(colours), bool)
    for window in found:
        end = window.start + len(window.waveform)
        assert not any(window.start < change < end for change in changes)
        np.testing.assert_array_equal(window.waveform, colours[window.start : end])
        covered[window.start : end] = True
    assert covered.all()


def test_a_short_stretch_is_one_window_and_a_long_one_has_several(colours: np.ndarray) -> None:
    found, (first, second) = cut(colours, 10_000)
    assert [(window.start, len(window.waveform)) for window in found if window.start < first] == [(0, first)]
    of_second = [window for window in found if first <= window.start < second]
    starts = [window.start - first for window in of_second]
    assert starts == [*range(0, 8 * RATE, RATE), second - first - WINDOW]
    assert {len(window.waveform) for window in of_second} == {WINDOW}


@pytest.mark.parametrize("pieces", [3_001, 50_000])
def test_pieces_change_nothing(colours: np.ndarray, pieces: int) -> None:
    places = [
        [(window.start, len(window.waveform)) for window in cut(colours, size)[0]] for size in (pieces, len(colours))
    ]
    assert places[0] == places[1]


def test_what_is_held_does_not_grow(colours: np.ndarray) -> None:
    windower = StretchWindower(WINDOW, LONGEST, RATE)
    for begin in range(0, len(colours), 5_000):
        windower.push(colours[begin : begin + 5_000])
        assert len(windower._held) <= 30 * RATE


@pytest.mark.parametrize("samples", [1, 400, 40_000])
def test_a_short_recording_is_one_window(colours: np.ndarray, samples: int) -> None:
    found, changes = cut(colours[:samples], 1_000)
    assert [(window.start, len(window.waveform)) for window in found] == [(0, samples)]
    assert changes == []


def test_nothing_gives_no_window() -> None:
    assert StretchWindower(WINDOW, LONGEST, RATE).end() == []
