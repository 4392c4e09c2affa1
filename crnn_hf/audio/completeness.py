"""Is a recording whole? What its container declares must be there."""

from crnn_hf.audio import chunks, headers, matroska, mp4, mpeg, ogg
from crnn_hf.audio.content import Content

# Every check passes over what is not its format, so their order matters only for speed.
CHECKS = (chunks.shortfall, ogg.shortfall, mpeg.shortfall, mp4.shortfall, matroska.shortfall, headers.shortfall)

ID3V2_HEADER_SIZE = 10
ID3V2_HAS_FOOTER = 0x10


def shortfall(content: Content) -> str | None:
    """What is missing of a recording, in words; None where nothing is known to be.

    The outer structure alone is read, a few bytes at a time, whatever the recording's length. FLAC has none: the
    number of samples it declares (RFC 9639, section 8.2) is compared with what its decoder yields.
    """
    start = after_id3v2(content)
    return next((reason for check in CHECKS if (reason := check(content, start)) is not None), None)


def after_id3v2(content: Content) -> int:
    """Byte at which the audio begins: 0, or past the ID3v2 tag in front (ID3 version 2.4.0, section 3.1)."""
    head = content.at(0, ID3V2_HEADER_SIZE)
    if len(head) < ID3V2_HEADER_SIZE or not head.startswith(b"ID3"):
        return 0
    footer = ID3V2_HEADER_SIZE if head[5] & ID3V2_HAS_FOOTER else 0
    # Four bytes of seven bits, so that no size can be taken for a frame's sync word.
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return ID3V2_HEADER_SIZE + size + footer
