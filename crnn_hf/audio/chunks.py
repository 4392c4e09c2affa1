"""Containers made of chunks, each an identifier and a size: is the audio in them whole?

- RIFF ("Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991): WAV and AVI.
- RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088): WAV whose sizes past 32 bits stand in a `ds64` chunk.
- Wave64 (Sony): GUIDs for identifiers, 64-bit sizes that include the chunk's own header.
- IFF ("EA IFF 85"): AIFF, AIFC, 8SVX and 16SV.
- CAF (Apple, "Core Audio Format Specification").
- ASF (Microsoft, "Advanced Systems Format Specification"): WMA and WMV.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from crnn_hf.audio.content import Content

# What writers that cannot seek back put where a size belongs: nothing, all ones (FFmpeg), SoX's ceiling.
PLACEHOLDER_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFF000})
# In the payload of `ds64`, after the 64-bit size of the whole file.
DS64_DATA_SIZE = struct.Struct("<8xQ")


@dataclass(frozen=True)
class Layout:
    """How one family of containers lays out its chunks."""

    first: int  # byte at which the first chunk begins
    header: struct.Struct  # identifier, size
    size_includes_header: bool = False
    alignment: int = 1  # chunks begin at multiples of this many bytes
    audio: bytes | None = None  # identifier of the chunk that must be whole; None: all of them must


@dataclass(frozen=True)
class Chunk:
    """One chunk: where its payload begins, and where it says it ends (None: it does not say)."""

    identifier: bytes
    begin: int
    end: int | None


# The GUID of Wave64's data chunk; its first four bytes spell "data".
WAVE64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")

WAVE = Layout(12, struct.Struct("<4sI"), alignment=2, audio=b"data")
AIFF = Layout(12, struct.Struct(">4sI"), alignment=2, audio=b"SSND")
SVX = Layout(12, struct.Struct(">4sI"), alignment=2, audio=b"BODY")

# By the four bytes of the signature, followed by the form type (bytes 8 to 11) where a signature serves several forms.
LAYOUTS = {
    b"RIFFWAVE": WAVE,
    b"RF64WAVE": WAVE,
    b"BW64WAVE": WAVE,
    b"RIFXWAVE": Layout(12, struct.Struct(">4sI"), alignment=2, audio=b"data"),
    b"RIFFAVI ": Layout(12, struct.Struct("<4sI"), alignment=2),
    b"FORMAIFF": AIFF,
    b"FORMAIFC": AIFF,
    b"FORM8SVX": SVX,
    b"FORM16SV": SVX,
    b"riff": Layout(40, struct.Struct("<16sQ"), size_includes_header=True, alignment=8, audio=WAVE64_DATA),
    b"caff": Layout(8, struct.Struct(">4sq"), audio=b"data"),
    b"0&\xb2u": Layout(0, struct.Struct("<16sQ"), size_includes_header=True),
}


def shortfall(content: Content, start: int) -> str | None:
    """What a chunked container declares and does not hold, in words; None where nothing is known to be missing.

    A chunk whose size is a placeholder (written by a program that could not seek back) is taken as it is: such a
    file cannot tell that it was cut.
    """
    head = content.at(start, 12)
    layout = LAYOUTS.get(head[:4] + head[8:12]) or LAYOUTS.get(head[:4])
    if layout is None:
        return None
    for chunk in _walk(content, start, layout):
        if chunk.end is None:
            return None
        if chunk.end > content.size:
            return (
                f"cut off: its {_spell(chunk.identifier)} chunk declares {chunk.end - chunk.begin} bytes, "
                f"{content.size - chunk.begin} are there"
            )
        if chunk.identifier == layout.audio:
            return None
    return None if layout.audio is None else f"cut off or damaged: it has no {_spell(layout.audio)} chunk"


def _walk(content: Content, start: int, layout: Layout) -> Iterator[Chunk]:
    """The container's chunks in their order, up to the first that does not say where it ends."""
    position = start + layout.first
    long_size: int | None = None
    while position < content.size:
        header = content.at(position, layout.header.size)
        if len(header) < layout.header.size:
            return
        identifier, size = layout.header.unpack(header)
        begin = position + layout.header.size
        if identifier == b"ds64":
            long_size = DS64_DATA_SIZE.unpack(content.at(begin, DS64_DATA_SIZE.size))[0]
        if identifier == b"data" and size == 0xFFFFFFFF and long_size is not None:
            size = long_size
        if layout.size_includes_header:
            size -= layout.header.size
        # A negative size is how CAF says "to the end of the file"; elsewhere it is less than the chunk's own header.
        unknown = size < 0 or (identifier == layout.audio and size in PLACEHOLDER_SIZES)
        yield Chunk(identifier, begin, None if unknown else begin + size)
        position = begin + size + -size % layout.alignment


def _spell(identifier: bytes) -> str:
    """An identifier for people: its letters, or the hexadecimal digits of a GUID."""
    return repr(identifier.decode()) if identifier.isascii() else identifier.hex()
