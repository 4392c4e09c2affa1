"""A recording of any length, block by block, in memory that does not grow with it."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np

from crnn_hf.audio.content import Content
from crnn_hf.audio.decoding import decoded
from crnn_hf.audio.errors import AudioReadError, Fault
from crnn_hf.audio.resampling import StreamingResampler
from crnn_hf.audio.sources import Source, name_of, opened


def stream_audio(
    source: Source, sampling_rate: int = 16_000, *, name: str | None = None, block_seconds: float = 10.0
) -> Iterator[np.ndarray]:
    """Read a recording as `read_audio` does, but block by block: an hour takes no more memory than a minute.

    The same formats are read by the same decoders, and the blocks, joined, are what `read_audio` returns, to
    float32's rounding. Nothing is opened before the first block is asked for.

    What the container gives away is refused before the first block: that the recording is empty, no audio, or cut
    off. Damage that only decoding shows is raised when it is met, after good blocks: a caller who wants the recording
    whole or not at all, as `read_audio` has it, must then discard what came of them.

    Args:
        source: a path, which is never read into memory whole; the content itself as bytes; or a binary stream, which
            is read from where it stands to its end, kept in a temporary file if it is long, and left open.
        sampling_rate: the wanted sampling rate in Hz.
        name: what errors call a source that is bytes or a stream, such as a member of an archive.
        block_seconds: how long the blocks are to be.

    Yields:
        (samples,), float32, channels averaged: `round(block_seconds * sampling_rate)` samples, fewer in the last
        block, which is not empty. There is at least one block.

    Raises:
        ValueError: a block would be shorter than one sample.
        FileNotFoundError, IsADirectoryError, PermissionError, AudioReadError: as `read_audio`.
    """
    size = round(block_seconds * sampling_rate)
    if size < 1:
        raise ValueError(f"blocks of {block_seconds} s at {sampling_rate} Hz hold no sample; expected one at least")
    with opened(source) as content, closing(_resampled(content, sampling_rate)) as pieces:
        try:
            yield from _in_blocks(pieces, size)
        except Fault as fault:
            raise AudioReadError(name or name_of(source), str(fault)) from fault.__cause__


def _resampled(content: Content, sampling_rate: int) -> Iterator[np.ndarray]:
    """The pieces of a recording's waveform at the wanted rate, some of them empty. Raises Fault for bad content."""
    resampler = None
    with closing(decoded(content)) as pieces:
        for samples, rate in pieces:
            resampler = resampler or StreamingResampler(rate, sampling_rate)
            yield resampler.push(samples)
    yield resampler.flush()


def _in_blocks(pieces: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The samples of all pieces, in blocks of `size`, the last of which may be shorter, but not empty."""
    waiting, count = [], 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = count - count % size
            yield from joined[:whole].reshape(-1, size)
            waiting, count = [joined[whole:].copy()], count - whole
    if count:
        yield np.concatenate(waiting)
