"""One run at a time writes an output."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def only_run(output: Path) -> Iterator[None]:
    """Keep other runs from an output as long as this one lasts; a run that is killed keeps nobody from it.

    Raises:
        ValueError: another run is writing it.
    """
    path = output.with_name(f"{output.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(f"{output}: another run is writing it; wait for its end, or choose another output") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()
