"""The training job: a recipe in, a folder with a model out."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel, SequenceFeatureExtractor, set_seed

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.augmentation import augmentations
from crnn_hf.backbone_configuration_crnn import SAMPLING_RATE
from crnn_hf.data import ClipReader, Collator, load_corpus, overview
from crnn_hf.data.columns import LABELS
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments
from crnn_hf.training.averaging import MovingAverage
from crnn_hf.training.calibrating import fitted_calibration
from crnn_hf.training.clips import TrainingClips, vocoding_of
from crnn_hf.training.evaluation_sets import check_metric, evaluation_corpora, load_evaluation_sets
from crnn_hf.training.figures import MAIN, labels_of, prediction_metrics
from crnn_hf.training.finetuning import check_layer_decay, continued, freeze, parts_in
from crnn_hf.training.mixing import Mixup
from crnn_hf.training.replay import REPLAYED, joined, refuse_taken_name, replay_of
from crnn_hf.training.resuming import checkpoint_to_resume, note_settings, settings_of, step_of, step_of_model
from crnn_hf.training.sampling import sampling_weights
from crnn_hf.training.stopping import EarlyStopping, leave_stopped, was_stopped
from crnn_hf.training.trainer import DetectorTrainer

Preset = TypeVar("Preset", CRNNConfig, CRNNFeatureExtractor)

# Of transformers' settings, those with whose other values there are no figures, or figures of the wrong clips.
REQUIRED = {
    "prediction_loss_only": False,
    "batch_eval_metrics": False,
    "eval_do_concat_batches": True,
    "dataloader_in_order": True,
}
# transformers' orders that training clips can be heard in; they are drawn by us.
STRATEGIES = ("random", "group_by_length")


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
    freeze(model, parts_in(model_arguments.freeze))
    check_layer_decay(model, model_arguments.layer_decay)
    check_settings(feature_extractor, data_arguments, training_arguments)
    check_model(model, data_arguments, training_arguments)
    corpora = evaluation_corpora(data_arguments)
    replay = replay_of(data_arguments)
    if replay is not None:
        refuse_taken_name(corpora)
        corpora[REPLAYED] = replay.corpus
    settings = settings_of(model_arguments, data_arguments, training_arguments)
    of_waveforms, of_spectrograms = augmentations(
        json.loads(data_arguments.augmentation), feature_extractor.sampling_rate
    )
    vocoding = vocoding_of(json.loads(data_arguments.vocoding))
    output = Path(training_arguments.output_dir)
    checkpoint = checkpoint_to_resume(output, settings)

    # What one process copies into the cache, the others find there.
    with training_arguments.main_process_first(desc="loading the corpus"):
        # They are the smaller ones: what is wrong with them is known before the training clips are copied.
        evaluation_sets = load_evaluation_sets(
            corpora,
            data_arguments.first_validation_clips,
            feature_extractor.sampling_rate,
        )
        check_metric(training_arguments.metric_for_best_model, evaluation_sets)
        source, columns = corpora[MAIN][:2]
        train_set = load_corpus(source, "train", first=data_arguments.first_train_clips, **columns)
        old_set = None if replay is None else load_corpus(replay.corpus.source, "train", **replay.corpus.columns)
    is_main = training_arguments.process_index == 0
    if is_main:
        if checkpoint is not None:
            print(f"Going on from {checkpoint}")
        print(overview(train_set, source, "train"))
        if replay is not None:
            print(f"{REPLAYED}, {overview(old_set, replay.corpus.source, 'train')}")
        for name, evaluation_set in evaluation_sets.items():
            prefix = "" if name == MAIN else f"{name}, "
            print(prefix + overview(evaluation_set, corpora[name].source, "validation"))
        note_settings(output, settings)
    weigh = partial(
        sampling_weights, balanced=data_arguments.sampling == "balanced", evenness=data_arguments.group_evenness
    )
    if replay is None:
        weights, heard = weigh(train_set), None
    else:
        train_set, weights, heard = joined(train_set, old_set, replay.share, weigh)
    if data_arguments.balance_classes:
        vocoded = 0.0 if vocoding is None else vocoding.probability
        model.config.class_weights = balanced_weights(labels_of(train_set), model.config.label2id, weights, vocoded)
    model.config.label_smoothing = training_arguments.label_smoothing_factor

    sampling_rate = feature_extractor.sampling_rate
    crop = data_arguments.crop_seconds
    trainer = DetectorTrainer(
        model=model,
        args=training_arguments,
        train_dataset=TrainingClips(train_set, sampling_rate, vocoding, of_waveforms),
        sampling_weights=weights,
        epoch_clips=heard,
        layer_decay=model_arguments.layer_decay,
        crop_seconds=None if crop is None else (crop[0], crop[-1]),
        batch_augmentations=[*of_spectrograms, *mixing(data_arguments, model)],
        average=moving_average(training_arguments, checkpoint),
        eval_dataset={
            name: evaluation_set.with_transform(ClipReader(sampling_rate))
            for name, evaluation_set in evaluation_sets.items()
        },
        data_collator=Collator(feature_extractor, model.config.label2id),
        compute_metrics=partial(prediction_metrics, label2id=model.config.label2id),
        processing_class=feature_extractor,
    )
    patience = training_arguments.early_stopping_patience
    if patience is not None:
        trainer.add_callback(EarlyStopping(patience))
    if checkpoint is not None and patience is not None and was_stopped(checkpoint, patience):
        leave_stopped(trainer, checkpoint)
    else:
        trainer.train(resume_from_checkpoint=checkpoint)
    if is_main and trainer.state.global_step == step_of(checkpoint):
        print("It was finished already: nothing was trained. For more, raise num_train_epochs.")
    metrics = trainer.evaluate()
    # They belong to this corpus, not to the model.
    model.config.class_weights = None
    model.config.label_smoothing = 0.0
    # A model that is there already may have been calibrated since.
    if step_of_model(output) != trainer.state.global_step:
        if training_arguments.calibrate:
            model.config.calibration = fitted_calibration(trainer, corpora, evaluation_sets)
        trainer.save_model()
    trainer.save_metrics("eval", metrics)
    # Says that the model is there to its end, so it comes last.
    trainer.save_state()
    return metrics


def check_settings(
    feature_extractor: SequenceFeatureExtractor,
    data_arguments: DataArguments,
    training_arguments: DetectorTrainingArguments,
) -> None:
    """Raise ValueError for settings that would fail later, or do nothing in silence."""
    shortest = feature_extractor.n_fft / feature_extractor.sampling_rate
    crop = data_arguments.crop_seconds
    if crop is not None and not (len(crop) in (1, 2) and shortest <= crop[0] <= crop[-1] < float("inf")):
        found = " ".join(map(str, crop))
        raise ValueError(
            f"crop_seconds must be at least {shortest}, the length of a frame, or two such numbers, the smaller one "
            f"first, or null; found {found}"
        )
    if (strategy := training_arguments.train_sampling_strategy) not in STRATEGIES:
        raise ValueError(f"train_sampling_strategy must be one of {', '.join(STRATEGIES)}; found {strategy}")
    if not 0 <= training_arguments.label_smoothing_factor < 1:
        found = training_arguments.label_smoothing_factor
        raise ValueError(f"label_smoothing_factor must be at least 0 and below 1; found {found}")
    if not 0 <= data_arguments.mixup < float("inf"):
        raise ValueError(f"mixup must be a number of at least 0; found {data_arguments.mixup}")
    decay = training_arguments.ema_decay
    if decay is not None and not 0 < decay < 1:
        raise ValueError(f"ema_decay must be above 0 and below 1, or null; found {decay}")
    check_stopping(training_arguments)
    for name, wanted in REQUIRED.items():
        if (found := getattr(training_arguments, name, wanted)) != wanted:
            raise ValueError(f"{name} must stay {wanted}, or there are no figures of the right clips; found {found}")


def check_model(
    model: PreTrainedModel, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> None:
    """Raise ValueError for settings that no other model than this package's takes heed of."""
    ours = {
        "mixup": data_arguments.mixup,
        "label_smoothing_factor": training_arguments.label_smoothing_factor,
        "calibrate": training_arguments.calibrate,
    }
    for name, value in ours.items():
        if value and not isinstance(model.config, CRNNConfig):
            raise ValueError(f"{name} is for models of type {CRNNConfig.model_type}; found {model.config.model_type}")


