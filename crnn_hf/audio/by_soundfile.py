"""Decoding with soundfile (libsndfile): WAV, FLAC, Ogg, AIFF, AU, CAF and their kin."""

from collections.abc import Iterator

import numpy as np
import soundfile

from crnn_hf.audio import completeness, mpeg
from crnn_hf.audio.content import Content
from crnn_hf.audio.errors import Fault

# What libsndfile gives for the number of frames of a FLAC stream that does not declare it.
UNKNOWN_FRAMES = 2**63 - 1
# How many values, over all channels, to decode at a time: most clips' all, and two megabytes.
MOST_VALUES = 2**19
SAMPLE_DUMP_MAGIC = b"\xf0\x7e"


class _Forwards(soundfile.SoundFile):
    """A file that is read once from its beginning to its end.

    After each read, soundfile makes a file that can seek do so, to where it already stands. libsndfile's Opus does not
    survive that.
    """

    def seekable(self) -> bool:
        return False


def decoded(content: Content) -> Iterator[tuple[np.ndarray, int]] | None:
    """The waveform piece by piece, channels averaged, (samples,), float32; and the rate of each in Hz.

    None where the content is not soundfile's to read. While the pieces are taken, raises Fault where fewer samples
    decode than the file declares, or the decoder finds the stream damaged.
    """
    if _is_left_alone(content):
        return None
    content.seek(0)
    try:
        file = _Forwards(content)
    except soundfile.SoundFileError:
        return None
    # MP3 within WAV is left alone as bare MP3 is; besides, the frames declared are then more than decode.
    if file.frames in (0, UNKNOWN_FRAMES) or file.subtype.startswith("MPEG"):
        file.close()
        return None
    return _pieces(file)


def _pieces(file: _Forwards) -> Iterator[tuple[np.ndarray, int]]:
    """The rest of `decoded`, once the file is open."""
    with file:
        declared, found = file.frames, 0
        most = max(1, MOST_VALUES // file.channels)
        while found < declared:
            frames = min(most, declared - found)
            try:
                samples = file.read(frames, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                raise Fault(f"cut off or damaged: its {file.format} stream does not decode to its end") from error
            found += len(samples)
            if len(samples) < frames:
                raise Fault(f"cut off or damaged: it declares {declared} samples, {found} decode")
            yield average(samples), file.samplerate


@np.errstate(over="ignore", invalid="ignore")
def average(samples: np.ndarray) -> np.ndarray:
    """The mean of the channels: (frames, channels) to (frames,), without a copy where there is but one.

    The mean of values that are infinite, or add up to more than float32 holds, is no finite number.
    """
    if samples.shape[1] == 1:
        return samples[:, 0]
    return samples.mean(axis=1, dtype=np.float32)


def _is_left_alone(content: Content) -> bool:
    """Whether libsndfile would open it, but had better not.

    Its MP3 decoder passes over damaged frames in silence and reports them on stderr; its decoder of MIDI sample dumps
    fills stdout with damaged ones.
    """
    is_mpeg = mpeg.frame_at(content, completeness.after_id3v2(content)) is not None
    return is_mpeg or content.at(0, len(SAMPLE_DUMP_MAGIC)) == SAMPLE_DUMP_MAGIC
