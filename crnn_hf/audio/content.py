"""The bytes of a recording, stripped of its name."""

import io


class Content:
    """Random access to a recording's bytes, and nothing else.

    soundfile and FFmpeg both look at a file object's `name` and let its extension sway them. This object has none,
    so the bytes alone decide. It offers what both libraries ask of a file: read, readinto, seek and tell.

    Attributes:
        size: number of bytes.
    """

    __slots__ = ("_stream", "read", "readinto", "size", "tell")

    def __init__(self, stream: io.BufferedReader | io.BytesIO) -> None:
        self._stream = stream
        self.read = stream.read
        self.readinto = stream.readinto
        self.tell = stream.tell
        self.size = stream.seek(0, io.SEEK_END)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As a file's, but -1 where a damaged header sends the decoder to a place that no file has.

        That is how FFmpeg expects to hear of it. An exception would not reach the decoders, which are not Python:
        their bindings would print it, or raise it later.
        """
        try:
            return self._stream.seek(offset, whence)
        except (OSError, ValueError):
            return -1

    def at(self, offset: int, count: int) -> bytes:
        """The `count` bytes from `offset` on, fewer where the content ends earlier."""
        self.seek(offset)
        return self.read(count)
