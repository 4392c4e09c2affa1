"""A recording of any length as a picture shows it: so many columns of waveform and spectrogram."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from crnn_hf.feature_extraction_crnn import triangular_filters
from crnn_hf.inference.recordings.sources import blocks_of

FRAME, HOP, BANDS = 512, 160, 80
RATE = 16_000
# Power below which all is black; digital silence has none.
FLOOR = 1e-10


@dataclass(frozen=True)
class Overview:
    """What a picture shows of a recording.

    Attributes:
        seconds: how long it is.
        waveform: lowest and highest value in each column, (columns, 2).
        spectrogram: mean power of each mel band in each column, in dB, (columns, bands); from 0 to 8,000 Hz.
    """

    seconds: float
    waveform: NDArray[np.float32]
    spectrogram: NDArray[np.float32]


def overview(recording: Any, seconds: float, columns: int = 1000) -> Overview:
    """Read a recording as a stream, and keep its columns alone.

    Args:
        recording: what `blocks_of` takes; it is read once more, so that a stream must have been put back.
        seconds: how long it is, as a result's `duration` says.
        columns: at most so many, and no more than there are frames.

    Raises:
        AudioReadError, OSError, ValueError: as `blocks_of`.
    """
    samples = max(round(seconds * RATE), 1)
    columns = max(1, min(columns, samples // HOP))
    lowest, highest = np.full(columns, np.inf, np.float32), np.full(columns, -np.inf, np.float32)
    power, frames = np.zeros((columns, BANDS)), np.zeros(columns)
    filters = triangular_filters(BANDS, FRAME // 2 + 1, RATE, 0.0, RATE / 2, "htk").numpy()
    start, held = 0, np.zeros(0, np.float32)  # held: what the next frame begins with, from sample `start` on
    for block in blocks_of(recording, RATE):
        places = _columns(start + len(held) + np.arange(len(block)), samples, columns)
        np.minimum.at(lowest, places, block)
        np.maximum.at(highest, places, block)
        held = np.concatenate([held, block])
        count = max(0, 1 + (len(held) - FRAME) // HOP)
        if count:
            found = _mel_power(held[: FRAME + (count - 1) * HOP], filters)
            middles = start + np.arange(count) * HOP + FRAME // 2
            places = _columns(middles, samples, columns)
            np.add.at(power, places, found)
            np.add.at(frames, places, 1)
            start, held = start + count * HOP, held[count * HOP :]
    power = power / np.maximum(frames, 1)[:, None]
    empty = np.flatnonzero(frames == 0)
    if len(empty) < columns:  # the edges, which no frame's middle reaches, look like their neighbours
        filled = np.flatnonzero(frames)
        power[empty] = power[filled[np.abs(empty[:, None] - filled).argmin(1)]] if len(empty) else power[empty]
    waveform = np.stack([np.where(np.isfinite(lowest), lowest, 0), np.where(np.isfinite(highest), highest, 0)], 1)
    return Overview(seconds, waveform, (10 * np.log10(np.maximum(power, FLOOR))).astype(np.float32))


def _columns(places: NDArray[np.int64], samples: int, columns: int) -> NDArray[np.int64]:
    return np.minimum(places * columns // samples, columns - 1)


def _mel_power(samples: NDArray[np.float32], filters: NDArray[np.float32]) -> NDArray[np.float32]:
    """(samples,) to (frames, bands)."""
    frames = torch.from_numpy(samples).unfold(0, FRAME, HOP)
    return torch.fft.rfft(frames * torch.hann_window(FRAME)).abs().square().numpy() @ filters
