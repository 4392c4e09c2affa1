"""A corpus as the settings of a run name it."""

import inspect
from collections.abc import Collection
from typing import Any, NamedTuple

from crnn_hf.augmentation import Augmentation
from crnn_hf.data import load_corpus, load_recordings

# What recordings can be told of by their columns; the other arguments are not for settings to give.
COLUMNS = set(inspect.signature(load_recordings).parameters) - {
    "source",
    "split",
    *inspect.signature(load_corpus).parameters,
}


class Corpus(NamedTuple):
    """Where clips come from, and what is done to them.

    Attributes:
        source: as `load_corpus` takes it.
        columns: what it is to be told of own recordings, such as `{"label": "is_fake"}`.
        augmentations: of the waveforms, in this order.
    """

    source: str
    columns: dict[str, Any]
    augmentations: tuple[Augmentation, ...] = ()


def corpus_of(setting: str, value: Any, or_else: str = "") -> Corpus:
    """The corpus that a setting names: by its source, or by a mapping with `data`, the source, and columns.

    Args:
        setting: what it is called, for messages.
        value: its value; what columns there are is not looked at, see `check_columns`.
        or_else: what else the message says the value may be.

    Raises:
        ValueError: it names no source.
    """
    columns = dict(value) if isinstance(value, dict) else {"data": value}
    source = columns.pop("data", None)
    if not isinstance(source, str):
        raise ValueError(
            f"{setting} must be a corpus, or a mapping with data, the corpus, and what its columns are "
            f"called{or_else}; found {value!r}"
        )
    return Corpus(source, columns)


def check_columns(name: str, columns: Collection[str]) -> None:
    """Raise ValueError if a corpus of that name is told of columns that recordings do not have."""
    if unknown := sorted(set(columns) - COLUMNS):
        raise ValueError(f"{name}: recordings have no column {unknown[0]}; expected one of {sorted(COLUMNS)}")
