"""What the columns of a table hold: labels, texts, and recordings, which are not opened."""

import os
from collections.abc import Sequence

import datasets
import pyarrow as pa
import pyarrow.compute as pc

from crnn_hf.data.columns import UNKNOWN, audio_feature
from crnn_hf.data.own.labels import Words, accepted, folded, is_ambiguous
from crnn_hf.data.own.origins import SHOWN, Origin

AUDIO = "paths, or bytes with paths"


def labels_of(rows: datasets.Dataset, column: str, words: Words, own_words: bool, origin: Origin) -> list[int]:
    """The labels of a column, 0 for real and 1 for fake.

    Args:
        rows: have the column.
        column: holds words or numbers, or is a ClassLabel, which goes by the names of its classes.
        words: what the labels are called.
        own_words: whether whoever made the rows has said so; a column such as `is_real` is read only then.
        origin: where the rows came from.

    Raises:
        ValueError: a label that is not understood, or a column of something else.
    """
    values = _named_classes(rows, column).combine_chunks()
    if pa.types.is_nested(values.type):
        raise ValueError(f"{origin.name}: column {column!r} holds {values.type}; expected labels: {accepted(words)}")
    # Each different value is understood once; an absent one counts as a value.
    encoded = values.dictionary_encode(null_encoding="encode")
    different = encoded.dictionary.to_pylist()
    if not own_words and is_ambiguous(column, [folded(value) for value in different]):
        raise ValueError(
            f"{origin.name}: a column called {column!r} with the values {different[:SHOWN]}: 0 and false would "
            f"be real, 1 and true fake. Say which is which, such as real=[1], fake=[0]."
        )
    label_of = [words.get(folded(value), -1) for value in different]
    codes = encoded.indices.to_pylist()
    labels = [label_of[code] for code in codes]
    wrong = [row for row, label in enumerate(labels) if label < 0]
    if wrong:
        found = f"a label in column {column!r} that is {accepted(words)}"
        raise ValueError(origin.complaint(wrong, lambda row: repr(different[codes[row]]), found))
    return labels


def _named_classes(rows: datasets.Dataset, column: str) -> pa.ChunkedArray:
    """A column's values; for a ClassLabel the names of the classes, by number."""
    values, feature = rows.data.column(column), rows.features[column]
    if not isinstance(feature, datasets.ClassLabel):
        return values
    # -1 is what datasets writes for no label.
    known = pc.if_else(pc.and_(pc.greater_equal(values, 0), pc.less(values, feature.num_classes)), values, None)
    return pa.chunked_array([pa.array(feature.names, pa.string()).take(chunk) for chunk in known.chunks], pa.string())


def texts_of(rows: datasets.Dataset, column: str, origin: Origin) -> list[str]:
    """A column's values as texts; what is absent or blank is `"-"`.

    Raises:
        ValueError: a column of something else.
    """
    values = _named_classes(rows, column)
    if pa.types.is_nested(values.type):
        raise ValueError(f"{origin.name}: column {column!r} holds {values.type}; expected texts or numbers")
    return [(text or "").strip() or UNKNOWN for text in pc.cast(values, pa.string()).to_pylist()]


def audio_of(rows: datasets.Dataset, column: str, origin: Origin) -> tuple[datasets.Dataset, list[str]]:
    """The audio column alone, as a dataset, and the path of each recording as it stands in the rows.

    Raises:
        FileNotFoundError: there are neither bytes nor a file.
        ValueError: an empty path, bytes in some rows alone, or a column of something else.
    """
    values = rows.data.column(column)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        paths = [(path or "").strip() for path in values.to_pylist()]
        return file_paths(paths, origin), paths
    kind = values.type
    if not pa.types.is_struct(kind) or {kind.field(i).name for i in range(kind.num_fields)} != {"bytes", "path"}:
        raise ValueError(f"{origin.name}: column {column!r} holds {kind}; expected {AUDIO}")
    paths = [path or "" for path in pc.struct_field(values, "path").to_pylist()]
    empty = pc.is_null(pc.struct_field(values, "bytes"))
    without_bytes = pc.indices_nonzero(empty).to_pylist()
    if len(without_bytes) == len(rows):
        return file_paths(paths, origin), paths
    if without_bytes:
        raise ValueError(origin.complaint(without_bytes, lambda row: repr(paths[row]), "bytes"))
    return _embedded(rows, column), paths


def _is_file(path: str) -> bool:
    return os.path.isabs(path) and os.path.isfile(path)  # noqa: PTH113, PTH117


def _embedded(rows: datasets.Dataset, column: str) -> datasets.Dataset:
    """The audio column with its bytes where they are: what is memory-mapped stays so, for nothing is copied."""
    wanted = datasets.Features({"audio": audio_feature()})
    table = rows.data.select([column]).rename_columns(["audio"]).cast(wanted.arrow_schema)
    # The info, which holds the license, is kept; of the features, an Audio that decodes must not be.
    info = rows.info.copy()
    info.features = wanted
    return datasets.Dataset(table, info=info)


def file_paths(paths: Sequence[str], origin: Origin) -> datasets.Dataset:
    """An audio column that refers to files by their absolute paths.

    Raises:
        FileNotFoundError: a file is not there.
        ValueError: an empty path.
    """
    empty = [row for row, path in enumerate(paths) if not path]
    if empty:
        raise ValueError(origin.complaint(empty, lambda row: "nothing", "the path of a recording"))
    folder = "" if origin.folder is None else str(origin.folder)
    # As texts, for there may be a million.
    absolute = [os.path.join(folder, path.removeprefix("./")) for path in paths]  # noqa: PTH118
    missing = [row for row, path in enumerate(absolute) if not _is_file(path)]
    if missing:
        raise FileNotFoundError(origin.complaint(missing, lambda row: f"no file {absolute[row]}", "a file"))
    structs = pa.StructArray.from_arrays([pa.nulls(len(paths), pa.binary()), pa.array(absolute)], ["bytes", "path"])
    schema = datasets.Features({"audio": audio_feature()}).arrow_schema
    return datasets.Dataset(pa.table({"audio": structs}, schema=schema))
