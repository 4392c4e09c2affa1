"""Windows cover a recording whole, in whatever pieces it comes."""

import numpy as np
import pytest

from crnn_hf.inference.recordings.windows import Windower


def cut(samples: int, window: int, step: int, chunk: int) -> list[tuple[int, list[float]]]:
    recording = np.arange(samples, dtype=np.float32)
    windower = Windower(window, step)
    found = [part for begin in range(0, samples, chunk) for part in windower.push(recording[begin : begin + chunk])]
    return [(part.start, part.waveform.tolist()) for part in [*found, *windower.end()]]


@pytest.mark.parametrize("samples", [1, 7, 8, 9, 11, 12, 13, 30, 31])
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_every_sample_is_in_a_window_of_its_own_samples(samples: int, chunk: int) -> None:
    found = cut(samples, 8, 4, chunk)
    for start, waveform in found:
        assert waveform == list(range(start, start + min(8, samples)))
    assert {place for start, waveform in found for place in range(start, start + len(waveform))} == set(range(samples))
    regular = [start for start, _ in found if start % 4 == 0]
    assert regular == list(range(0, max(1, samples - 7), 4)) or samples < 8


@pytest.mark.parametrize("samples", [8, 12, 16, 40])
def test_no_last_window_where_one_ended_with_the_recording(samples: int) -> None:
    starts = [start for start, _ in cut(samples, 8, 4, 5)]
    assert starts == list(range(0, samples - 7, 4))


def test_what_is_held_does_not_grow() -> None:
    windower = Windower(8, 4)
    for _ in range(100):
        windower.push(np.zeros(3, np.float32))
        assert len(windower._held) <= 8


def test_nothing_gives_no_window() -> None:
    assert Windower(8, 4).end() == []


@pytest.mark.parametrize(("window", "step"), [(8, 0), (8, 9), (0, 0)])
def test_a_step_that_leaves_gaps_is_refused(window: int, step: int) -> None:
    with pytest.raises(ValueError, match="expected 1 <= step <= window"):
        Windower(window, step)