def check_stopping(arguments: DetectorTrainingArguments) -> None:
    """Raise ValueError for early stopping that cannot be."""
    patience = arguments.early_stopping_patience
    if patience is None:
        return
    if patience < 1:
        raise ValueError(f"early_stopping_patience must be at least 1, or null; found {patience}")
    if arguments.metric_for_best_model is None or arguments.eval_strategy == "no":
        raise ValueError("early_stopping_patience needs a metric_for_best_model, and an eval_strategy other than no")


def mixing(data_arguments: DataArguments, model: PreTrainedModel) -> list[Mixup]:
    """What mixes the clips of a batch, if anything is to."""
    return [Mixup(data_arguments.mixup, model.config.num_labels)] if data_arguments.mixup else []


def moving_average(arguments: DetectorTrainingArguments, checkpoint: str | None) -> MovingAverage | None:
    """What averages the weights, if anything is to, from where the checkpoint left off."""
    return None if arguments.ema_decay is None else MovingAverage(arguments.ema_decay, checkpoint)


def build_model(arguments: ModelArguments) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model to train and its feature extractor: a trained one, or a preset with changes.

    Raises:
        ValueError: a field that does not exist, or with a value that it cannot have; or changes that a
            trained model cannot have.
        OSError: the backbone's transformer is neither a folder nor on the Hub, or the Hub cannot be reached.
    """
    architecture, features = json.loads(arguments.architecture), json.loads(arguments.features)
    if arguments.model is not None:
        if features:
            raise ValueError("features are those of the model to go on from; they cannot be changed")
        return continued(arguments.model, architecture, arguments.new_head)
    if arguments.new_head:
        raise ValueError("new_head is for a model to go on from; found no model")
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
    return _new_model(config, feature_extractor), feature_extractor


def _new_model(config: CRNNConfig, feature_extractor: CRNNFeatureExtractor) -> CRNNForAudioClassification:
    """A model with random weights, but for its backbone, whose waveforms the extractor then returns too."""
    if config.backbone is None:
        return CRNNForAudioClassification(config)
    if feature_extractor.sampling_rate != SAMPLING_RATE:
        raise ValueError(
            f"a backbone hears {SAMPLING_RATE} Hz; found a sampling_rate of {feature_extractor.sampling_rate} Hz in "
            "the features"
        )
    # As the number of bands, where frames lie in time stands in the features.
    config.backbone |= {"frame_length": feature_extractor.n_fft, "hop_length": feature_extractor.hop_length}
    feature_extractor.return_waveform = True
    if config.backbone["name"] is None:
        return CRNNForAudioClassification(config)
    return CRNNForAudioClassification.with_pretrained_backbone(config)


def _with_changes(preset: Preset, changes: dict[str, Any]) -> Preset:
    """A preset with other values for some of its fields."""
    fields = preset.to_dict()
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        raise ValueError(f"{type(preset).__name__} has no field {', '.join(unknown)}")
    if "num_mel_bins" in changes:
        fields.pop("feature_size", None)
    return type(preset)(**{**fields, **changes})


def balanced_weights(
    labels: Sequence[int],
    label2id: Mapping[str, int],
    shares: NDArray[np.float64] | None = None,
    vocoded: float = 0.0,
) -> list[float]:
    """A weight for each of the model's labels with which real and fake count the same in a loss.

    Args:
        labels: the corpus's, 0 for real and 1 for fake.
        label2id: the model's labels; others than real and fake weigh nothing.
        shares: (clips,), how often each clip is heard, as `sampling_weights` gives it.
        vocoded: share of the real clips that become fakes.

    Returns:
        As many weights as the model has labels; a clip weighs 1 on average.

    Raises:
        ValueError: a class has no clip, or all real clips become fakes.
    """
    if vocoded == 1:
        raise ValueError("vocoding makes fakes of all real clips; its probability must be below 1")
    counts = np.bincount(labels, weights=shares, minlength=len(LABELS))
    if not counts.all():
        raise ValueError(f"no clip is {LABELS[int(counts.argmin())]}, all {len(labels)} are not; cannot balance them")
    real, fake = counts
    counts = real * (1 - vocoded), fake + real * vocoded
    weights = [0.0] * len(label2id)
    for label, count in zip(LABELS, counts, strict=True):
        weights[label2id[label]] = float(sum(counts) / (len(LABELS) * count))
    return weights
