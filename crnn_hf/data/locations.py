"""Where recordings lie: tar archives and folders, on this machine or behind an address, read from front to back."""

import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import fsspec

from crnn_hf.audio import AudioReadError


def is_address(location: str) -> bool:
    """Whether a location is an address, such as `https://…` or `hf://…`, rather than a path."""
    return "://" in location


def without_folder(source: str) -> str:
    """What a corpus is called, without where it lies; a name on the Hub, user/name, is kept whole."""
    if is_address(source):
        return Path(source.partition("?")[0]).name
    return Path(source).resolve().name if Path(source).exists() else source


def join(location: str, name: str) -> str:
    """The location of a file in a folder."""
    return f"{location.rstrip('/')}/{name}" if is_address(location) else str(Path(location) / name)


@contextmanager
def opened(location: str) -> Iterator[BinaryIO]:
    """A file to read from front to back; one behind an address is fetched piece by piece as it is read."""
    if not is_address(location):
        with Path(location).open("rb") as stream:
            yield stream
        return
    with fsspec.open(location, "rb") as stream:
        yield stream


def exists(location: str) -> bool:
    """Whether there is such a file."""
    if not is_address(location):
        return Path(location).is_file()
    filesystem, path = fsspec.core.url_to_fs(location)
    return filesystem.exists(path)


def stem(name: str) -> str:
    """A file's name without folders and extension."""
    return PurePosixPath(name).stem


def members(
    archive: str, suffix: str, name: str | None = None, wanted: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, bytes]]:
    """The members of a tar, compressed or not, whose names end in `suffix`: each one's name and content.

    Args:
        archive: path or address.
        suffix: such as `".flac"`.
        name: what errors call the archive; by default its location.
        wanted: tells of a member's name whether its content is wanted; on this machine the others are passed over
            unread.

    Raises:
        AudioReadError: the file is no tar, or is cut off.
    """
    try:
        # What is fetched piece by piece is best read from front to back.
        mode = "r|*" if is_address(archive) else "r:*"
        with opened(archive) as stream, tarfile.open(fileobj=stream, mode=mode) as tar:
            for member in tar:
                if member.isreg() and member.name.endswith(suffix) and (wanted is None or wanted(member.name)):
                    yield member.name, tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise AudioReadError(name or archive, f"not a whole tar archive: {error}") from error


def member_names(archive: str, suffix: str) -> list[str]:
    """The names of those members of a tar on this machine; only headers are read. Raises what `members` does."""
    try:
        with tarfile.open(archive, "r:") as tar:
            return [member.name for member in tar if member.isreg() and member.name.endswith(suffix)]
    except tarfile.TarError as error:
        raise AudioReadError(archive, f"not a whole tar archive: {error}") from error


def files_in(folder: str, suffix: str) -> Iterator[Path]:
    """The files in a folder and its subfolders whose names end in `suffix`, in the order of their names."""
    return (path for path in sorted(Path(folder).rglob(f"*{suffix}")) if path.is_file())
