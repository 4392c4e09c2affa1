"""A stretch of a recording, read without the rest where that can be done."""

import io

import numpy as np
import soundfile

from crnn_hf.audio import completeness
from crnn_hf.audio.by_soundfile import UNKNOWN_FRAMES, average
from crnn_hf.audio.content import Content
from crnn_hf.audio.reading import read_audio
from crnn_hf.audio.resampling import resample

# What libsndfile finds a sample in without decoding all that comes before: FLAC, WAV.
SEEKABLE = (b"fLaC", b"RIFF")


def read_stretch(content: bytes, seconds: float, position: float, sampling_rate: int, *, name: str) -> np.ndarray:
    """Read no more than `seconds` of a recording.

    Of FLAC and WAV the stretch alone is decoded, and damage elsewhere goes unnoticed; other formats are read whole.

    Args:
        content: the file's bytes.
        seconds: length of the stretch; a shorter recording is read whole.
        position: where the stretch begins, from 0, the start, to 1, so late that it ends with the recording.
        sampling_rate: the wanted sampling rate in Hz.
        name: what errors call the recording.

    Returns:
        (samples,), float32, channels averaged.

    Raises:
        AudioReadError: the stretch cannot be read; or, where the recording is read whole, what `read_audio` refuses.
    """
    if content.startswith(SEEKABLE) and (found := _seek_and_read(content, seconds, position)) is not None:
        return resample(found[0], found[1], sampling_rate)
    return stretch(read_audio(content, sampling_rate, name=name), round(seconds * sampling_rate), position)


def stretch(waveform: np.ndarray, samples: int, position: float) -> np.ndarray:
    """At most `samples` of a waveform, (samples,); `position` is what `read_stretch` says."""
    start = round(position * max(0, len(waveform) - samples))
    return waveform[start : start + samples]


def _seek_and_read(content: bytes, seconds: float, position: float) -> tuple[np.ndarray, int] | None:
    """The stretch, (samples,), at the recording's own rate, and that rate in Hz.

    None where the recording is to be read whole: it is no longer than the stretch, or something is wrong with it,
    which is then named as it always is.
    """
    stream = io.BytesIO(content)
    if completeness.shortfall(Content(stream)) is not None:
        return None
    stream.seek(0)
    try:
        with soundfile.SoundFile(stream) as file:
            samples = round(seconds * file.samplerate)
            if not samples < file.frames < UNKNOWN_FRAMES:
                return None
            file.seek(round(position * (file.frames - samples)))
            found = average(file.read(samples, dtype="float32", always_2d=True))
    except soundfile.SoundFileError:
        return None
    return (found, file.samplerate) if len(found) == samples and np.isfinite(found).all() else None
