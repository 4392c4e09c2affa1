"""What a run is evaluated on: the validation split of its corpus, and of any other corpus beside it."""

import inspect
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from datasets import Dataset

from crnn_hf.data import load_corpus, load_recordings
from crnn_hf.data.columns import LABELS
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.figures import figure_names, labels_of

MAIN = "validation"  # whose figures bear no name: `eval_eer`, where those of a set codec are `eval_codec_eer`
COLUMNS = set(inspect.signature(load_recordings).parameters) - {"source", "split"}


class Corpus(NamedTuple):
    """Where clips come from.

    Attributes:
        source: as `load_corpus` takes it.
        columns: what it is to be told of own recordings, such as `{"label": "is_fake"}`.
    """

    source: str
    columns: dict[str, Any]


def evaluation_corpora(arguments: DataArguments) -> dict[str, Corpus]:
    """The corpora whose validation splits are evaluated, by name, the main one first.

    Raises:
        ValueError: a name that could not be told from another figure's, a source that is none, or a column that
            recordings do not have.
    """
    corpora = {MAIN: Corpus(arguments.data, json.loads(arguments.columns))}
    for name, value in json.loads(arguments.evaluation_sets).items():
        # A set attack_A01 would have the EER of the main set's attack A01.
        if not name.isidentifier() or name == MAIN or "attack" in name.split("_"):
            raise ValueError(
                f"evaluation_sets: {name!r} is no name for a set; expected letters, digits and underscores, and "
                f"neither {MAIN!r}, which is the split of data, nor the word 'attack'"
            )
        corpora[name] = _corpus(name, value)
    for name, corpus in corpora.items():
        unknown = sorted(set(corpus.columns) - COLUMNS)
        if unknown:
            raise ValueError(f"{name}: recordings have no column {unknown[0]}; expected one of {sorted(COLUMNS)}")
    return corpora


def _corpus(name: str, value: Any) -> Corpus:
    columns = dict(value) if isinstance(value, dict) else {"data": value}
    source = columns.pop("data", None)
    if not isinstance(source, str):
        raise ValueError(
            f"evaluation_sets.{name} must be a corpus, or a mapping with data, the corpus, and what its columns are "
            f"called; found {value!r}"
        )
    return Corpus(source, columns)


def load_evaluation_sets(corpora: Mapping[str, Corpus], first: int | None) -> dict[str, Dataset]:
    """Load the validation split of each corpus, or its first so many clips.

    Raises:
        FileNotFoundError, AudioReadError, ProtocolError: a corpus is not there, or a part of it is damaged.
        ValueError: a set without a real clip or without a fake, for which there are no error rates.
    """
    sets = {}
    for name, (source, columns) in corpora.items():
        sets[name] = load_corpus(source, "validation", first=first, **columns)
        labels = labels_of(sets[name])
        for label, label_name in enumerate(LABELS):
            if label not in labels:
                raise ValueError(
                    f"evaluation set {name}: of {len(labels)} clips from {source}, none is {label_name}; error rates "
                    "need real clips and fakes"
                )
    return sets


def check_metric(metric: str | None, sets: Mapping[str, Dataset]) -> None:
    """Raise ValueError for a metric to choose the best checkpoint by that no evaluation of the sets will give."""
    if metric is None:
        return
    names = [name if which == MAIN else f"{which}_{name}" for which in sets for name in figure_names(sets[which])]
    if metric.removeprefix("eval_") not in names:
        # Of attacks there may be many.
        shown = ", ".join(name for name in names if "attack_" not in name)
        raise ValueError(f"metric_for_best_model is {metric}; expected one of {shown}, or the EER of an attack")
