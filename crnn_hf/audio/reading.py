"""Any recording, as the one waveform the detector wants."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from crnn_hf.audio import by_pyav, by_soundfile, completeness
from crnn_hf.audio.content import Content
from crnn_hf.audio.errors import AudioReadError, Fault
from crnn_hf.audio.resampling import resample

# No recorder runs slower or faster; a header outside of these is damaged.
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000


def read_audio(
    source: str | os.PathLike | bytes | BinaryIO, sampling_rate: int = 16_000, *, name: str | None = None
) -> np.ndarray:
    """Read a recording whole, or not at all.

    The content decides how it is read, never the name's extension. soundfile reads WAV, FLAC, Ogg (Vorbis, Opus),
    AIFF, AU, CAF and what else libsndfile knows; FFmpeg, by way of PyAV, reads MP3 (libsndfile's decoder passes over
    damaged frames in silence), M4A, WebM, AMR, WMA, the sound of videos, and the rest. Of several audio streams the
    best is taken, as FFmpeg ranks them; several channels are averaged.

    What a container declares must be there; a file that was cut is refused. Some files cannot tell that they were
    cut, and are read as they are:

    - WAV, AIFF and CAF from a writer that left the size open (0, all ones, or 0x7FFFF000), and AU with all ones;
    - FLAC that declares no number of samples, if cut between two frames;
    - MP3 without a Xing, Info or VBRI note, AAC (ADTS), AC-3 and AMR, if cut between two frames;
    - MPEG-TS and FLV, if cut between two packets;
    - WebM and Matroska of unknown size, as browsers record them, if cut between two blocks;
    - fragmented MP4 that states no duration, if cut between two fragments;
    - libsndfile's rarities: AVR, IRCAM, MAT4, MAT5, MPC 2000, PAF, PVF, VOC, WVE, XI.

    Args:
        source: a path, the content itself as bytes, or a binary stream, which is read into memory from where it
            stands to its end, and left open.
        sampling_rate: the wanted sampling rate in Hz.
        name: what errors call a source that is bytes or a stream, such as a member of an archive.

    Returns:
        (samples,), float32. Integer full scale is 1.0, so values nominally lie in [-1, 1]; lossy codecs, resampling
        and float files may exceed that.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the path does not lead to a readable file.
        AudioReadError: the content is empty, is not audio, holds no samples, is cut off or damaged, has samples that
            are not finite numbers, or a sampling rate outside of 1 to 768 kHz; or several Ogg recordings follow one
            another in it.
    """
    with _opened(source) as stream:
        try:
            waveform, rate = _read(Content(stream))
        except Fault as fault:
            raise AudioReadError(name or _name_of(source), str(fault)) from fault.__cause__
    return resample(waveform, rate, sampling_rate)


@contextmanager
def _opened(source: str | os.PathLike | bytes | BinaryIO) -> Iterator[io.BufferedReader | io.BytesIO]:
    """The source as a stream that can seek; a file opened here is closed afterwards."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif hasattr(source, "read"):
        # A member of an archive, an upload, a pipe: not all can seek, and few do it well.
        yield io.BytesIO(source.read())
    else:
        with Path(source).open("rb") as stream:
            yield stream


def _name_of(source: str | os.PathLike | bytes | BinaryIO) -> str:
    """What errors call a source that the caller gave no name."""
    if isinstance(source, bytes):
        return "<bytes>"
    return str(getattr(source, "name", "<stream>") if hasattr(source, "read") else source)


def _read(content: Content) -> tuple[np.ndarray, int]:
    """The waveform, (samples,), float32, and its sampling rate in Hz. Raises Fault for bad content."""
    if content.size == 0:
        raise Fault("empty: 0 bytes")
    missing = completeness.shortfall(content)
    if missing is not None:
        raise Fault(missing)
    # Values beyond float32 become infinite, and the mean of infinite ones NaN. The check below finds and names them.
    with np.errstate(over="ignore", invalid="ignore"):
        waveform, rate = _decode(content)
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Fault(f"a sampling rate of {rate} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    finite = np.isfinite(waveform)
    if not finite.all():
        first = int(finite.argmin())
        raise Fault(f"{len(finite) - finite.sum()} samples are not finite numbers, the first {first / rate:.3f} s in")
    return waveform, rate


def _decode(content: Content) -> tuple[np.ndarray, int]:
    """The decoded waveform, channels averaged, and its rate."""
    decoded = by_soundfile.decode(content)
    if decoded is None:
        return by_pyav.decode(content)
    samples, rate = decoded
    return average(samples), rate


def average(samples: np.ndarray) -> np.ndarray:
    """The mean of the channels: (frames, channels) to (frames,), without a copy where there is but one."""
    if samples.shape[1] == 1:
        return samples[:, 0]
    return samples.mean(axis=1, dtype=np.float32)
