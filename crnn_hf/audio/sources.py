"""What a recording may be given as: a path, its content, or a stream."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from crnn_hf.audio.content import Content

Source = str | os.PathLike[str] | bytes | BinaryIO

# Bytes of a stream to keep in memory; of a longer one, all are kept in a temporary file.
MOST_IN_MEMORY = 2**24


@contextmanager
def opened(source: Source) -> Iterator[Content]:
    """The source's content, at any place of which a decoder may read. A file opened here is closed afterwards."""
    if isinstance(source, bytes):
        yield Content(io.BytesIO(source))
    elif hasattr(source, "read"):
        # A member of an archive, an upload, a pipe: not all can seek, and few do it well.
        with tempfile.SpooledTemporaryFile(MOST_IN_MEMORY) as copy:
            shutil.copyfileobj(source, copy, 2**20)
            yield Content(copy)
    else:
        with Path(source).open("rb") as stream:
            yield Content(stream)


def name_of(source: Source) -> str:
    """What errors call a source that the caller gave no name."""
    if isinstance(source, bytes):
        return "<bytes>"
    return str(getattr(source, "name", "<stream>") if hasattr(source, "read") else source)
