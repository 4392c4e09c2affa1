"""Headers that state outright how many bytes of audio follow: AU and NIST SPHERE.

- AU (Sun and NeXT): magic, offset and size of the data, as 32-bit words; all ones in the size mean "unknown".
- SPHERE (NIST; TIMIT and its kin): a header of text, whose fields give the number of samples and their width.
"""

import re
import struct

from crnn_hf.audio.content import Content

AU_ORDERS = {b".snd": ">", b"dns.": "<"}
AU_UNKNOWN_SIZE = 0xFFFFFFFF

SPHERE_MAGIC = b"NIST_1A\n"
SPHERE_SIZE = re.compile(rb"NIST_1A\n\s*(\d+)\n")
SPHERE_FIELD = re.compile(rb"^(sample_count|channel_count|sample_n_bytes) -i (\d{1,18})", re.MULTILINE)


def shortfall(content: Content, start: int) -> str | None:
    """What an AU or SPHERE header declares and the file does not hold, in words; None where nothing is missing."""
    head = content.at(start, 16)
    end = _sphere_end(content) if head.startswith(SPHERE_MAGIC) else _au_end(head)
    if end is None or end <= content.size:
        return None
    return f"cut off: its header declares audio up to byte {end}, the file ends at byte {content.size}"


def _au_end(head: bytes) -> int | None:
    """Byte at which an AU file's audio ends; None where the header does not say, or is no AU header."""
    order = AU_ORDERS.get(head[:4])
    if order is None or len(head) < 12:
        return None
    offset, size = struct.unpack(f"{order}II", head[4:12])
    return None if size == AU_UNKNOWN_SIZE else offset + size


def _sphere_end(content: Content) -> int | None:
    """Byte at which a SPHERE file's samples end; None where a field is missing, or the samples are compressed."""
    stated = SPHERE_SIZE.match(content.at(0, 16))
    if stated is None:
        return None
    header_size = int(stated[1])
    header = content.at(0, header_size)
    fields = {name: int(value) for name, value in SPHERE_FIELD.findall(header)}
    if len(fields) < 3 or b"shorten" in header or b"wavpack" in header:
        return None
    return header_size + fields[b"sample_count"] * fields[b"channel_count"] * fields[b"sample_n_bytes"]
