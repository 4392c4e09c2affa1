"""What a run is evaluated on: the validation split of its corpus, of others beside it, and augmented copies."""

import json
from collections.abc import Mapping
from typing import Any

from datasets import Dataset

from crnn_hf.augmentation import KINDS, Augmentation, Chain, chain
from crnn_hf.data import load_corpus
from crnn_hf.data.columns import LABELS
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.augmented_sets import augmented
from crnn_hf.training.corpus import Corpus, check_columns, corpus_of
from crnn_hf.training.figures import MAIN, figure_names, figure_of, labels_of, mean_figures

# The means over all sets are called `eval_mean_eer`.
RESERVED = (MAIN, "mean")


def evaluation_corpora(arguments: DataArguments) -> dict[str, Corpus]:
    """The corpora whose validation splits are evaluated, by name, the main one first.

    Raises:
        ValueError: a name that could not be told from another figure's, a source that is none, a column that
            recordings do not have, or an augmentation that there is not.
    """
    corpora = {MAIN: Corpus(arguments.data, json.loads(arguments.columns))}
    for name, value in json.loads(arguments.evaluation_sets).items():
        # A set attack_A01 would have the EER of the main set's attack A01.
        if not name.isidentifier() or name in RESERVED or "attack" in name.split("_"):
            raise ValueError(
                f"evaluation_sets: {name!r} is no name for a set; expected letters, digits and underscores, and "
                f"neither {MAIN!r}, which is the split of data, nor 'mean', nor the word 'attack'"
            )
        corpora[name] = _corpus(name, value, corpora[MAIN])
    for name, corpus in corpora.items():
        check_columns(name, corpus.columns)
    return corpora


def _corpus(name: str, value: Any, main: Corpus) -> Corpus:
    settings = value if isinstance(value, dict) else {}
    augmentations = _augmentations(name, settings.get("augmentation", {}))
    if augmentations and len(settings) == 1:
        return main._replace(augmentations=augmentations)
    or_else = ", or with augmentation, what is done to the clips of either"
    corpus = corpus_of(f"evaluation_sets.{name}", value, or_else)
    corpus.columns.pop("augmentation", None)
    return corpus._replace(augmentations=augmentations)


def _augmentations(name: str, settings: Any) -> tuple[Augmentation, ...]:
    """The augmentations of a set, each of all clips unless its probability says otherwise."""
    try:
        if not isinstance(settings, dict):
            raise ValueError(f"augmentation must be a mapping of names to settings; found {settings!r}")
        always = {
            kind: {"probability": 1.0, **(values or {})} if isinstance(values, dict | None) else values
            for kind, values in settings.items()
        }
        return tuple(chain(always, KINDS).augmentations)
    except ValueError as error:
        raise ValueError(f"evaluation_sets.{name}: {error}") from error


def load_evaluation_sets(
    corpora: Mapping[str, Corpus], first: int | None, sampling_rate: int = 16_000
) -> dict[str, Dataset]:
    """Load the validation split of each corpus, or its first so many clips, and augment those that are to be.

    Args:
        corpora: by name.
        first: how many clips of each.
        sampling_rate: at which clips are augmented, in Hz.

    Raises:
        FileNotFoundError, AudioReadError, ProtocolError: a corpus is not there, or a part of it is damaged.
        ValueError: a set without a real clip or without a fake, for which there are no error rates.
    """
    sets: dict[str, Dataset] = {}
    for name, (source, columns, augmentations) in corpora.items():
        if augmentations and (source, columns) == corpora[MAIN][:2]:
            sets[name] = sets[MAIN]
        else:
            sets[name] = load_corpus(source, "validation", first=first, **columns)
        labels = labels_of(sets[name])
        for label, label_name in enumerate(LABELS):
            if label not in labels:
                raise ValueError(
                    f"evaluation set {name}: of {len(labels)} clips from {source}, none is {label_name}; error rates "
                    "need real clips and fakes"
                )
        if augmentations:
            sets[name] = augmented(sets[name], Chain(augmentations, sampling_rate))
    return sets


def check_metric(metric: str | None, sets: Mapping[str, Dataset]) -> None:
    """Raise ValueError for a metric to choose the best checkpoint by that no evaluation of the sets will give."""
    if metric is None:
        return
    names = [figure_of(which, name) for which in sets for name in figure_names(sets[which])]
    means = mean_figures({f"eval_{name}": 0.0 for name in names}, sets)
    names += [name.removeprefix("eval_") for name in means]
    if metric.removeprefix("eval_") not in names:
        # Of attacks there may be many.
        shown = ", ".join(name for name in names if "attack_" not in name)
        raise ValueError(f"metric_for_best_model is {metric}; expected one of {shown}, or the EER of an attack")
