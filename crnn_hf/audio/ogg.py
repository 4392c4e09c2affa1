"""Ogg (RFC 3533; Vorbis, Opus, FLAC, Speex): is every page there and sound, up to each stream's last?"""

import struct
import zlib

from crnn_hf.audio.content import Content

# "OggS", version, flags, granule position, serial number, sequence number, checksum, number of lacing values.
PAGE = struct.Struct("<4sBBqIIIB")
MAGIC = b"OggS"
BEGINS_STREAM, ENDS_STREAM = 0x02, 0x04
MOST_LACING_VALUES = 255
CHECKSUM = slice(22, 26)
# Every byte with its bits in reverse order.
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def shortfall(content: Content, start: int) -> str | None:
    """What is wrong with an Ogg file, in words; None where it is whole, or no Ogg file.

    Every logical stream numbers its pages and ends with one that says so; every page has a checksum (RFC 3533,
    section 6). Decoders pass over a page that is missing or damaged, and may yield a shorter recording in silence.
    Whatever follows the last stream is ignored, for taggers append to files; but not another stream, for libsndfile
    reads none but the first of those that are chained (section 4).
    """
    position = start
    has_ended = False  # whether a stream has
    next_pages: dict[int, int] = {}  # by the serial number of the stream that they belong to
    while position < content.size:
        head = content.at(position, PAGE.size + MOST_LACING_VALUES)
        if not head.startswith(MAGIC[: len(head)]):
            if position == start or not next_pages:
                return None
            return f"damaged: no Ogg page begins at byte {position}, where the page before it ends"
        if len(head) < PAGE.size:
            return f"cut off within the Ogg page at byte {position}"
        _, _, flags, _, serial, number, checksum, lacings = PAGE.unpack_from(head)
        size = PAGE.size + lacings + sum(head[PAGE.size : PAGE.size + lacings])
        end = position + size
        if end > content.size:
            return f"cut off: its last Ogg page should end at byte {end}, the file ends at byte {content.size}"
        if _checksum(content.at(position, size)) != checksum:
            return f"damaged: the Ogg page at byte {position} does not match its checksum"
        if next_pages.get(serial, number) != number:
            return f"damaged: page {next_pages[serial]} of an Ogg stream is missing at byte {position}"
        if flags & BEGINS_STREAM and has_ended:
            return f"not one recording: another Ogg stream follows the first, at byte {position}"
        if flags & ENDS_STREAM:
            has_ended = True
            next_pages.pop(serial, None)
        else:
            next_pages[serial] = number + 1
        position = end
    return "cut off: its last Ogg page does not end the stream" if next_pages else None


def _checksum(page: bytes) -> int:
    """The CRC-32 of a page whose checksum reads zero, as Ogg has it.

    It shares zlib's polynomial, but takes the bits of each byte in the other order and inverts nothing.
    """
    blank = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    mirrored = zlib.crc32(blank.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
