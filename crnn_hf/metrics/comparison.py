"""What a new detector does better and worse than an old one on the same clips, and what of it chance could explain."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn_hf.metrics.breakdown import parts_of
from crnn_hf.metrics.confidence import Difference, paired_differences, paired_eer_differences
from crnn_hf.metrics.paired_tests import holm, mcnemar
from crnn_hf.metrics.trials import UNKNOWN, Trials, checked, named

METRICS = ("eer", "min_dcf", "act_dcf", "cllr")  # of each of them, less is better
COLUMNS = ("attack", "codec")
SPEAKER = "speaker"
MEAN = "mean"
LEVEL = 0.05  # how often chance alone may name a difference in a table of several
FEWEST = 10  # clips of a class: all that fall to one side are, by chance, one case in 2^9
DRAWS_OF_A_PART = 100  # the least p-value of as many draws, times as many parts, must be below `LEVEL`

BETTER, WORSE, UNDECIDED, TOO_FEW = "better", "worse", "no difference shown", "too few clips"


@dataclass(frozen=True)
class Row:
    """A figure of both detectors.

    Attributes:
        name: of the metric, or of the attack or codec whose EER it is.
        real, fake: how many clips.
        by_clip: the difference, new - old, and its interval over clips; `first` is the old detector's figure.
        by_speaker: the same over speakers; None where they are not known, or fewer than two of a class.
        p_value: of the wider interval's test, corrected for the number of rows; None with too few clips.
        verdict: "better", "worse", "no difference shown" or "too few clips".
    """

    name: str
    real: int
    fake: int
    by_clip: Difference
    by_speaker: Difference | None
    p_value: float | None
    verdict: str

    @property
    def wider(self) -> Difference:
        """The difference with the wider interval, which the verdict rests on."""
        return _wider(self.by_clip, self.by_speaker)


@dataclass(frozen=True)
class Table:
    """The EER of each attack, or of each codec.

    Attributes:
        rows: in the order of their names.
        mean: the mean EER over the rows, all of them counting the same; its p-value needs no correction.
    """

    rows: list[Row]
    mean: Row


@dataclass(frozen=True)
class Flips:
    """Clips of a class on which the verdicts of the two detectors differ.

    Attributes:
        newly_wrong: the names of those on which the old detector was right and the new one is not.
        newly_right: the other way round.
        p_value: McNemar's exact test, which takes the clips for independent of each other.
    """

    newly_wrong: list[str]
    newly_right: list[str]
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """All of it.

    Attributes:
        pooled: a row for each of `METRICS`.
        tables: by column, "attack" and "codec", where it has two values or more.
        flips: of "real" clips and of "fake" ones.
    """

    pooled: list[Row]
    tables: dict[str, Table]
    flips: dict[str, Flips]

    @property
    def is_worse(self) -> bool:
        """Whether a pooled figure or an attack is shown to be worse."""
        attacks = [row for table in filter(None, [self.tables.get("attack")]) for row in (*table.rows, table.mean)]
        return any(row.verdict == WORSE for row in (*self.pooled, *attacks))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "pooled": [_row_as_dict(row) for row in self.pooled],
            "tables": {
                column: {"rows": [_row_as_dict(row) for row in table.rows], "mean": _row_as_dict(table.mean)}
                for column, table in self.tables.items()
            },
            "flips": {label: asdict(flips) for label, flips in self.flips.items()},
            "is_worse": self.is_worse,
        }


def compare(
    old: Trials, new: Trials, thresholds: tuple[float, float] = (0.0, 0.0), *, resamples: int = 1000, seed: int = 0
) -> Comparison:
    """Compare two detectors' scores of the same clips.

    Of each figure the difference is drawn over clips and, where the speaker of every clip is known, over speakers. The
    verdict rests on the test with the wider interval, corrected for how many rows a table has: where nothing has
    changed, one table in twenty names something.

    Args:
        old, new: the same clips in the same order.
        thresholds: of the old and of the new detector: a clip is called fake if its score is below.
        resamples: bootstrap draws; more are made for tables of many rows.
        seed: of the draws.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`, or the clips are not the same.
    """
    if list(old.utterances) != list(new.utterances) or not np.array_equal(old.is_fake, new.is_fake):
        raise ValueError(
            f"expected two detectors' scores of the same clips; found {len(old)} and {len(new)}, not alike"
        )
    for trials in (old, new):
        checked(trials.scores, trials.is_fake)
    is_fake = old.is_fake
    everything = np.ones(len(old), bool)
    speakers = old.columns.get(SPEAKER)
    draws = {"resamples": resamples, "seed": seed}
    both = old.scores, new.scores, is_fake
    by_clip = paired_differences(*both, **draws)
    by_speaker: dict[str, Difference] = {}
    if _has_speakers(speakers, everything, is_fake):
        by_speaker = paired_differences(*both, groups=speakers, **draws)
    pooled = _rows(dict.fromkeys(METRICS, everything), is_fake, by_clip, by_speaker)
    tables = {column: _table(old, new, column, draws) for column in COLUMNS if len(_measurable_parts(old, column)) > 1}
    return Comparison(pooled, tables, _flips(old, new, thresholds))


def _table(old: Trials, new: Trials, column: str, draws: dict[str, int]) -> Table:
    is_fake, speakers = old.is_fake, old.columns.get(SPEAKER)
    parts = _measurable_parts(old, column)
    draws = {**draws, "resamples": max(draws["resamples"], DRAWS_OF_A_PART * len(parts))}
    both = old.scores, new.scores, is_fake
    by_clip, mean = paired_eer_differences(*both, parts, **draws)
    by_speaker: dict[str, Difference] = {}
    mean_by_speaker = None
    told = {name: part for name, part in parts.items() if _has_speakers(speakers, part, is_fake)}
    if told:
        by_speaker, mean_of_told = paired_eer_differences(*both, told, groups=speakers, **draws)
        mean_by_speaker = mean_of_told if len(told) == len(parts) else None
    some = np.logical_or.reduce([*parts.values()])
    (mean_row,) = _rows({MEAN: some}, is_fake, {MEAN: mean}, {MEAN: mean_by_speaker})
    return Table(_rows(parts, is_fake, by_clip, by_speaker), mean_row)


def _measurable_parts(trials: Trials, column: str) -> dict[str, NDArray[np.bool_]]:
    """The clips of each of a column's values that both classes have clips for."""
    parts = dict(parts_of(trials.is_fake, trials.columns.get(column, [UNKNOWN] * len(trials))))
    return {name: part for name, part in parts.items() if len(set(trials.is_fake[part])) == 2}


def _has_speakers(speakers: Sequence[str] | None, part: NDArray[np.bool_], is_fake: NDArray[np.bool_]) -> bool:
    """Whether the speaker of every clip is known, and each class of the part has two or more."""
    if speakers is None or UNKNOWN in speakers:
        return False
    names = named(speakers)
    return all(len(np.unique(names[part & chosen])) > 1 for chosen in (is_fake, ~is_fake))


def _rows(
    parts: Mapping[str, NDArray[np.bool_]],
    is_fake: NDArray[np.bool_],
    by_clip: Mapping[str, Difference],
    by_speaker: Mapping[str, Difference | None],
) -> list[Row]:
    counts = {name: (int((part & ~is_fake).sum()), int((part & is_fake).sum())) for name, part in parts.items()}
    judged = [name for name, of_classes in counts.items() if min(of_classes) >= FEWEST]
    wider = {name: _wider(by_clip[name], by_speaker.get(name)) for name in parts}
    p_values = dict(zip(judged, holm([wider[name].p_value for name in judged]), strict=True))
    return [
        Row(
            name,
            *counts[name],
            by_clip[name],
            by_speaker.get(name),
            p_values.get(name),
            _verdict(wider[name].difference, p_values.get(name)),
        )
        for name in parts
    ]


def _wider(by_clip: Difference, by_speaker: Difference | None) -> Difference:
    if by_speaker is None or by_speaker.upper - by_speaker.lower <= by_clip.upper - by_clip.lower:
        return by_clip
    return by_speaker


def _verdict(difference: float, p_value: float | None) -> str:
    if p_value is None:
        return TOO_FEW
    if p_value >= LEVEL or not difference:
        return UNDECIDED
    return BETTER if difference < 0 else WORSE


def _flips(old: Trials, new: Trials, thresholds: tuple[float, float]) -> dict[str, Flips]:
    called_fake = [trials.scores < threshold for trials, threshold in zip((old, new), thresholds, strict=True)]
    was_right, is_right = (called == old.is_fake for called in called_fake)
    utterances = np.asarray(old.utterances, object)
    found = {}
    for label, chosen in (("real", ~old.is_fake), ("fake", old.is_fake)):
        wrong, right = utterances[chosen & was_right & ~is_right], utterances[chosen & ~was_right & is_right]
        found[label] = Flips(wrong.tolist(), right.tolist(), mcnemar(len(wrong), len(right)))
    return found


def _row_as_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "real": row.real,
        "fake": row.fake,
        "old": row.by_clip.first,
        "new": row.by_clip.second,
        "difference": row.by_clip.difference,
        "by_clip": _test_as_dict(row.by_clip),
        "by_speaker": None if row.by_speaker is None else _test_as_dict(row.by_speaker),
        "p_value": row.p_value,
        "verdict": row.verdict,
    }


def _test_as_dict(found: Difference) -> dict[str, float]:
    return {"lower": found.lower, "upper": found.upper, "p_value": found.p_value}
