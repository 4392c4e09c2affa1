"""The training job: a recipe in, a folder with a model out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from transformers import EvalPrediction, PreTrainedModel, SequenceFeatureExtractor, set_seed

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data import ClipReader, Collator, load_corpus, overview
from crnn_hf.data.columns import LABELS
from crnn_hf.loading import load_detector
from crnn_hf.metrics import compute_metrics, real_scores
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments
from crnn_hf.training.resuming import checkpoint_to_resume, note_settings, settings_of, step_of
from crnn_hf.training.trainer import DetectorTrainer

Preset = TypeVar("Preset", CRNNConfig, CRNNFeatureExtractor)


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
    check_settings(feature_extractor, data_arguments, training_arguments)
    settings = settings_of(model_arguments, data_arguments, training_arguments)
    output = Path(training_arguments.output_dir)
    checkpoint = checkpoint_to_resume(output, settings)

    source, sampling_rate = data_arguments.data, feature_extractor.sampling_rate
    columns = json.loads(data_arguments.columns)
    train_set = load_corpus(source, "train", first=data_arguments.first_train_clips, **columns)
    validation_set = load_corpus(source, "validation", first=data_arguments.first_validation_clips, **columns)
    print(overview(train_set, source, "train"), overview(validation_set, source, "validation"), sep="\n")
    note_settings(output, settings)
    if data_arguments.balance_classes:
        model.config.class_weights = balanced_weights(train_set["label"], model.config.label2id)

    trainer = DetectorTrainer(
        model=model,
        args=training_arguments,
        train_dataset=train_set.with_transform(ClipReader(sampling_rate, data_arguments.crop_seconds)),
        eval_dataset=validation_set.with_transform(ClipReader(sampling_rate)),
        data_collator=Collator(feature_extractor, model.config.label2id),
        compute_metrics=lambda prediction: prediction_metrics(prediction, model.config.label2id),
        processing_class=feature_extractor,
    )
    result = trainer.train(resume_from_checkpoint=checkpoint)
    if result.global_step == step_of(checkpoint):
        print("It was finished already: nothing was trained. For more, raise num_train_epochs.")
    metrics = trainer.evaluate()
    # They belong to this corpus, not to the model.
    model.config.class_weights = None
    trainer.save_model()
    trainer.save_metrics("eval", metrics)
    return metrics


def check_settings(
    feature_extractor: SequenceFeatureExtractor,
    data_arguments: DataArguments,
    training_arguments: DetectorTrainingArguments,
) -> None:
    """Raise ValueError for settings that would fail later, or do nothing in silence."""
    shortest = feature_extractor.n_fft / feature_extractor.sampling_rate
    crop = data_arguments.crop_seconds
    if crop is not None and not shortest <= crop < float("inf"):
        raise ValueError(f"crop_seconds must be at least {shortest}, the length of a frame, or null; found {crop}")
    if training_arguments.label_smoothing_factor and data_arguments.balance_classes:
        raise ValueError("label_smoothing_factor leaves no room for class weights: set balance_classes to false")


def build_model(arguments: ModelArguments) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model to train and its feature extractor: a trained one, or a preset with changes.

    Raises:
        ValueError: a field that does not exist, or with a value that it cannot have; or changes to a trained model.
    """
    architecture, features = json.loads(arguments.architecture), json.loads(arguments.features)
    if arguments.model is not None:
        if architecture or features:
            raise ValueError("architecture and features are those of the model to go on from; they cannot be changed")
        model, feature_extractor = load_detector(arguments.model, device="cpu")
        model.config.class_weights = None
        return model, feature_extractor
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


def balanced_weights(labels: Sequence[int], label2id: Mapping[str, int]) -> list[float]:
    """A weight for each of the model's labels with which real and fake count the same in a loss.

    Args:
        labels: the corpus's, 0 for real and 1 for fake.
        label2id: the model's labels; others than real and fake weigh nothing.

    Returns:
        As many weights as the model has labels; a clip weighs 1 on average.

    Raises:
        ValueError: a class has no clip.
    """
    counts = np.bincount(labels, minlength=len(LABELS))
    if not counts.all():
        raise ValueError(f"no clip is {LABELS[int(counts.argmin())]}, all {len(labels)} are not; cannot balance them")
    weights = [0.0] * len(label2id)
    for label, count in zip(LABELS, counts, strict=True):
        weights[label2id[label]] = len(labels) / (len(LABELS) * int(count))
    return weights


def prediction_metrics(prediction: EvalPrediction, label2id: dict[str, int]) -> dict[str, float]:
    """All metrics of a pass over the evaluation set, as the Trainer wants them."""
    is_fake = prediction.label_ids == label2id["fake"]
    return compute_metrics(real_scores(prediction.predictions, label2id), is_fake)
