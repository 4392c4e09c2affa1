"""What is seen and heard of a recording, small enough to be part of the page: no file of it is left behind."""

import base64
import io

import numpy as np
import soundfile
import torch
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image
from transformers.audio_utils import hertz_to_mel

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.inference.recordings.picture import COLOURS, RANGE

COLUMNS = 900
# What a picture shows an effect as one cell of: about what the eye tells apart.
CELL_FRAMES, CELL_BANDS = 8, 4
# Frequencies nearer than this, as a share of the height, would be written over each other.
LEAST_GAP = 0.08


def sound(waveform: NDArray[np.float32], sampling_rate: int) -> str:
    """A waveform, (samples,), as the address of an MP3 that holds it."""
    file = io.BytesIO()
    clipped = np.clip(waveform, -1, 1)
    soundfile.write(file, clipped, sampling_rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.6)
    return _address(file.getvalue(), "audio/mpeg")


def outline(waveform: NDArray[np.float32]) -> str:
    """Highest and lowest values in each column, as the path of an SVG of height 2 around 0, y downwards."""
    columns = min(COLUMNS, len(waveform))
    edges = np.linspace(0, len(waveform), columns, endpoint=False).astype(int)
    loudest = max(float(np.abs(waveform).max()), 1e-4)
    high = -np.maximum.reduceat(waveform, edges) / loudest
    low = -np.minimum.reduceat(waveform, edges) / loudest
    points = [f"{x:g},{y:.3f}" for x, y in enumerate(high)] + [f"{x:g},{low[x]:.3f}" for x in reversed(range(columns))]
    return f"M{' '.join(points)}Z"


def spectrogram(waveform: NDArray[np.float32], extractor: CRNNFeatureExtractor) -> str:
    """The log-mel spectrogram that the detector hears, before it is normalised, as the address of a PNG."""
    log_mel = extractor.log_mel(torch.from_numpy(waveform)[None])[0].numpy()
    decibels = _pooled(log_mel, COLUMNS) * (10 / np.log(10))
    shade = np.clip((decibels - decibels.max()) / RANGE + 1, 0, 1)
    return _png(colormaps["magma"](shade)[..., :3])


def effects(found: NDArray[np.float32]) -> str:
    """What moved the score, (frames, mel), as the address of a PNG that is laid over the spectrogram."""
    frames, bands = found.shape
    coarse = _pooled(_pooled(found, max(1, frames // CELL_FRAMES)).T, max(1, bands // CELL_BANDS)).T
    strongest = max(float(np.quantile(np.abs(coarse), 0.98)), 1e-12)
    strength = np.clip(np.abs(coarse) / strongest, 0, 1)
    colour = np.where((coarse < 0)[..., None], _rgb(COLOURS["fake"]), _rgb(COLOURS["real"]))
    return _png(np.concatenate([colour, 0.9 * strength[..., None]], -1))


def heights(extractor: CRNNFeatureExtractor) -> list[tuple[str, float]]:
    """Where round frequencies lie on the axis of bands, 0 below and 1 above."""
    f_max = extractor.f_max or extractor.sampling_rate / 2
    low, high = (_scaled(hertz, extractor.mel_scale) for hertz in (extractor.f_min, f_max))
    marks = [hertz for hertz in (500, 1000, 2000, 4000, 8000) if extractor.f_min < hertz < 0.95 * f_max]
    places = {hertz: (_scaled(hertz, extractor.mel_scale) - low) / (high - low) for hertz in marks}
    kept = [hertz for hertz in marks if hertz == marks[-1] or places[2 * hertz] - places[hertz] > LEAST_GAP]
    return [(f"{hertz / 1000:g} kHz", places[hertz]) for hertz in kept]


def _scaled(hertz: float, scale: str) -> float:
    return hertz if scale == "linear" else float(hertz_to_mel(hertz, scale))


def _pooled(values: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """The mean of neighbouring rows, so that no more are left."""
    rows = len(values)
    edges = np.linspace(0, rows, min(columns, rows), endpoint=False).astype(int)
    return np.add.reduceat(values, edges, 0) / np.diff(np.append(edges, rows))[:, None]


def _png(values: NDArray[np.float64]) -> str:
    """(times, bands, channels) in [0, 1], low bands at the bottom."""
    pixels = (255 * values).round().astype(np.uint8).swapaxes(0, 1)[::-1]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return _address(file.getvalue(), "image/png")


def _rgb(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
