"""What a run learns from beside the train split of its corpus: those of others, which may be of one class alone."""

import json
from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from crnn_hf.data import load_corpus
from crnn_hf.data.corpora import is_asvspoof5
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.evaluation_sets import COLUMNS, Corpus


def training_corpora(arguments: DataArguments) -> dict[str, Corpus]:
    """The setting `training_sets`: the other corpora, by name.

    Raises:
        ValueError: a source that is none, or a column that recordings do not have.
    """
    return {name: _corpus(name, value) for name, value in json.loads(arguments.training_sets).items()}


def _corpus(name: str, value: Any) -> Corpus:
    columns = dict(value) if isinstance(value, dict) else {"data": value}
    source = columns.pop("data", None)
    if not isinstance(source, str):
        raise ValueError(
            f"training_sets.{name} must be a corpus, or a mapping with data, the corpus, and what its columns are "
            f"called; found {value!r}"
        )
    if unknown := sorted(set(columns) - COLUMNS):
        raise ValueError(f"training_sets.{name}: recordings have no column {unknown[0]}; expected {sorted(COLUMNS)}")
    return Corpus(source, columns)


def load_training_sets(corpora: Mapping[str, Corpus]) -> dict[str, Dataset]:
    """Load the train split of each corpus.

    Raises:
        FileNotFoundError, AudioReadError, ProtocolError, ValueError: as `load_corpus`.
    """
    sets = {}
    for name, corpus in corpora.items():
        columns = corpus.columns if is_asvspoof5(corpus.source) else {**corpus.columns, "may_lack_class": True}
        sets[name] = load_corpus(corpus.source, "train", **columns)
    return sets
