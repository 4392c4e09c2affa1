"""Whatever may hold a recording, as blocks of its waveform."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from numbers import Real
from pathlib import Path
from typing import Any

import fsspec
import numpy as np

from crnn_hf.audio import AudioReadError, StreamingResampler, mono_samples, stream_audio
from crnn_hf.audio.decoding import HIGHEST_RATE, LOWEST_RATE

ADDRESSES = ("http://", "https://", "hf://")
EXPECTED = (
    "a path, an address, bytes, a file, an array of shape (samples,), or a dict of an array and its sampling_rate"
)


def blocks_of(recording: Any, sampling_rate: int) -> Iterator[np.ndarray]:
    """The waveform of a recording, block by block, so that its length does not matter.

    Args:
        recording: a path; an address (http, https, hf); a file's content as bytes; a binary stream; an array or tensor
            at `sampling_rate`; a dict with "raw" or "array" and "sampling_rate", as transformers' pipelines take it; a
            dict with "bytes" or "path", or a decoder, as `datasets` gives them.
        sampling_rate: the wanted one in Hz.

    Yields:
        (samples,), float32, mono.

    Raises:
        AudioReadError: the recording is damaged, empty, or not audio; what was yielded before is then worth nothing.
        FileNotFoundError, IsADirectoryError, PermissionError: the path or address does not lead to a readable file.
        ValueError: it is nothing of the above.
    """
    if isinstance(recording, Mapping):
        yield from _blocks_of_mapping(recording, sampling_rate)
    elif hasattr(recording, "get_all_samples"):  # what `datasets` decodes with, where torchcodec is installed
        samples = recording.get_all_samples()
        yield from _blocks_of_array(samples.data, samples.sample_rate, sampling_rate)
    elif isinstance(recording, str) and recording.startswith(ADDRESSES):
        with _fetched(recording) as stream:
            yield from stream_audio(stream, sampling_rate, name=recording)
    elif isinstance(recording, str | Path | bytes | bytearray) or hasattr(recording, "read"):
        source = bytes(recording) if isinstance(recording, bytearray) else recording
        yield from stream_audio(source, sampling_rate)
    else:
        yield from _blocks_of_array(recording, sampling_rate, sampling_rate)


def _blocks_of_mapping(recording: Mapping[str, Any], sampling_rate: int) -> Iterator[np.ndarray]:
    array = recording.get("raw", recording.get("array"))
    if array is not None and "sampling_rate" in recording:
        yield from _blocks_of_array(array, recording["sampling_rate"], sampling_rate)
    elif recording.get("bytes") is not None:
        yield from stream_audio(recording["bytes"], sampling_rate, name=recording.get("path"))
    elif recording.get("path") is not None:
        yield from stream_audio(recording["path"], sampling_rate)
    else:
        raise ValueError(f"expected {EXPECTED}; found a dict of {sorted(recording)}")


def _blocks_of_array(array: Any, rate: int, sampling_rate: int) -> Iterator[np.ndarray]:
    """The array at another rate. Raises ValueError for what is not a waveform, AudioReadError for one that is bad."""
    try:
        samples = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:  # the last of a tensor that has a gradient
        raise ValueError(f"expected {EXPECTED}; found {type(array).__name__}: {error}") from error
    if samples.ndim == 2 and 1 in samples.shape:
        samples = samples.reshape(-1)
    if samples.ndim != 1 or samples.dtype.kind not in "fi":
        raise ValueError(
            f"expected {EXPECTED}; found {type(array).__name__} of shape {samples.shape}, {samples.dtype}"
        )
    try:
        samples = mono_samples(samples)
    except ValueError as error:
        raise AudioReadError("<array>", str(error)) from error
    if len(samples) == 0:
        raise AudioReadError("<array>", "empty: 0 samples")
    if rate == sampling_rate:
        yield samples
        return
    if not (isinstance(rate, Real) and LOWEST_RATE <= rate <= HIGHEST_RATE and rate == int(rate)):
        raise ValueError(f"expected a sampling rate of {LOWEST_RATE} to {HIGHEST_RATE} Hz; found {rate!r}")
    resampler = StreamingResampler(int(rate), sampling_rate)
    yield resampler.push(samples)
    yield resampler.flush()


def _fetched(address: str) -> AbstractContextManager[Any]:
    """What lies at an address, as a stream that fetches what is read of it."""
    try:
        return fsspec.open(address, "rb").open()
    except OSError:
        raise
    except Exception as error:  # aiohttp's own kinds, which fsspec lets through
        raise OSError(f"{address}: {error}") from error


def name_of(recording: Any) -> str:
    """What errors call a recording."""
    if isinstance(recording, Mapping):
        recording = recording.get("path") or recording
    return str(recording) if isinstance(recording, str | Path) else f"<{type(recording).__name__}>"
