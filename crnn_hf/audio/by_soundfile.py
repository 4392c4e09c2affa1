"""Decoding with soundfile (libsndfile): WAV, FLAC, Ogg, AIFF, AU, CAF and their kin."""

import numpy as np
import soundfile

from crnn_hf.audio import completeness, mpeg
from crnn_hf.audio.content import Content
from crnn_hf.audio.errors import Fault

# What libsndfile gives for the number of frames of a FLAC stream that does not declare it.
UNKNOWN_FRAMES = 2**63 - 1
SAMPLE_DUMP_MAGIC = b"\xf0\x7e"


def decode(content: Content) -> tuple[np.ndarray, int] | None:
    """The samples, (frames, channels), float32, and their rate in Hz; None where it is not soundfile's to read.

    Raises Fault where fewer samples decode than the file declares, or the decoder finds the stream damaged.
    """
    if _is_left_alone(content):
        return None
    content.seek(0)
    try:
        file = soundfile.SoundFile(content)
    except soundfile.SoundFileError:
        return None
    with file:
        declared = file.frames
        # MP3 within WAV is left alone as bare MP3 is; besides, the frames declared are then more than decode.
        if declared in (0, UNKNOWN_FRAMES) or file.subtype.startswith("MPEG"):
            return None
        try:
            # In one go: after each read soundfile seeks to where it stands, which libsndfile's Opus does not survive.
            samples = file.read(declared, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise Fault(f"cut off or damaged: its {file.format} stream does not decode to its end") from error
        except (MemoryError, ValueError) as error:
            raise Fault(f"it declares {declared} samples in {file.channels} channels, more than fit") from error
        if len(samples) < declared:
            raise Fault(f"cut off or damaged: it declares {declared} samples, {len(samples)} decode")
        return samples, file.samplerate


def _is_left_alone(content: Content) -> bool:
    """Whether libsndfile would open it, but had better not.

    Its MP3 decoder passes over damaged frames in silence and reports them on stderr; its decoder of MIDI sample dumps
    fills stdout with damaged ones.
    """
    is_mpeg = mpeg.frame_at(content, completeness.after_id3v2(content)) is not None
    return is_mpeg or content.at(0, len(SAMPLE_DUMP_MAGIC)) == SAMPLE_DUMP_MAGIC
