"""Recordings in a folder for each class, such as real/ and fake/, in whatever format they are."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crnn_hf.data.columns import UNKNOWN
from crnn_hf.data.own.labels import Words, accepted, folded

# What lies next to recordings and is none. All else is taken for audio: what a decoder cannot read, it will say.
NOT_AUDIO = (
    *(".cfg", ".conf", ".csv", ".db", ".doc", ".docx", ".gif", ".gz", ".htm", ".html", ".ini", ".jpeg", ".jpg", ".js"),
    *(".json", ".jsonl", ".lab", ".log", ".lst", ".m3u", ".md", ".npy", ".npz", ".parquet", ".pdf", ".pkl", ".png"),
    *(".pt", ".py", ".rar", ".rst", ".rtf", ".sh", ".srt", ".svg", ".tar", ".textgrid", ".tgz", ".toml", ".trn"),
    *(".tsv", ".txt", ".vtt", ".webp", ".xls", ".xlsx", ".xml", ".yaml", ".yml", ".zip", ".7z"),
    *("licence", "license", "readme"),  # without extension
)

SHOWN = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Recording:
    """A file in a class folder.

    Attributes:
        name: its path within the folder that was searched, with forward slashes.
        label: 0 is real, 1 is fake.
        group: the name of the first folder below the class folder, `"-"` where it lies in that directly.
    """

    name: str
    label: int
    group: str


def recordings_in(folder: Path, words: Words, *, may_lack_class: bool = False) -> list[Recording]:
    """The recordings in the class folders of a folder, in the order of their names; links are followed.

    Hidden files, and those with an extension that is no audio's, are skipped; warnings in the log count them, and
    the files outside of class folders.

    Args:
        folder: holds a folder for each class.
        words: what these may be called.
        may_lack_class: whether recordings of one class alone will do.

    Raises:
        FileNotFoundError: a class has no folder, or no recording in it; with `may_lack_class`, both have none.
    """
    labels = {path.name: words[folded(path.name)] for path in folder.iterdir() if _is_class(path, words)}
    recordings, skipped = [], Counter()
    for name, label in labels.items():
        for path in _files_below(folder / name):
            if kind := skipped_as(path.relative_to(folder)):
                skipped[kind] += 1
            else:
                recordings.append(_recording(path.relative_to(folder), label))
    _check_classes(folder, words, labels, recordings, may_lack_class)
    _report(folder, labels, skipped)
    return sorted(recordings)


def has_class_folder(folder: Path, words: Words) -> bool:
    """Whether a folder holds a folder of a class."""
    return any(_is_class(path, words) for path in folder.iterdir())


def listing(folder: Path) -> str:
    """What a folder holds, for people; folders end in a slash."""
    names = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "") or "nothing"


def _is_class(path: Path, words: Words) -> bool:
    return folded(path.name) in words and path.is_dir()


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder, followlinks=True):
        yield from (Path(parent, name) for name in names)


def skipped_as(path: Path) -> str | None:
    """What keeps a file from being taken for a recording, if anything: its kind, or that it is hidden."""
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    kind = path.suffix.lower() or path.name.lower()
    return kind if kind in NOT_AUDIO else None


def _recording(path: Path, label: int) -> Recording:
    return Recording(path.as_posix(), label, path.parts[1] if len(path.parts) > 2 else UNKNOWN)


def _check_classes(
    folder: Path, words: Words, labels: dict[str, int], recordings: list[Recording], may_lack_class: bool
) -> None:
    counts = Counter(recording.label for recording in recordings)
    missing = [name for name, label in (("real", 0), ("fake", 1)) if counts[label] == 0]
    if not missing or (may_lack_class and recordings):
        return
    raise FileNotFoundError(
        f"{folder}: no recordings that are {' and none that are '.join(missing)} in its class folders "
        f"({', '.join(f'{name}/' for name in sorted(labels)) or 'it has none'}); expected a folder for each class, "
        f"called {accepted(words)}; found {listing(folder)}"
    )


def _report(folder: Path, labels: dict[str, int], skipped: Counter[str]) -> None:
    if skipped:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(skipped.items()))
        logger.warning("%s: skipped %d file(s) that are no audio: %s", folder, skipped.total(), kinds)
    outside = sorted(path for path in folder.iterdir() if path.name not in labels)
    files = sum(1 if path.is_file() else sum(1 for _ in _files_below(path)) for path in outside)
    if files:
        names = ", ".join(path.name for path in outside[:SHOWN])
        more = f" and {len(outside) - SHOWN} more" if len(outside) > SHOWN else ""
        logger.warning("%s: skipped %d file(s) outside of its class folders: %s%s", folder, files, names, more)
