"""Old clips heard again beside new ones, lest what was learned from them be forgotten."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from datasets import Dataset, concatenate_datasets
from numpy.typing import NDArray

from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import COLUMNS, Corpus

REPLAYED = "replayed"  # the evaluation set of the old corpus: `eval_replayed_eer`


class Replay(NamedTuple):
    """What is heard again.

    Attributes:
        corpus: the old one.
        share: of the clips that an epoch hears, above 0 and below 1.
    """

    corpus: Corpus
    share: float


def replay_of(arguments: DataArguments) -> Replay | None:
    """The setting `replay`; None where nothing is heard again.

    Raises:
        ValueError: it lacks the corpus or the share, a share outside of its range, or a column that recordings do not
            have.
    """
    settings = json.loads(arguments.replay)
    if not settings:
        return None
    source, share = settings.pop("data", None), settings.pop("share", None)
    if not isinstance(source, str):
        raise ValueError(f"replay.data must be a corpus; found {source!r}")
    if not isinstance(share, int | float) or not 0 < share < 1:
        raise ValueError(f"replay.share must be a number above 0 and below 1, such as 0.3; found {share!r}")
    unknown = sorted(set(settings) - COLUMNS)
    if unknown:
        raise ValueError(
            f"replay has no setting {unknown[0]}; expected data, share, or a column: one of {sorted(COLUMNS)}"
        )
    return Replay(Corpus(source, settings), share)


def refuse_taken_name(corpora: Mapping[str, Corpus]) -> None:
    """Raise ValueError if another evaluation set has the name of the old corpus."""
    if REPLAYED in corpora:
        raise ValueError(
            f"evaluation_sets: {REPLAYED!r} is what the corpus of replay is called; expected another name"
        )


def replay_weights(new: NDArray[np.float64], old: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The share of each clip in what training hears, new clips first, then old ones, (new + old,), which sum up to 1.

    Args:
        new, old: how the clips of each corpus share its own part, such as all ones; any positive scale.
        share: the part of the old ones.
    """
    return np.concatenate([(1 - share) * new / new.sum(), share * old / old.sum()])


def epoch_clips(new: int, share: float) -> int:
    """How many clips an epoch hears that hears each of `new` clips once, if `share` of it are old ones."""
    return round(new / (1 - share))


def joined(
    new: Dataset, old: Dataset, share: float, weights_of: Callable[[Dataset], NDArray[np.float64] | None]
) -> tuple[Dataset, NDArray[np.float64], int]:
    """One dataset of new and old clips, and how an `EpochSampler` is to draw from it.

    Args:
        new, old: rows with the columns of `crnn_hf.data.columns`.
        share: the part of the old ones.
        weights_of: how the clips of a corpus share its part; None where all are alike.

    Returns:
        The rows, new ones first; the weight of each; and how many clips an epoch hears.
    """
    parts = [np.ones(len(rows)) if (weights := weights_of(rows)) is None else weights for rows in (new, old)]
    return concatenate_datasets([new, old]), replay_weights(*parts, share), epoch_clips(len(new), share)
