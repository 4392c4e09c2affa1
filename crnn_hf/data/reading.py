"""From a row of a corpus to the clip that a model hears: the one way, for training, evaluation and scoring alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import torch

from crnn_hf.audio import read_audio, read_stretch, resample, stretch


class Clip(TypedDict):
    """A clip as the model is to hear it: mono float32 of shape (samples,), its label and its name."""

    waveform: np.ndarray
    label: int
    utterance: str


@dataclass(frozen=True)
class ClipReader:
    """Reads clips from the rows of a corpus. `dataset.with_transform(reader)` reads a row when it is asked for.

    Attributes:
        sampling_rate: of the waveforms, in Hz; what is recorded at another is resampled.
        crop_seconds: read no more than a stretch so long of a longer clip, begun anywhere, as PyTorch's generator
            draws, which a `DataLoader` seeds in each of its workers. By default clips are read whole.
    """

    sampling_rate: int = 16_000
    crop_seconds: float | None = None

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Rows as `datasets` hands them to a transform, a list a column, to clips in the same form.

        Raises:
            AudioReadError: a clip cannot be read whole; the message names it.
        """
        return {
            "waveform": [self._read(audio) for audio in batch["audio"]],
            "label": list(batch["label"]),
            "utterance": list(batch["utterance"]),
        }

    def _read(self, audio: Any) -> np.ndarray:
        position = 0.0 if self.crop_seconds is None else torch.rand(()).item()
        return stretch_of(audio, self.crop_seconds, position, self.sampling_rate)


def stretch_of(audio: Any, seconds: float | None, position: float, sampling_rate: int = 16_000) -> np.ndarray:
    """No more than `seconds` of an audio column's value, or all of it where that is None.

    Args:
        audio: as `waveform_of` takes it.
        seconds: length of the stretch; a shorter recording is read whole.
        position: where the stretch begins, from 0, the start, to 1, so late that it ends with the recording.
        sampling_rate: the wanted sampling rate in Hz.

    Returns:
        (samples,), float32, channels averaged.

    Raises:
        AudioReadError, FileNotFoundError: as `waveform_of`.
    """
    if seconds is None:
        return waveform_of(audio, sampling_rate)
    if isinstance(audio, Mapping) and audio["bytes"] is not None:
        return read_stretch(audio["bytes"], seconds, position, sampling_rate, name=audio["path"])
    return stretch(waveform_of(audio, sampling_rate), round(seconds * sampling_rate), position)


def waveform_of(audio: Any, sampling_rate: int = 16_000) -> np.ndarray:
    """The waveform of an audio column's value, whichever form the column has.

    Args:
        audio: `{"bytes": ..., "path": ...}`, of which one may be None; or what torchcodec makes of it, where somebody
            cast the column so that `datasets` decodes it.
        sampling_rate: the wanted sampling rate in Hz.

    Returns:
        (samples,), float32, channels averaged.

    Raises:
        AudioReadError: the recording cannot be read whole; the message names it by its path.
        FileNotFoundError: there are no bytes, and no file of that path.
    """
    if hasattr(audio, "get_all_samples"):
        samples = audio.get_all_samples()
        return resample(samples.data.mean(0).numpy(), samples.sample_rate, sampling_rate)
    if audio["bytes"] is None:
        return read_audio(audio["path"], sampling_rate)
    return read_audio(audio["bytes"], sampling_rate, name=audio["path"])
