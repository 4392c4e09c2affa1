"""Matroska and WebM (RFC 8794 for EBML, RFC 9559): does every element end within the file?"""

from crnn_hf.audio.content import Content

EBML_MAGIC = bytes.fromhex("1a45dfa3")
# The two masters that a live writer leaves open: it cannot know their size when it begins them.
OPEN_MASTERS = frozenset({bytes.fromhex("18538067"), bytes.fromhex("1f43b675")})  # Segment, Cluster
LONGEST_IDENTIFIER, LONGEST_SIZE = 4, 8


def shortfall(content: Content, start: int) -> str | None:
    """What is missing of a Matroska file, in words; None where it is whole, cannot tell, or is no such file.

    A master element of unknown size (RFC 8794, section 6.2), as in what browsers record, is entered and its children
    must be whole. Such a file cannot tell that it was cut between two of them.
    """
    if content.at(start, len(EBML_MAGIC)) != EBML_MAGIC:
        return None
    position = start
    while position < content.size:
        header = content.at(position, LONGEST_IDENTIFIER + LONGEST_SIZE)
        identifier_length = _length(header[0])
        if identifier_length > LONGEST_IDENTIFIER:
            return f"damaged: no Matroska element begins at byte {position}, where the one before it ends"
        if len(header) <= identifier_length or len(header) < identifier_length + _length(header[identifier_length]):
            return f"cut off within the header of the Matroska element at byte {position}"
        identifier, rest = header[:identifier_length], header[identifier_length:]
        size_length = _length(rest[0])
        if size_length > LONGEST_SIZE:
            return f"damaged: the Matroska element at byte {position} has no valid size"
        position += identifier_length + size_length
        # The size is what follows the length's marker bit; all ones mean "unknown".
        mask = (1 << 7 * size_length) - 1
        size = int.from_bytes(rest[:size_length]) & mask
        if size == mask:
            if identifier not in OPEN_MASTERS:
                return None
            continue
        if position + size > content.size:
            return (
                f"cut off: its Matroska element {identifier.hex()} declares {size} bytes, "
                f"{content.size - position} are there"
            )
        position += size
    return None


def _length(first_byte: int) -> int:
    """How many bytes a variable-length number takes: one, and one more for each zero bit before its first one."""
    return 9 - first_byte.bit_length()
