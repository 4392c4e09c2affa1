"""Is a corpus whole? Counts, checksums, and whether its clips can be read."""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from tqdm.auto import tqdm

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.data.asvspoof5 import SPLITS, Coverage, clips_of, coverage, find_containers, find_protocol, read_protocol
from crnn_hf.data.locations import stem


@dataclass(frozen=True)
class Check:
    """What was found of one split.

    Attributes:
        split: its name.
        coverage: how protocol and clips match.
        published: how many clips ASVspoof 5 has in this split.
        read: how many clips were read whole.
        faults: what is wrong with those that could not be, each beginning with its name.
    """

    split: str
    coverage: Coverage
    published: int
    read: int
    faults: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether every line of the protocol has its clip, and every clip that was tried could be read."""
        return not self.faults and self.coverage.without_audio == 0

    def __str__(self) -> str:
        counts, published = self.coverage, f"{self.published:,}"
        like = "as in ASVspoof 5" if counts.lines == self.published else f"ASVspoof 5 as published has {published}"
        return "\n".join(
            [
                f"{self.split}: {counts.lines:,} lines ({like}), {counts.without_audio:,} of them without audio; "
                f"{counts.unlisted:,} audio files without a line; {self.read:,} clips read whole, "
                f"{len(self.faults):,} that cannot be",
                *(f"  {fault}" for fault in self.faults),
            ]
        )


def splits_in(source: str | Path) -> list[str]:
    """The splits of which a corpus has both protocol and clips."""
    return [split for split in SPLITS if _is_there(str(source), split)]


def check_split(source: str | Path, split: str, sample: int | None = 1000, progress: bool = True) -> Check:
    """Check a split of a corpus on this machine.

    Args:
        source: its directory.
        split: "train", "validation" or "test".
        sample: how many clips to read, always the same ones; None reads all.
        progress: whether to show a progress bar.

    Raises:
        FileNotFoundError, ProtocolError, AudioReadError: what makes the whole split unreadable, see `load_asvspoof5`.
    """
    layout, source = SPLITS[split], str(source)
    counts = coverage(source, split)
    trials = read_protocol(find_protocol(source, layout), layout.protocol)
    chosen = trials.keys() if sample is None else set(islice(sorted(trials, key=_digest), sample))
    clips = (
        clip
        for container in find_containers(source, layout)
        for clip in clips_of(container, container, wanted=lambda name: stem(name) in chosen)
    )
    outcomes = list(tqdm(_read_all(clips), f"Reading {split}", len(chosen), unit="clip", disable=not progress))
    faults = [fault for fault in outcomes if fault is not None]
    return Check(split, counts, layout.clips, len(outcomes) - len(faults), faults)


def differing_checksums(directory: str | Path, sums: str | Path) -> list[str]:
    """What of a list of MD5 sums, as `md5sum` writes it, does not hold for the files in a directory.

    Raises:
        ValueError: a line that is not a sum and a name; the message names file and line.
    """
    faults = []
    for number, line in enumerate(Path(sums).read_text(encoding="utf-8").splitlines(), start=1):
        expected, _, name = line.partition(" ")
        name = name.strip().removeprefix("*")
        if len(expected) != 32 or not name:
            raise ValueError(f"{sums}, line {number}: {line!r}; expected an MD5 sum and a file name")
        path = Path(directory) / name
        if not path.is_file():
            faults.append(f"{path}: not there")
        elif (found := _md5(path)) != expected.lower():
            faults.append(f"{path}: its MD5 sum is {found}; expected {expected}")
    return faults


def _read_all(clips: Iterable[tuple[str, bytes]]) -> Iterator[str | None]:
    """Read clips in all processors' threads; what is wrong with each, or None. The decoders let other threads run."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[str | None]] = deque()
        for name, content in clips:
            waiting.append(pool.submit(_fault_of, name, content))
            if len(waiting) > 4 * workers:  # no more of them in memory than keeps the threads busy
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


def _fault_of(name: str, content: bytes) -> str | None:
    try:
        read_audio(content, name=name)
    except AudioReadError as error:
        return str(error)
    return None


def _is_there(source: str, split: str) -> bool:
    try:
        find_containers(source, SPLITS[split])
        find_protocol(source, SPLITS[split])
    except FileNotFoundError:
        return False
    return True


def _digest(name: str) -> bytes:
    """What clips are drawn by: the same on every machine, and blind to all but the name."""
    return hashlib.sha256(name.encode()).digest()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
