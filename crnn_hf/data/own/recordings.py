"""Anybody's recordings, in folders, a table or a dataset, as a `datasets` dataset with the columns of a corpus."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa

from crnn_hf.data.columns import DESCRIPTIONS, UNKNOWN, features
from crnn_hf.data.own import benchmark_schema
from crnn_hf.data.own.cells import audio_of, file_paths, labels_of, texts_of
from crnn_hf.data.own.folders import has_class_folder, recordings_in
from crnn_hf.data.own.labels import Words, accepted, label_words
from crnn_hf.data.own.origins import Origin
from crnn_hf.data.own.sources import open_dataset
from crnn_hf.data.own.tables import TEXT_TABLES, check_columns, read_text_table


def load_recordings(
    source: str | Path,
    *,
    audio: str | None = None,
    label: str | None = None,
    speaker: str | None = None,
    utterance: str | None = None,
    gender: str | None = None,
    codec: str | None = None,
    codec_quality: str | None = None,
    codec_seed: str | None = None,
    attack_tag: str | None = None,
    attack: str | None = None,
    real: Collection[Any] | None = None,
    fake: Collection[Any] | None = None,
    may_lack_class: bool = False,
    split: str | None = None,
    config: str | None = None,
    cache_dir: str | Path | None = None,
) -> datasets.Dataset:
    """Load recordings that are in no corpus's layout. No audio is opened.

    Args:
        source: one of

            - a folder with a folder for each class, such as `real/` and `fake/`, with recordings of any format. The
              first folder below `fake/` names the attack, the first below `real/` the speaker. Files that are no
              audio are skipped and counted in the log.
            - a table with a row for each recording: .csv, .tsv, .jsonl or .parquet. Paths are absolute, or relative
              to the table's folder.
            - a dataset on the Hub, `"user/name"`; a folder that `datasets.load_dataset` reads; or one that
              `save_to_disk` wrote.
        audio: the column with the recordings: paths, or `{"bytes": ..., "path": ...}` as an `Audio` column holds
            them. By default "audio".
        label: the column with the labels. By default "label". A ClassLabel goes by its names, anything else by its
            values, upper case or lower: real, bonafide, bona-fide, "bona fide", bona_fide, genuine, human, 0 or false
            are real; fake, spoof, spoofed, deepfake, synthetic, 1 or true are fake. Where a column's name asks for
            real speech, such as `is_real`, 0, 1, false and true are refused unless `real` and `fake` are given.
        speaker: the column with the speakers; like the following ones, `"-"` throughout where it is not given, and
            `"-"` where a cell is empty.
        utterance: the column with the recordings' names, each another. By default they are the paths without
            extension, as they are in the table or within the folder.
        gender: the column with the speakers' genders.
        codec: the column with the codecs.
        codec_quality: the column with the codecs' qualities.
        codec_seed: the column with the recordings' names before coding.
        attack_tag: the column with the attackers' conditions.
        attack: the column with the attacks.
        real: what the labels, or class folders, of real speech are called, if not as above; together with `fake`.
        fake: what those of fakes are called.
        may_lack_class: whether a folder may hold recordings of one class alone.
        split: which split of a dataset; for one that `save_to_disk` wrote, only if it has several.
        config: which configuration of a dataset; only for those that have several.
        cache_dir: where Parquet tables and datasets are copied to, as Arrow files; by default where `datasets` keeps
            all its caches. Folders and texts are not copied.

    Returns:
        Rows with the columns of `crnn_hf.data.columns`. Where the recordings are files, `audio` holds their absolute
        paths alone. Two layouts are recognised, so that no column need be named: these columns themselves, and
        `path, audio, label, notes` of the Speech Anti-Spoofing Benchmarks, whose notes become descriptions.

    Raises:
        FileNotFoundError: no such source, no recording of a class, or a file that a table lists is not there.
        ValueError: a column that is not there; a label that is not understood; an empty label, path or name; two
            recordings of one name; or an argument that has no meaning for the source. Rows are named and counted.
    """
    words = label_words(real, fake)
    own_words = real is not None
    names = (speaker, utterance, gender, codec, codec_quality, codec_seed, attack_tag, attack)
    columns = {"audio": audio, "label": label, **dict(zip(DESCRIPTIONS, names, strict=True))}
    columns = {name: column for name, column in columns.items() if column is not None}
    path = Path(source)
    if path.is_dir() and has_class_folder(path, words):
        _refuse(path, "a folder of recordings", split=split, config=config, **columns)
        return _from_folder(path, words, may_lack_class)
    if path.suffix.lower() in TEXT_TABLES and path.is_file():
        _refuse(path, "a text", split=split, config=config)
        return _from_text(path, {"audio": "audio", "label": "label"} | columns, words, own_words)
    rows = open_dataset(source, split, config, None if cache_dir is None else str(cache_dir), accepted(words))
    folder = path.absolute().parent if path.is_file() else path.absolute() if path.is_dir() else None
    origin = Origin(str(source), folder)
    return _from_rows(rows, columns, words, own_words, origin)


def _refuse(path: Path, kind: str, **arguments: str | None) -> None:
    given = [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    if given:
        raise ValueError(f"{path} is {kind}, for which {', '.join(given)} has no meaning")


def _from_folder(folder: Path, words: Words, may_lack_class: bool) -> datasets.Dataset:
    recordings = recordings_in(folder, words, may_lack_class=may_lack_class)
    files = [recording.name for recording in recordings]
    labels = [recording.label for recording in recordings]
    origin = Origin(str(folder), folder.absolute())
    groups = [recording.group for recording in recordings]
    descriptions = {
        "utterance": _names_of(files, origin),
        "speaker": [UNKNOWN if label else group for label, group in zip(labels, groups, strict=True)],
        "attack": [group if label else UNKNOWN for label, group in zip(labels, groups, strict=True)],
    }
    return _assembled(file_paths(files, origin), labels, descriptions, origin)


def _from_text(path: Path, columns: Mapping[str, str], words: Words, own_words: bool) -> datasets.Dataset:
    table = read_text_table(path, list(columns.values()))
    origin = Origin(str(path), path.absolute().parent, table.lines)
    rows = datasets.Dataset(pa.table({name: pa.array(cells, pa.string()) for name, cells in table.columns.items()}))
    return _from_rows(rows, columns, words, own_words, origin)


def _from_rows(
    rows: datasets.Dataset, columns: Mapping[str, str], words: Words, own_words: bool, origin: Origin
) -> datasets.Dataset:
    if set(features()) <= set(rows.column_names):
        columns = {name: name for name in features()} | columns
    columns = {"audio": "audio", "label": "label"} | columns
    check_columns(origin.name, list(columns.values()), rows.column_names)
    if len(rows) == 0:
        raise ValueError(f"{origin.name}: no rows; expected one for each recording")
    labels = labels_of(rows, columns["label"], words, own_words, origin)
    given = {name: texts_of(rows, column, origin) for name, column in columns.items() if name in DESCRIPTIONS}
    if benchmark_schema.is_benchmark(rows.column_names):
        given = benchmark_schema.descriptions(texts_of(rows, "notes", origin), origin) | given
    sound, paths = audio_of(rows, columns["audio"], origin)
    if "utterance" not in given:
        given["utterance"] = _names_of(paths, origin)
    return _assembled(sound, labels, given, origin)


def _names_of(paths: Sequence[str], origin: Origin) -> list[str]:
    """What recordings are called by default: their paths without extension, within the folder if they are in it."""
    inside = f"{origin.folder}{os.sep}"
    relative = [path.removeprefix(inside).removeprefix("./") for path in paths]
    return [os.path.splitext(path)[0].replace(os.sep, "/") for path in relative]  # noqa: PTH122


def _assembled(
    sound: datasets.Dataset, labels: Sequence[int], given: Mapping[str, Sequence[str]], origin: Origin
) -> datasets.Dataset:
    _check_names(given["utterance"], origin)
    wanted = features()
    described = datasets.Features({name: feature for name, feature in wanted.items() if name != "audio"})
    unknown = [UNKNOWN] * len(labels)
    cells = {"label": labels} | {name: given.get(name, unknown) for name in DESCRIPTIONS}
    descriptions = datasets.Dataset(pa.table(cells, schema=described.arrow_schema))
    return datasets.concatenate_datasets([sound, descriptions], axis=1)


def _check_names(names: Sequence[str], origin: Origin) -> None:
    unnamed = [row for row, name in enumerate(names) if name in ("", UNKNOWN)]
    if unnamed:
        raise ValueError(origin.complaint(unnamed, lambda row: "none", "a name or a path to take it from"))
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    twice = [row for row, name in enumerate(names) if first.setdefault(name, row) != row]
    raise ValueError(
        origin.complaint(
            twice, lambda row: f"{names[row]!r}, as {origin.place(first[names[row]])}", "a name of its own"
        )
    )
