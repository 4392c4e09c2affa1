"""Where recordings lie: files on their own, or members of tar archives, which are read without unpacking."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crnn_hf.audio import AudioReadError


@dataclass(frozen=True, slots=True)
class Location:
    """A stretch of bytes in a file.

    Attributes:
        file: the file, or the archive.
        member: name within the archive; empty for a file on its own.
        offset: byte at which the content begins.
        size: number of bytes.
    """

    file: Path
    member: str
    offset: int
    size: int

    @property
    def name(self) -> str:
        """What errors call it: the path, followed by the member's name in an archive."""
        return f"{self.file}/{self.member}" if self.member else str(self.file)

    @property
    def stem(self) -> str:
        """The file's name without folders and extension."""
        return PurePosixPath(self.member).stem if self.member else self.file.stem

    def read(self) -> bytes:
        """The content. Raises AudioReadError where the file has become shorter since it was indexed."""
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            content = stream.read(self.size)
        if len(content) < self.size:
            raise AudioReadError(self.name, f"cut off: {self.size} bytes expected, {len(content)} are there")
        return content


def members_of(archive: Path, suffix: str) -> Iterator[Location]:
    """The members of a tar (not compressed) whose names end in `suffix`; only headers are read.

    Raises:
        AudioReadError: the file is no tar, or is cut off.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                if member.isreg() and member.name.endswith(suffix):
                    yield Location(archive, member.name, member.offset_data, member.size)
    except tarfile.TarError as error:
        raise AudioReadError(str(archive), f"not a whole tar archive: {error}") from error


def files_in(folder: Path, suffix: str) -> Iterator[Location]:
    """The files in a folder and its subfolders whose names end in `suffix`, in the order of their names."""
    for path in sorted(folder.rglob(f"*{suffix}")):
        if path.is_file():
            yield Location(path, "", 0, path.stat().st_size)
