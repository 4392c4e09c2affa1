"""Where rows come from that `datasets` reads: Parquet tables, datasets saved on the disk, and datasets on the Hub."""

import re
from pathlib import Path

import datasets
from datasets.config import DATASET_STATE_JSON_FILENAME, DATASETDICT_JSON_FILENAME

from crnn_hf.data.own.folders import listing
from crnn_hf.data.own.tables import TEXT_TABLES

PARQUET = ".parquet"
TABLES = (*TEXT_TABLES, PARQUET)
KINDS = "a .csv, .tsv, .jsonl or .parquet table"
HUB_NAME = r"[\w-][\w.-]*/[\w-][\w.-]*"
# Files that save_to_disk writes.
SAVED = (DATASET_STATE_JSON_FILENAME, DATASETDICT_JSON_FILENAME)


def open_dataset(
    source: str | Path, split: str | None, config: str | None, cache_dir: str | None, classes: str
) -> datasets.Dataset:
    """The rows of a Parquet table, of a dataset that was saved, or of one that `datasets.load_dataset` finds.

    Args:
        source: a file, a folder, or a name on the Hub such as `"user/name"`.
        split: which split, for a dataset that has several.
        config: which configuration, for one that has several.
        cache_dir: where copies go.
        classes: what errors say that class folders may be called.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a table of another kind; no such split or configuration, or one is needed and not given.
    """
    path = Path(source)
    if path.is_file():
        return _parquet(path, split, config, cache_dir)
    if path.is_dir() and any((path / name).is_file() for name in SAVED):
        return _saved(path, split, config)
    if path.is_dir() and split is None:
        raise FileNotFoundError(
            f"{path}: expected a folder for each class, called {classes}; or a dataset, and the name of its split; "
            f"found {listing(path)}"
        )
    if not path.is_dir() and (path.suffix.lower() in TABLES or not re.fullmatch(HUB_NAME, str(source))):
        raise FileNotFoundError(f"{source}: not there; expected a folder, {KINDS}, or 'user/name' on the Hub")
    return _loaded(str(source), split, config, cache_dir)


def _parquet(path: Path, split: str | None, config: str | None, cache_dir: str | None) -> datasets.Dataset:
    if path.suffix.lower() != PARQUET:
        raise ValueError(f"{path}: a file of another kind; expected {KINDS}")
    if split is not None or config is not None:
        raise ValueError(f"{path} is a table, for which split={split!r}, config={config!r} have no meaning")
    # What the file says of its columns is kept, such as the names of a ClassLabel; an Audio is not decoded for it.
    return datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=cache_dir)


def _saved(path: Path, split: str | None, config: str | None) -> datasets.Dataset:
    if config is not None:
        raise ValueError(f"{path} was saved without configurations; found config={config!r}")
    saved = datasets.load_from_disk(str(path))
    if isinstance(saved, datasets.Dataset):
        if split is not None:
            raise ValueError(f"{path} was saved without splits; found split={split!r}")
        return saved
    if split not in saved:
        raise ValueError(f"{path}: no split {split!r}; expected one of {', '.join(map(repr, saved))}")
    return saved[split]


def _loaded(name: str, split: str | None, config: str | None, cache_dir: str | None) -> datasets.Dataset:
    try:
        if split is None:
            splits = datasets.get_dataset_split_names(name, config, cache_dir=cache_dir)
            raise ValueError(f"{name}: no split given; expected one of {', '.join(map(repr, splits))}")
        return datasets.load_dataset(name, config, split=split, cache_dir=cache_dir)
    except (FileNotFoundError, ConnectionError) as error:
        raise FileNotFoundError(f"{name}: no dataset that can be read, here or on the Hub: {error}") from error
