"""A stretch of a recording, read without the rest where that can be done."""

import io

import numpy as np
import soundfile

from crnn_hf.audio.errors import AudioReadError
from crnn_hf.audio.reading import average, read_audio
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
    if content.startswith(SEEKABLE) and (found := _seek_and_read(content, seconds, position, name)) is not None:
        return resample(found[0], found[1], sampling_rate)
    return stretch(read_audio(content, sampling_rate, name=name), round(seconds * sampling_rate), position)


def stretch(waveform: np.ndarray, samples: int, position: float) -> np.ndarray:
    """At most `samples` of a waveform, (samples,); `position` is what `read_stretch` says."""
    start = round(position * max(0, len(waveform) - samples))
    return waveform[start : start + samples]


def _seek_and_read(content: bytes, seconds: float, position: float, name: str) -> tuple[np.ndarray, int] | None:
    """The stretch at the recording's own rate, and that rate; None where the recording is to be read whole."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            samples = round(seconds * file.samplerate)
            if not samples < file.frames < 2**63 - 1:
                return None
            file.seek(round(position * (file.frames - samples)))
            found = average(file.read(samples, dtype="float32", always_2d=True))
    except soundfile.SoundFileError as error:
        raise AudioReadError(name, "cut off or damaged: a stretch of it does not decode") from error
    if len(found) < samples:
        raise AudioReadError(name, f"cut off or damaged: {samples} samples of a stretch expected, {len(found)} decode")
    if not np.isfinite(found).all():
        raise AudioReadError(name, "samples that are not finite numbers")
    return found, file.samplerate
