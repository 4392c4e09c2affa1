"""The training job: a recipe in, a folder with a model out."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from transformers import PreTrainedModel, SequenceFeatureExtractor, set_seed
from transformers.utils import SAFE_WEIGHTS_NAME

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.augmentation import augmentations
from crnn_hf.data import ClipReader, Collator, load_corpus, overview
from crnn_hf.data.columns import LABELS
from crnn_hf.loading import load_detector
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments
from crnn_hf.training.evaluation_sets import MAIN, check_metric, evaluation_corpora, load_evaluation_sets
from crnn_hf.training.figures import labels_of, prediction_metrics
from crnn_hf.training.resuming import checkpoint_to_resume, note_settings, settings_of, step_of
from crnn_hf.training.trainer import DetectorTrainer

Preset = TypeVar("Preset", CRNNConfig, CRNNFeatureExtractor)

# Of transformers' settings, those with whose other values there are no figures, or figures of the wrong clips.
REQUIRED = {
    "prediction_loss_only": False,
    "batch_eval_metrics": False,
    "eval_do_concat_batches": True,
    "dataloader_in_order": True,
}


def train(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> dict[str, float]:
    """Train a detector, and save the best one with its feature extractor to `training_arguments.output_dir`.

    A run that was interrupted goes on from its last checkpoint when it is started again.

    Returns:
        The best model's figures on the validation split: `eval_eer`, `eval_min_dcf` and so on; then those on the other
        evaluation sets, such as `eval_codec_eer` on one named codec.

    Raises:
        ValueError: a number that no model can have; an evaluation set of one class alone, or without a name that can
            be used; a metric to choose the best model by that there is not; or the output directory holds a run of
            another model.
        FileNotFoundError, AudioReadError, ProtocolError: the corpus is not there, or a part of it is damaged.
    """
    set_seed(training_arguments.seed)
    model, feature_extractor = build_model(model_arguments)
    check_settings(feature_extractor, data_arguments, training_arguments)
    corpora = evaluation_corpora(data_arguments)
    settings = settings_of(model_arguments, data_arguments, training_arguments)
    of_waveforms, of_spectrograms = augmentations(
        json.loads(data_arguments.augmentation), feature_extractor.sampling_rate
    )
    output = Path(training_arguments.output_dir)
    checkpoint = checkpoint_to_resume(output, settings)

    # They are the smaller ones: what is wrong with them is known before the training clips are copied.
    evaluation_sets = load_evaluation_sets(corpora, data_arguments.first_validation_clips)
    check_metric(training_arguments.metric_for_best_model, evaluation_sets)
    source, columns = corpora[MAIN]
    train_set = load_corpus(source, "train", first=data_arguments.first_train_clips, **columns)
    print(overview(train_set, source, "train"))
    for name, evaluation_set in evaluation_sets.items():
        prefix = "" if name == MAIN else f"{name}, "
        print(prefix + overview(evaluation_set, corpora[name].source, "validation"))
    note_settings(output, settings)
    if data_arguments.balance_classes:
        model.config.class_weights = balanced_weights(labels_of(train_set), model.config.label2id)

    sampling_rate = feature_extractor.sampling_rate
    trainer = DetectorTrainer(
        model=model,
        args=training_arguments,
        train_dataset=train_set.with_transform(ClipReader(sampling_rate, data_arguments.crop_seconds, of_waveforms)),
        spectrogram_augmentation=of_spectrograms,
        eval_dataset={
            name: evaluation_set.with_transform(ClipReader(sampling_rate))
            for name, evaluation_set in evaluation_sets.items()
        },
        data_collator=Collator(feature_extractor, model.config.label2id),
        compute_metrics=partial(prediction_metrics, label2id=model.config.label2id),
        processing_class=feature_extractor,
    )
    result = trainer.train(resume_from_checkpoint=checkpoint)
    is_as_before = result.global_step == step_of(checkpoint)
    if is_as_before:
        print("It was finished already: nothing was trained. For more, raise num_train_epochs.")
    metrics = trainer.evaluate()
    # They belong to this corpus, not to the model.
    model.config.class_weights = None
    # A model that is there already may have been calibrated since.
    if not (is_as_before and (output / SAFE_WEIGHTS_NAME).is_file()):
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
    for name, wanted in REQUIRED.items():
        if (found := getattr(training_arguments, name, wanted)) != wanted:
            raise ValueError(f"{name} must stay {wanted}, or there are no figures of the right clips; found {found}")


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
        # It belongs to the weights that it was fitted to.
        model.config.calibration = None
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
