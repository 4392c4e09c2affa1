"""ISO base media files (ISO/IEC 14496-12; MP4, M4A, 3GP, QuickTime): is every outermost box whole?"""

import struct

from crnn_hf.audio.content import Content

BOX = struct.Struct(">I4s")
LONG_SIZE = struct.Struct(">Q")
TO_THE_END, SIZE_FOLLOWS = 0, 1
# Boxes that a file may begin with; the first names the format, old QuickTime files start with any of the others.
OPENING_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})


def shortfall(content: Content, start: int) -> str | None:
    """What is missing of an MP4 file, in words; None where every box is whole, or it is no MP4 file.

    The boxes of a whole file end where the file does, so every cut shows, save one between two fragments of a
    fragmented file whose header gives no duration.
    """
    position = start
    kinds: set[bytes] = set()
    while position < content.size:
        header = content.at(position, BOX.size + LONG_SIZE.size)
        if len(header) < BOX.size:
            return f"cut off within the header of the MP4 box at byte {position}" if kinds else None
        size, kind = BOX.unpack_from(header)
        if not kinds and kind not in OPENING_BOXES:
            return None
        kinds.add(kind)
        if size == TO_THE_END:
            break
        if size == SIZE_FOLLOWS and len(header) == BOX.size + LONG_SIZE.size:
            size = LONG_SIZE.unpack_from(header, BOX.size)[0]
        if size < BOX.size:
            return f"damaged: the MP4 box at byte {position} claims to be {size} bytes long"
        if position + size > content.size:
            return (
                f"cut off: its MP4 box {kind.decode('latin-1')!r} declares {size} bytes, "
                f"{content.size - position} are there"
            )
        position += size
    if b"mdat" in kinds and not kinds & {b"moov", b"meta"}:
        return "cut off or never finished: it has no 'moov' box, the index without which MP4 cannot be read"
    return None
