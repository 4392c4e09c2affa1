"""The training job: a recipe in, a folder with a model out."""

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    EvalPrediction,
    PreTrainedModel,
    SequenceFeatureExtractor,
    Trainer,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data import ClipReader, Collator, load_asvspoof5, overview
from crnn_hf.metrics import compute_metrics, real_scores
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

Preset = TypeVar("Preset", CRNNConfig, CRNNFeatureExtractor)

# What saving adds to a config, and what does not make it another model.
PASSING = {"architectures", "auto_map", "dtype", "transformers_version"}


def train(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> dict[str, float]:
    """Train a detector, and save the best one with its feature extractor to `training_arguments.output_dir`.

    A run that was interrupted goes on from its last checkpoint when it is started again.

    Returns:
        The best model's figures on the validation split: `eval_eer`, `eval_min_dcf` and so on.

    Raises:
        ValueError: a number that no model can have; or the output directory holds a run of another model.
        FileNotFoundError, AudioReadError, ProtocolError: the corpus is not there, or a part of it is damaged.
    """
    set_seed(training_arguments.seed)
    model, feature_extractor = build_model(model_arguments)
    source, sampling_rate = data_arguments.data, feature_extractor.sampling_rate
    train_set = load_asvspoof5(source, "train", first=data_arguments.first_train_clips)
    validation_set = load_asvspoof5(source, "validation", first=data_arguments.first_validation_clips)
    print(overview(train_set, source, "train"), overview(validation_set, source, "validation"), sep="\n")
    if data_arguments.balance_classes:
        model.config.class_weights = balanced_weights(train_set["label"], model.config.num_labels)

    checkpoint = checkpoint_to_resume(model, feature_extractor, training_arguments.output_dir)
    trainer = Trainer(
        model=model,
        args=training_arguments,
        train_dataset=train_set.with_transform(ClipReader(sampling_rate, data_arguments.crop_seconds)),
        eval_dataset=validation_set.with_transform(ClipReader(sampling_rate)),
        data_collator=Collator(feature_extractor),
        compute_metrics=lambda prediction: prediction_metrics(prediction, model.config.label2id),
        processing_class=feature_extractor,
    )
    trainer.train(resume_from_checkpoint=checkpoint)
    metrics = trainer.evaluate()
    trainer.save_model()
    trainer.save_metrics("eval", metrics)
    return metrics


def build_model(arguments: ModelArguments) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model to train and its feature extractor: a trained one, or a preset with changes.

    Raises:
        ValueError: a field that does not exist, or with a value that it cannot have; or changes to a trained model.
    """
    architecture, features = json.loads(arguments.architecture), json.loads(arguments.features)
    if arguments.model is not None:
        if architecture or features:
            raise ValueError("architecture and features are those of the model to go on from; they cannot be changed")
        return (
            AutoModelForAudioClassification.from_pretrained(arguments.model),
            AutoFeatureExtractor.from_pretrained(arguments.model),
        )
    is_reference = arguments.preset == "reference"
    feature_extractor = _with_changes(
        CRNNFeatureExtractor.reference() if is_reference else CRNNFeatureExtractor(), features
    )
    # The number of bands stands in the features, and nowhere else in a recipe.
    architecture = {"num_mel_bins": feature_extractor.num_mel_bins, **architecture}
    config = _with_changes(CRNNConfig.reference() if is_reference else CRNNConfig(), architecture)
    if config.num_mel_bins != feature_extractor.num_mel_bins:
        raise ValueError(
            f"num_mel_bins is {config.num_mel_bins} in the architecture and {feature_extractor.num_mel_bins} in the "
            "features; expected the same number, which the features alone can state"
        )
    return CRNNForAudioClassification(config), feature_extractor


def _with_changes(preset: Preset, changes: dict[str, Any]) -> Preset:
    """A preset with other values for some of its fields."""
    fields = preset.to_dict()
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        raise ValueError(f"{type(preset).__name__} has no field {', '.join(unknown)}")
    if "num_mel_bins" in changes:
        fields.pop("feature_size", None)
    return type(preset)(**{**fields, **changes})


def balanced_weights(labels: list[int], num_labels: int) -> list[float]:
    """A weight for each label with which all of them count the same in a loss, and a clip counts 1 on average.

    Raises:
        ValueError: a label has no clip.
    """
    counts = np.bincount(labels, minlength=num_labels)
    if not counts.all():
        raise ValueError(f"label {int(counts.argmin())} has no clip, {len(labels)} have others; cannot balance them")
    return (len(labels) / (num_labels * counts)).tolist()


def prediction_metrics(prediction: EvalPrediction, label2id: dict[str, int]) -> dict[str, float]:
    """All metrics of a pass over the evaluation set, as the Trainer wants them."""
    is_fake = prediction.label_ids == label2id["fake"]
    return compute_metrics(real_scores(prediction.predictions, label2id), is_fake)


def checkpoint_to_resume(
    model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor, output_dir: str
) -> str | None:
    """The last checkpoint of an interrupted run in `output_dir`; None where there is none.

    Raises:
        ValueError: that run is of another model, or of other features.
    """
    checkpoint = get_last_checkpoint(output_dir) if Path(output_dir).is_dir() else None
    if checkpoint is None:
        return None
    for part in (model.config, feature_extractor):
        here, there = part.to_dict(), type(part).from_pretrained(checkpoint).to_dict()
        differing = sorted(name for name in (here.keys() & there.keys()) - PASSING if here[name] != there[name])
        if differing:
            changes = ", ".join(f"{name} was {there[name]} and is now {here[name]}" for name in differing)
            raise ValueError(
                f"{output_dir} holds a run of another model: {changes}. Choose another output_dir, or delete it"
            )
    print(f"Going on from {checkpoint}")
    return checkpoint
