"""Which fakes are made of which recordings, and what their files are called."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crnn_hf.data.columns import LABELS, UNKNOWN

REAL, FAKE = LABELS


@dataclass(frozen=True)
class Original:
    """A real recording.

    Attributes:
        name: unlike that of any other; files are called after it.
        speaker: who speaks, or `"-"`.
        split: the folder that it goes to with its fakes, such as `"train"`.
        audio: gives `{"bytes": ..., "path": ...}` as an audio column of a corpus holds them, when it is called.
        stem: what its files are called, without extension.
    """

    name: str
    speaker: str
    split: str
    audio: Callable[[], Mapping[str, Any]]
    stem: str = ""


@dataclass(frozen=True)
class File:
    """A file to write: a real recording, or what a vocoder makes of it. `path` is within the output folder."""

    path: str
    vocoder: str | None = None

    @property
    def label(self) -> str:
        """Its class, as corpora name it."""
        return REAL if self.vocoder is None else FAKE


def with_stems(originals: Sequence[Original]) -> list[Original]:
    """Originals with names for their files: without folders, each another, upper case or lower."""
    taken: Counter[str] = Counter()
    named = []
    for original in originals:
        stem = _as_part(original.name)
        taken[stem.casefold()] += 1
        while (again := taken[stem.casefold()]) > 1:
            stem = f"{stem}__{again}"
            taken[stem.casefold()] += 1
        named.append(replace(original, stem=stem))
    return named


def plan(original: Original, vocoders: Sequence[str], per_clip: int, seed: int) -> list[File]:
    """The files of a recording: itself, and a fake by each of so many vocoders."""
    drawn = generator(seed, "vocoders", original.name).permutation(len(vocoders))[:per_clip]
    speaker = "" if original.speaker == UNKNOWN else f"{_as_part(original.speaker)}/"
    fakes = [vocoders[number] for number in sorted(drawn)]
    return [
        File(f"{original.split}/{REAL}/{speaker}{original.stem}.flac"),
        *(File(f"{original.split}/{FAKE}/{_as_part(name)}/{original.stem}.flac", name) for name in fakes),
    ]


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A generator for one purpose, so that neither order nor number of the recordings reaches what another draws."""
    return np.random.default_rng([seed, *" ".join(purpose).encode()])


def _as_part(name: str) -> str:
    """A name as a part of a path: neither several parts nor hidden."""
    return name.replace("/", "__").replace("\\", "__").lstrip(".") or "__"
