"""How far a detector's score moves when a clip changes, but for the voice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.data import ClipReader
from crnn_hf.data.statistics import Statistics, describe
from crnn_hf.inference.probing.changes import CHANGES, Change
from crnn_hf.inference.scoring import score_clips
from crnn_hf.inference.verdicts import decision_band
from crnn_hf.metrics import equal_error_rate


class ErrorRatesAfter(NamedTuple):
    """The EER of all clips, in [0, 1], after a change to some of them.

    Attributes:
        both: every clip changed.
        fakes: the fakes alone changed.
        real: the real clips alone changed.
    """

    both: float
    fakes: float
    real: float


@dataclass(frozen=True)
class Movement:
    """What a change does to the scores. Moves are in units of the score; None where there is no clip to tell.

    Attributes:
        clips: how many were changed.
        left_out: the name of each clip that was not, and why not.
        median, percentile_95: of the moves without their sign.
        mean_real, mean_fake: of the moves of each class, positive towards real.
        verdicts: share of the clips, in [0, 1], on which the detector's verdict is another.
        eer: after the change, clips left out keeping the score that they have. None where there is but one class.
    """

    clips: int
    left_out: dict[str, str] = field(repr=False)
    median: float | None
    percentile_95: float | None
    mean_real: float | None
    mean_fake: float | None
    verdicts: float | None
    eer: ErrorRatesAfter | None


@dataclass(frozen=True, eq=False)
class Probe:
    """What `probe` found.

    Attributes:
        statistics: of the clips, and how far measures without the voice tell their classes apart.
        quartiles: of the scores of the clips as they are: a quarter lies below the first, a quarter above the second.
        eer: of the clips as they are, in [0, 1]; None where there is but one class.
        real, fake: how many clips were scored.
        movements: what each change does, by its name.
        faults: why each clip that could not be scored could not, beginning with its name.
    """

    statistics: Statistics
    quartiles: tuple[float, float]
    eer: float | None
    real: int
    fake: int
    movements: dict[str, Movement]
    faults: list[str]

    @property
    def spread(self) -> float:
        """How far apart the quartiles of the scores are, which tells whether a move is a large one."""
        return self.quartiles[1] - self.quartiles[0]


def probe(
    model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor, dataset: Dataset, batch_size: int = 32
) -> Probe:
    """Measure the clips, score them, and score them again after each of `CHANGES`, with progress bars.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        dataset: a split of a corpus, with the columns of `crnn_hf.data.columns`; each clip has a name of its own.
        batch_size: clips at a time.

    Raises:
        ValueError: as `score_clips`, or no clip can be scored.
    """
    sampling_rate = feature_extractor.sampling_rate
    score = partial(score_clips, model, feature_extractor, batch_size=batch_size)
    plain = score(dataset, title="Scoring clips as they are")
    names, before, is_fake = plain.trials.utterances, plain.trials.scores, plain.trials.is_fake
    if not len(names):
        raise ValueError(
            f"none of {len(dataset)} clips can be scored: {'; '.join(plain.faults[:1]) or 'there is none'}"
        )
    row_of = {name: row for row, name in enumerate(dataset.with_format(None)["utterance"])}
    clips = dataset.select([row_of[name] for name in names])
    movements = {}
    nothing_to_change = _left_out(clips, CHANGES, sampling_rate)
    for name, change in CHANGES.items():
        left_out = nothing_to_change[name]
        again = score(
            clips.select([row for row, utterance in enumerate(names) if utterance not in left_out]),
            transform=partial(change.apply, sampling_rate=sampling_rate),
            title=f"Scoring: {change.title}",
        )
        # A clip can become too short, and then is as if there were nothing to change.
        left_out |= {utterance: reason for utterance, _, reason in (fault.partition(": ") for fault in again.faults)}
        score_of = dict(zip(again.trials.utterances, again.trials.scores, strict=True))
        after = np.array([score_of.get(utterance, np.nan) for utterance in names])
        movements[name] = movement(before, after, is_fake, decision_band(model.config), left_out)
    return Probe(
        describe(dataset, sampling_rate),
        tuple(np.quantile(before, [0.25, 0.75]).tolist()),
        _eer(before, is_fake),
        int((~is_fake).sum()),
        int(is_fake.sum()),
        movements,
        plain.faults,
    )


def movement(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    is_fake: NDArray[np.bool_],
    band: tuple[float, float],
    left_out: Mapping[str, str],
) -> Movement:
    """What a change does to the scores.

    Args:
        before: the scores of the clips as they are, (clips,).
        after: those after the change, (clips,), NaN for clips that are left out.
        is_fake: (clips,).
        band: below which score a clip is fake for the detector, and from which on it is real.
        left_out: by the name of each clip that is, why.
    """
    changed = np.isfinite(after)
    moves = after[changed] - before[changed]
    everywhere = np.where(changed, after, before)
    whole = _eer(everywhere, is_fake)
    return Movement(
        clips=int(changed.sum()),
        left_out=dict(left_out),
        median=_of(np.median, np.abs(moves)),
        percentile_95=_of(partial(np.quantile, q=0.95), np.abs(moves)),
        mean_real=_of(np.mean, moves[~is_fake[changed]]),
        mean_fake=_of(np.mean, moves[is_fake[changed]]),
        verdicts=_of(np.mean, np.digitize(after[changed], band) != np.digitize(before[changed], band)),
        eer=None
        if whole is None
        else ErrorRatesAfter(
            both=whole,
            fakes=equal_error_rate(np.where(is_fake, everywhere, before), is_fake),
            real=equal_error_rate(np.where(is_fake, before, everywhere), is_fake),
        ),
    )


def _of(figure: Callable[[NDArray], Any], values: NDArray) -> float | None:
    return float(figure(values)) if len(values) else None


def _eer(scores: NDArray[np.float64], is_fake: NDArray[np.bool_]) -> float | None:
    return equal_error_rate(scores, is_fake) if 0 < is_fake.sum() < len(is_fake) else None


def _left_out(clips: Dataset, changes: Mapping[str, Change], sampling_rate: int) -> dict[str, dict[str, str]]:
    """By each change's name, the names of the clips in which there is nothing to change, each with the reason."""
    left_out: dict[str, dict[str, str]] = {name: {} for name in changes}
    asking = {name: change for name, change in changes.items() if change.can_apply is not None}
    for clip in clips.with_transform(ClipReader(sampling_rate)) if asking else ():
        for name, change in asking.items():
            if not change.can_apply(clip["waveform"], sampling_rate):
                left_out[name][clip["utterance"]] = change.otherwise
    return left_out
