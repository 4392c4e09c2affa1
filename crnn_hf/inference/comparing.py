"""Two detectors, an old and a new one, on the same clips."""

from dataclasses import dataclass

import numpy as np
from datasets import Dataset
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.inference.calibrating import is_calibrated_on
from crnn_hf.inference.scoring import score_with
from crnn_hf.inference.verdicts import calibration_of, decision_band
from crnn_hf.metrics import polarity_warning
from crnn_hf.metrics.trials import Trials

Detector = tuple[PreTrainedModel, SequenceFeatureExtractor]


@dataclass(frozen=True)
class Pair:
    """The scores of two detectors.

    Attributes:
        old, new: the clips that both could score, the same in the same order.
        thresholds: of the old and the new detector: what is below is called fake, as `detect` does.
        faults: why each clip that is not among them could not be scored, beginning with its name.
    """

    old: Trials
    new: Trials
    thresholds: tuple[float, float]
    faults: list[str]


def score_pair(old: Detector, new: Detector, dataset: Dataset, batch_size: int = 32) -> Pair:
    """Score every clip with both detectors, reading it once if both ask for the same sampling rate.

    Args:
        old, new: each a model and its feature extractor, from `load_detector`.
        dataset: a split of a corpus, with the columns of `crnn_hf.data.columns`.
        batch_size: clips at a time.

    Raises:
        ValueError: as `crnn_hf.inference.score_clips`.
    """
    scored = score_with([old, new], dataset, batch_size)
    names = set.intersection(*(set(scores.trials.utterances) for scores in scored))
    faults = dict.fromkeys(fault for scores in scored for fault in scores.faults)
    thresholds = tuple(decision_band(model.config)[0] for model, _ in (old, new))
    return Pair(*(_only(scores.trials, names) for scores in scored), thresholds, list(faults))


def doubts(old: Detector, new: Detector, pair: Pair) -> list[str]:
    """What to warn of who reads a comparison of the two."""
    configs = {"old": old[0].config, "new": new[0].config}
    found = []
    calibrated = [name for name, config in configs.items() if calibration_of(config) is not None]
    if len(calibrated) == 1:
        found.append(
            f"the {calibrated[0]} model alone is calibrated: actDCF, Cllr and the verdicts differ for that reason too"
        )
    for name, trials in (("old", pair.old), ("new", pair.new)):
        if is_calibrated_on(configs[name], trials.utterances):
            found.append(
                f"the calibration of the {name} model was fitted to these very clips: its actDCF and Cllr flatter"
            )
        if warning := polarity_warning(trials.scores, trials.is_fake):
            found.append(f"the {name} model: {warning}")
    return found


def _only(trials: Trials, names: set[str]) -> Trials:
    """The clips of these names."""
    kept = [place for place, utterance in enumerate(trials.utterances) if utterance in names]
    return Trials(
        utterances=[trials.utterances[place] for place in kept],
        scores=trials.scores[np.array(kept, int)],
        is_fake=trials.is_fake[np.array(kept, int)],
        columns={name: [values[place] for place in kept] for name, values in trials.columns.items()},
    )
