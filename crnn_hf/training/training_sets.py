"""What a run learns from beside the train split of its corpus: those of others, which may be of one class alone."""

import json
from collections.abc import Mapping

from datasets import Dataset

from crnn_hf.data import load_corpus
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import Corpus, check_columns, corpus_of


def training_corpora(arguments: DataArguments) -> dict[str, Corpus]:
    """The setting `training_sets`: the other corpora, by name.

    Raises:
        ValueError: a source that is none, or a column that recordings do not have.
    """
    corpora = {}
    for name, value in json.loads(arguments.training_sets).items():
        setting = f"training_sets.{name}"
        corpora[name] = corpus_of(setting, value)
        check_columns(setting, corpora[name].columns)
    return corpora


def load_training_sets(corpora: Mapping[str, Corpus]) -> dict[str, Dataset]:
    """Load the train split of each corpus.

    Raises:
        FileNotFoundError, AudioReadError, ProtocolError, ValueError: as `load_corpus`.
    """
    return {
        name: load_corpus(corpus.source, "train", may_lack_class=True, **corpus.columns)
        for name, corpus in corpora.items()
    }
