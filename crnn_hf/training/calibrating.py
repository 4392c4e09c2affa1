"""The last step of a run: a calibration of the best model on the clips that it was evaluated on all along."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import Trainer

from crnn_hf.data.locations import without_folder
from crnn_hf.inference import calibration_record
from crnn_hf.inference.calibrating import fingerprint
from crnn_hf.metrics.trials import Trials
from crnn_hf.training.evaluation_sets import MAIN, Corpus
from crnn_hf.training.figures import scored


def fitted_calibration(
    trainer: Trainer, corpora: Mapping[str, Corpus], sets: Mapping[str, Dataset]
) -> dict[str, Any] | None:
    """Fit a calibration of a trainer's model to the main validation split and its augmented copies, and say so.

    They have chosen the model among its checkpoints: on other clips, even of the same kind, the ratios claim a
    little too much.

    Args:
        trainer: with evaluation sets of these names, and a model without calibration.
        corpora, sets: by name.

    Returns:
        As `calibration_record`, with the names of the sets as `sets` and the fingerprint of the split without copies,
        so that who measures the model on it is warned; or None where these scores cannot be calibrated.
    """
    names = [name for name, corpus in corpora.items() if corpus[:2] == corpora[MAIN][:2]]
    parts = [_scored_set(trainer, name) for name in names]
    utterances = [utterance for name in names for utterance in sets[name].with_format(None)["utterance"]]
    trials = Trials(utterances, *(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    try:
        record = calibration_record(trials, f"{without_folder(corpora[MAIN].source)}, {MAIN}")
    except ValueError as error:
        _tell(trainer, f"Not calibrated: {error}")
        return None
    clips = " and ".join(f"{count} {label}" for label, count in record["clips"].items())
    _tell(
        trainer,
        f"Calibrated on {clips} clips of {', '.join(names)}: log-likelihood ratio = {record['scale']:.4g} * score "
        f"{record['offset']:+.4g}. They have chosen the model too: elsewhere its chances claim a little too much.",
    )
    return {**record, "sets": names, "fingerprint": fingerprint(set(utterances))}


def _tell(trainer: Trainer, text: str) -> None:
    if trainer.is_world_process_zero():
        print(text)


def _scored_set(trainer: Trainer, name: str) -> Sequence[np.ndarray]:
    """Scores and whether each clip is fake, in the order of the set."""
    output = trainer.predict(trainer.eval_dataset[name])
    return scored(output.predictions, output.label_ids, trainer.model.config.label2id)
