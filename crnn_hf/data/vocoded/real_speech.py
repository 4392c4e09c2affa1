"""The real recordings of whatever people have: a file, a folder of them, a table, a dataset or a corpus."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import datasets

from crnn_hf.data.columns import DESCRIPTIONS, UNKNOWN, features
from crnn_hf.data.corpora import SPLIT_SEED, VALIDATION_SHARE, is_asvspoof5, load_corpus
from crnn_hf.data.own.cells import file_paths
from crnn_hf.data.own.folders import NOT_AUDIO, has_class_folder, listing
from crnn_hf.data.own.labels import folded, label_words
from crnn_hf.data.own.origins import Origin
from crnn_hf.data.own.sources import SAVED, TABLES
from crnn_hf.data.subsets import REAL, speaker_disjoint_split, stratified_split


def load_real_speech(source: str | Path, split: str, **columns: Any) -> datasets.Dataset:
    """The real recordings of a split, with the columns of `crnn_hf.data.columns`. No audio is opened.

    Args:
        source: whatever `load_corpus` takes, whose fakes are left out; or a recording; or a folder of recordings that
            are all real, in subfolders too, of which the first names the speaker. Where a folder has folders of
            classes, those of real speech alone are read; where it has a folder for each split, that of the split.
        split: "train", "validation" or "test". Recordings that nobody has split are divided as `load_corpus` does;
            in a folder no speaker who is known is in both train and validation, unless there is but one. A single
            recording is in train.
        columns: what `load_recordings` is to be told, for a table or a dataset.

    Raises:
        FileNotFoundError, ValueError: as `load_corpus`; or there is no real recording.
    """
    folder = _folder_of(Path(source), split)
    if folder is not None and not columns:
        found = _in_folder(folder)
        return found if folder != Path(source) else _part(found, source, split)
    if Path(source).is_file() and Path(source).suffix.lower() not in TABLES and not columns:
        return _part(_real([str(Path(source).absolute())], Path(source).absolute().parent), source, split)
    everything = load_corpus(source, split, **columns)
    labels = everything.with_format("arrow").select_columns(["label"])[:]["label"].to_pylist()
    found = everything.select([row for row, label in enumerate(labels) if label == REAL])
    if not len(found):
        raise ValueError(f"{source}, {split}: none of its {len(everything)} recordings is real")
    return found


def _folder_of(source: Path, split: str) -> Path | None:
    """The folder to look for recordings in, or None where the source is something else."""
    if not source.is_dir() or is_asvspoof5(source) or any((source / name).is_file() for name in SAVED):
        return None
    return source / split if (source / split).is_dir() else source


def _in_folder(folder: Path) -> datasets.Dataset:
    words = label_words()
    roots = [folder]
    if has_class_folder(folder, words):
        roots = [path for path in sorted(folder.iterdir()) if words.get(folded(path.name)) == REAL and path.is_dir()]
    if len(roots) > 1:
        raise ValueError(f"{folder}: expected one folder of real speech; found {', '.join(map(str, roots))}")
    files = [
        Path(parent, name) for root in roots for parent, _, names in os.walk(root, followlinks=True) for name in names
    ]
    files = sorted(str(file.absolute()) for file in files if _is_recording(file.relative_to(folder)))
    if not files:
        raise FileNotFoundError(f"{folder}: expected real recordings; found {listing(folder)}")
    return _real(files, roots[0].absolute())


def _is_recording(path: Path) -> bool:
    kind = path.suffix.lower() or path.name.lower()
    return kind not in NOT_AUDIO and not any(part.startswith(".") for part in path.parts)


def _real(files: list[str], root: Path) -> datasets.Dataset:
    """Rows of recordings that are all real; the first folder below `root` is the speaker."""
    names = [Path(file).relative_to(root).as_posix() for file in files]
    shared = Counter(os.path.splitext(name)[0] for name in names)  # noqa: PTH122
    known = {
        # Without extension, but where that alone tells two recordings apart.
        "utterance": [short if shared[short := os.path.splitext(name)[0]] == 1 else name for name in names],  # noqa: PTH122
        "speaker": [name.partition("/")[0] if "/" in name else UNKNOWN for name in names],
    }
    cells = {name: known.get(name, [UNKNOWN] * len(files)) for name in DESCRIPTIONS}
    wanted = datasets.Features({name: feature for name, feature in features().items() if name != "audio"})
    described = datasets.Dataset.from_dict({"label": [REAL] * len(files), **cells}, features=wanted)
    return datasets.concatenate_datasets([file_paths(files, Origin(str(root), root)), described], axis=1)


def _part(found: datasets.Dataset, source: str | Path, split: str) -> datasets.Dataset:
    """The part of recordings that nobody has split which train or validation has."""
    if split not in ("train", "validation"):
        raise ValueError(f"{source} has no {split} split; expected train or validation")
    if len(found) == 1:
        return found if split == "train" else found.select([])
    # Whoever is unknown is somebody else in each recording: one stray file puts no known speaker on both sides.
    names = list(zip(found["speaker"], found["utterance"], strict=True))
    groups = [f"recording {name}" if speaker == UNKNOWN else f"speaker {speaker}" for speaker, name in names]
    if len(set(groups)) > 1:
        rows = datasets.Dataset.from_dict(
            {"label": [REAL] * len(groups), "speaker": groups, "row": list(range(len(groups)))}
        )
        train, validation = speaker_disjoint_split(rows, VALIDATION_SHARE, SPLIT_SEED)
        return found.select(list((train if split == "train" else validation)["row"]))
    train, validation = stratified_split(found, VALIDATION_SHARE, SPLIT_SEED)
    return train if split == "train" else validation
