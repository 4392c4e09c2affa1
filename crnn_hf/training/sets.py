"""What a run hears: clips to learn from, old ones again among them, and clips to be measured on."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from datasets import Dataset, concatenate_datasets
from numpy.typing import NDArray

from crnn_hf.data import load_corpus, overview
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import Corpus
from crnn_hf.training.evaluation_sets import check_metric, evaluation_corpora, load_evaluation_sets
from crnn_hf.training.figures import MAIN
from crnn_hf.training.replay import REPLAYED, Replay, joined, refuse_taken_name, replay_of
from crnn_hf.training.sampling import sampling_weights
from crnn_hf.training.training_sets import load_training_sets, training_corpora


class Corpora(NamedTuple):
    """Where it all lies.

    Attributes:
        evaluation: of each evaluation set, by its name; that of `MAIN` is the one to learn from, too.
        training: what else to learn from, by name.
        replay: what is heard again, if anything is.
    """

    evaluation: Mapping[str, Corpus]
    training: Mapping[str, Corpus]
    replay: Replay | None


class Sets(NamedTuple):
    """The clips, as rows with the columns of `crnn_hf.data.columns`.

    Attributes:
        new: to learn from.
        more: to learn from as well, by name.
        old: to hear again, if any are.
        evaluation: to be measured on, by name.
    """

    new: Dataset
    more: dict[str, Dataset]
    old: Dataset | None
    evaluation: dict[str, Dataset]


class Course(NamedTuple):
    """What there is to learn from, and how an `EpochSampler` is to draw from it.

    Attributes:
        rows: of the clips.
        weights: of each, (clips,); None where all are heard alike.
        epoch_clips: how many an epoch hears; None for as many as there are.
    """

    rows: Dataset
    weights: NDArray | None
    epoch_clips: int | None


def corpora_of(arguments: DataArguments) -> Corpora:
    """What the settings name. Raises ValueError for settings that cannot be."""
    evaluation, training, replay = evaluation_corpora(arguments), training_corpora(arguments), replay_of(arguments)
    if replay is not None:
        refuse_taken_name(evaluation)
        evaluation[REPLAYED] = replay.corpus
    return Corpora(evaluation, training, replay)


def load_sets(corpora: Corpora, arguments: DataArguments, sampling_rate: int, metric: str | None) -> Sets:
    """Load all of it.

    Args:
        corpora: where it lies.
        arguments: how much of it.
        sampling_rate: at which clips to be measured on are augmented, in Hz.
        metric: by which the best checkpoint is to be chosen.

    Raises:
        FileNotFoundError, AudioReadError, ProtocolError, ValueError: as `load_evaluation_sets` and `check_metric`.
    """
    # They are the smaller ones: what is wrong with them is known before the training clips are copied.
    evaluation = load_evaluation_sets(corpora.evaluation, arguments.first_validation_clips, sampling_rate)
    check_metric(metric, evaluation)
    source, columns = corpora.evaluation[MAIN][:2]
    new = load_corpus(source, "train", first=arguments.first_train_clips, **columns)
    more, old = load_training_sets(corpora.training), None
    if corpora.replay is not None:
        source, columns = corpora.replay.corpus[:2]
        old = load_corpus(source, "train", **columns)
    return Sets(new, more, old, evaluation)


def overviews(sets: Sets, corpora: Corpora) -> list[str]:
    """A line about each set, the one to learn from first."""
    lines = [overview(sets.new, corpora.evaluation[MAIN].source, "train")]
    lines += [f"{name}, {overview(rows, corpora.training[name].source, 'train')}" for name, rows in sets.more.items()]
    if corpora.replay is not None:
        lines.append(f"{REPLAYED}, {overview(sets.old, corpora.replay.corpus.source, 'train')}")
    for name, rows in sets.evaluation.items():
        prefix = "" if name == MAIN else f"{name}, "
        lines.append(prefix + overview(rows, corpora.evaluation[name].source, "validation"))
    return lines


def course_of(sets: Sets, corpora: Corpora, arguments: DataArguments) -> Course:
    """How the clips to learn from are drawn, as the settings say."""
    weigh = partial(sampling_weights, balanced=arguments.sampling == "balanced", evenness=arguments.group_evenness)
    new = concatenate_datasets([sets.new, *sets.more.values()]) if sets.more else sets.new
    if corpora.replay is None:
        return Course(new, weigh(new), None)
    return Course(*joined(new, sets.old, corpora.replay.share, weigh))
