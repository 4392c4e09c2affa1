"""The last steps of a run, on the clips that it was evaluated on all along.

How much the second opinion of the best model counts, and what its scores mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from transformers import Trainer

from crnn_hf.data.locations import without_folder
from crnn_hf.inference import calibration_record
from crnn_hf.inference.calibrating import fingerprint
from crnn_hf.metrics.trials import Trials
from crnn_hf.training.corpus import Corpus
from crnn_hf.training.figures import MAIN, scored
from crnn_hf.training.fusion import fusion_factor
from crnn_hf.training.trainer import DetectorTrainer

Scored = tuple[NDArray, NDArray]  # the scores of clips, (clips,), and whether each is fake, (clips,)


def weigh_opinion(trainer: DetectorTrainer, corpora: Mapping[str, Corpus]) -> Scored:
    """Let a model's second opinion count for as much as other clips than those of training say, in place; tell it.

    Both the network and the opinion are fitted to the same clips, and a deep network is surer of those than it can be
    of others.

    Args:
        trainer: with evaluation sets of these names, and a model with a second opinion.
        corpora: by name; the main one and its augmented copies are listened to.

    Returns:
        What the model then says of these copies, one after the other, as `fitted_calibration` takes it.
    """
    opinion, names = trainer.model.contrast, copies_of_main(corpora)
    both, is_fake = _scored_sets(trainer, names)
    with trainer.network_alone():
        alone, _ = _scored_sets(trainer, names)
    factor = fusion_factor(alone, both - alone, is_fake)
    for part in (opinion.weight, opinion.bias):
        part.mul_(factor)
    _tell(trainer, f"The second opinion counts {factor:.3g} times what it was fitted to, by {', '.join(names)}.")
    return alone + factor * (both - alone), is_fake


def fitted_calibration(
    trainer: Trainer, corpora: Mapping[str, Corpus], sets: Mapping[str, Dataset], known: Scored | None = None
) -> dict[str, Any] | None:
    """Fit a calibration of a trainer's model to the main validation split and its augmented copies, and say so.

    They have chosen the model among its checkpoints: on other clips, even of the same kind, the ratios claim a
    little too much.

    Args:
        trainer: with evaluation sets of these names, and a model without calibration.
        corpora, sets: by name.
        known: what the model says of them, if `weigh_opinion` has asked already.

    Returns:
        As `calibration_record`, with the names of the sets as `sets` and the fingerprint of the split without copies,
        so that who measures the model on it is warned; or None where these scores cannot be calibrated.
    """
    names = copies_of_main(corpora)
    utterances = [utterance for name in names for utterance in sets[name].with_format(None)["utterance"]]
    trials = Trials(utterances, *(_scored_sets(trainer, names) if known is None else known))
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


def copies_of_main(corpora: Mapping[str, Corpus]) -> list[str]:
    """The names of the main validation split and of its augmented copies."""
    return [name for name, corpus in corpora.items() if corpus[:2] == corpora[MAIN][:2]]


def _scored_sets(trainer: Trainer, names: Sequence[str]) -> Scored:
    """Scores and whether each clip is fake, in the order of the sets."""
    parts = []
    for name in names:
        output = trainer.predict(trainer.eval_dataset[name])
        parts.append(scored(output.predictions, output.label_ids, trainer.model.config.label2id))
    scores, is_fake = zip(*parts, strict=True)
    return np.concatenate(scores), np.concatenate(is_fake)
