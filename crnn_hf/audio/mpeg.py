"""MPEG audio (ISO/IEC 11172-3 and 13818-3; MP3 and its older layers): are all the declared frames there?

An encoder may spend the first frame on a note of how long the stream is: Xing's (also written as "Info"), or VBRI by
Fraunhofer. A stream without either cannot tell that it was cut between two frames; a cut within a frame always shows.
"""

import struct
from dataclasses import dataclass

from crnn_hf.audio.content import Content

SYNC = 0xFFE00000
# Kilobits a second by the header's bitrate index, for (is version 1, layer); index 0 leaves the rate open.
BITRATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Samples a second of version 1 by the header's index; versions 2 and 2.5 halve and quarter them.
RATES = (44100, 48000, 32000)
RATE_DIVISORS = {3: 1, 2: 2, 0: 4}

XING_MARKS = (b"Xing", b"Info")
XING_HAS_FRAMES, XING_HAS_BYTES = 1, 2
VBRI_OFFSET = 36
VBRI = struct.Struct(">4s6xII")


@dataclass(frozen=True)
class Frame:
    """What a frame header says: the frame's size in bytes, and where in it Xing's note would stand."""

    size: int
    xing_offset: int


def shortfall(content: Content, start: int) -> str | None:
    """What is missing of an MPEG audio stream, in words; None where it is whole, cannot tell, or is none.

    `start` is where the stream begins, past any ID3v2 tag.
    """
    first = frame_at(content, start)
    if first is None:
        return None
    frames, size = _declared(content, start, first)
    if size is not None and start + size <= content.size:
        return None
    found, end = _walk(content, start)
    if end > content.size:
        return f"cut off: its last MPEG frame should end at byte {end}, the file ends at byte {content.size}"
    # The first frame, which carries the note, is not counted in it.
    if frames is not None and found - 1 < frames:
        return f"cut off: its header declares {frames} MPEG frames, {found - 1} are there"
    if frames is None and size is not None:
        return f"cut off: its header declares {size} bytes, {content.size - start} are there"
    return None


def frame_at(content: Content, offset: int) -> Frame | None:
    """The frame header at `offset`; None where there is none, or it leaves the bitrate open."""
    head = content.at(offset, 4)
    bits = int.from_bytes(head) if len(head) == 4 else 0
    version, layer = bits >> 19 & 3, 4 - (bits >> 17 & 3)
    bitrate_index, rate_index, padding = bits >> 12 & 15, bits >> 10 & 3, bits >> 9 & 1
    if bits & SYNC != SYNC or version == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return None
    is_first_version, is_mono = version == 3, bits >> 6 & 3 == 3
    bits_per_second = 1000 * BITRATES[is_first_version, layer][bitrate_index]
    rate = RATES[rate_index] // RATE_DIVISORS[version]
    # A frame is 384 samples in layer 1, 1152 in the others, but 576 in layer 3 of the lower sampling rates.
    # Layer 1 counts its length, padding included, in slots of 4 bytes.
    if layer == 1:
        size = (12 * bits_per_second // rate + padding) * 4
    else:
        size = (144 if layer == 2 or is_first_version else 72) * bits_per_second // rate + padding
    side_information = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
    return Frame(size, 4 + side_information[is_first_version, is_mono])


def _declared(content: Content, start: int, first: Frame) -> tuple[int | None, int | None]:
    """The number of frames and of bytes that the first frame declares, each None where it does not."""
    head = content.at(start, first.size)
    if head[VBRI_OFFSET : VBRI_OFFSET + 4] == b"VBRI" and len(head) >= VBRI_OFFSET + VBRI.size:
        _, size, frames = VBRI.unpack_from(head, VBRI_OFFSET)
        return frames, size
    note = head[first.xing_offset : first.xing_offset + 16]
    if note[:4] not in XING_MARKS or len(note) < 16:
        return None, None
    flags, *fields = struct.unpack(">4xIII", note)
    frames = fields.pop(0) if flags & XING_HAS_FRAMES else None
    size = fields.pop(0) if flags & XING_HAS_BYTES else None
    return frames, size


def _walk(content: Content, start: int) -> tuple[int, int]:
    """How many frames follow one another from `start`, and the byte at which the last of them should end."""
    count, position = 0, start
    while (frame := frame_at(content, position)) is not None:
        count += 1
        position += frame.size
    return count, position
