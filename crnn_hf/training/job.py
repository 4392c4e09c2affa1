"""The training job: a recipe in, a folder with a model out."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from datasets import Dataset
from transformers import PreTrainedModel, SequenceFeatureExtractor, set_seed

from crnn_hf.augmentation import augmentations
from crnn_hf.data import ClipReader, Collator
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments
from crnn_hf.training.averaging import MovingAverage
from crnn_hf.training.calibrating import fitted_calibration, weigh_opinion
from crnn_hf.training.checks import check_architecture, check_model, check_settings
from crnn_hf.training.clips import TrainingClips, vocoding_of
from crnn_hf.training.contrast import fit_contrast
from crnn_hf.training.figures import MAIN, labels_of, prediction_metrics
from crnn_hf.training.finetuning import check_layer_decay, freeze, parts_in
from crnn_hf.training.mixing import Mixup
from crnn_hf.training.models import build_model
from crnn_hf.training.processes import cores_left_to
from crnn_hf.training.record import note_run
from crnn_hf.training.resuming import checkpoint_to_resume, note_settings, settings_of, step_of, step_of_model
from crnn_hf.training.sampling import balanced_weights
from crnn_hf.training.sets import Corpora, Sets, corpora_of, course_of, load_sets, overviews
from crnn_hf.training.stopping import EarlyStopping, leave_stopped, was_stopped
from crnn_hf.training.trainer import DetectorTrainer
from crnn_hf.training.vocoder import learn_vocoder
from crnn_hf.vocoding import Vocoding

VOCODER_FOLDER = "vocoder"


def train(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> dict[str, float]:
    """Train a detector, and save the best one with its feature extractor to `training_arguments.output_dir`.

    A run that was interrupted goes on from its last checkpoint when it is started again.

    Returns:
        The best model's figures on the validation split: `eval_eer`, `eval_min_dcf` and so on; then those on the other
        evaluation sets, such as `eval_codec_eer` on one named codec.

    Raises:
        ValueError: a number that no model can have, or a field of its config that another setting decides; an
            evaluation set of one class alone, or without a name that can be used; a metric to choose the best model by
            that there is not; or the output directory holds a run of another model.
        FileNotFoundError, AudioReadError, ProtocolError: the corpus is not there, or a part of it is damaged.
    """
    set_seed(training_arguments.seed)
    model, feature_extractor = _checked_model(model_arguments, data_arguments, training_arguments)
    corpora = corpora_of(data_arguments)
    settings = settings_of(model_arguments, data_arguments, training_arguments)
    sampling_rate = feature_extractor.sampling_rate
    of_waveforms, of_spectrograms = augmentations(json.loads(data_arguments.augmentation), sampling_rate)
    vocoding = vocoding_of(json.loads(data_arguments.vocoding))
    output = Path(training_arguments.output_dir)
    checkpoint = checkpoint_to_resume(output, settings)

    # What one process copies into the cache, the others find there.
    with training_arguments.main_process_first(desc="loading the corpus"):
        sets = load_sets(corpora, data_arguments, sampling_rate, training_arguments.metric_for_best_model)
    is_main = training_arguments.process_index == 0
    if is_main:
        if checkpoint is not None:
            print(f"Going on from {checkpoint}")
        lines = overviews(sets, corpora)
        print(*lines, sep="\n")
        note_settings(output, settings)
        note_run(output, corpora.evaluation[MAIN].source, lines)
    course = course_of(sets, corpora, data_arguments)
    if data_arguments.balance_classes:
        vocoded = 0.0 if vocoding is None else vocoding.probability
        labels = labels_of(course.rows)
        model.config.class_weights = balanced_weights(labels, model.config.label2id, course.weights, vocoded)
    model.config.label_smoothing = training_arguments.label_smoothing_factor

    if vocoding is not None and vocoding.learned_steps:
        vocoding = _taught(vocoding, course.rows, training_arguments, is_new=checkpoint is None)
    clips = TrainingClips(course.rows, sampling_rate, vocoding, of_waveforms)
    crop = data_arguments.crop_seconds
    seconds = None if crop is None else (crop[0], crop[-1])
    collate = Collator(feature_extractor, model.config.label2id)
    if checkpoint is None and getattr(model, "contrast", None) is not None:
        # Every process fits the same. While the workers work, it has nothing to do.
        workers = training_arguments.dataloader_num_workers
        # Of groups drawn evenly it would hear fewer clips, and learn less.
        each_alike = course_of(sets, corpora, replace(data_arguments, group_evenness=0.0))
        fit_contrast(
            model.contrast,
            clips,
            collate,
            seed=training_arguments.seed,
            weights=each_alike.weights,
            epoch_clips=course.epoch_clips,
            seconds=seconds,
            workers=workers + (workers > 0),
            quiet=training_arguments.disable_tqdm or not is_main,
        )
    trainer = DetectorTrainer(
        model=model,
        args=training_arguments,
        train_dataset=clips,
        sampling_weights=course.weights,
        epoch_clips=course.epoch_clips,
        layer_decay=model_arguments.layer_decay,
        crop_seconds=seconds,
        batch_augmentations=[*of_spectrograms, *mixing(data_arguments, model)],
        average=moving_average(training_arguments, checkpoint),
        eval_dataset={name: rows.with_transform(ClipReader(sampling_rate)) for name, rows in sets.evaluation.items()},
        data_collator=collate,
        compute_metrics=partial(prediction_metrics, label2id=model.config.label2id),
        processing_class=feature_extractor,
    )
    patience = training_arguments.early_stopping_patience
    if patience is not None:
        trainer.add_callback(EarlyStopping(patience))
    with cores_left_to(training_arguments.dataloader_num_workers):
        if checkpoint is not None and patience is not None and was_stopped(checkpoint, patience):
            leave_stopped(trainer, checkpoint)
        else:
            trainer.train(resume_from_checkpoint=checkpoint)
        if is_main and trainer.state.global_step == step_of(checkpoint):
            print("It was finished already: nothing was trained. For more, raise num_train_epochs.")
        return _measured_and_saved(trainer, corpora, sets)


def _checked_model(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model to train and its feature extractor, once it is known that they fit the other settings."""
    check_architecture(model_arguments, data_arguments)
    model, feature_extractor = build_model(model_arguments)
    freeze(model, parts_in(model_arguments.freeze))
    check_layer_decay(model, model_arguments.layer_decay)
    check_settings(feature_extractor, data_arguments, training_arguments)
    check_model(model, data_arguments, training_arguments)
    return model, feature_extractor


def _taught(vocoding: Vocoding, rows: Dataset, arguments: DetectorTrainingArguments, *, is_new: bool) -> Vocoding:
    """Vocoding with a vocoder that has learned from the real clips among the rows; one that goes on has it already."""
    folder = Path(arguments.output_dir) / VOCODER_FOLDER
    with arguments.main_process_first(desc="teaching a vocoder to speak"):
        if arguments.process_index == 0 and (is_new or not folder.is_dir()):
            learn_vocoder(
                rows,
                folder,
                vocoding.learned_steps,
                seed=arguments.seed,
                device=arguments.device,
                quiet=arguments.disable_tqdm,
            )
    return vocoding.with_learned(folder)


def _measured_and_saved(trainer: DetectorTrainer, corpora: Corpora, sets: Sets) -> dict[str, float]:
    """Measure and calibrate what was trained, and save it; the figures."""
    model, arguments, output = trainer.model, trainer.args, Path(trainer.args.output_dir)
    has_opinion = getattr(model, "contrast", None) is not None
    known = weigh_opinion(trainer, corpora.evaluation) if arguments.calibrate and has_opinion else None
    metrics = trainer.evaluate()
    # They belong to this corpus, not to the model.
    model.config.class_weights = None
    model.config.label_smoothing = 0.0
    # A model that is there already may have been calibrated since.
    if step_of_model(output) != trainer.state.global_step:
        if arguments.calibrate:
            model.config.calibration = fitted_calibration(trainer, corpora.evaluation, sets.evaluation, known)
        trainer.save_model()
    trainer.save_metrics("eval", metrics)
    # Says that the model is there to its end, so it comes last.
    trainer.save_state()
    return metrics


def mixing(data_arguments: DataArguments, model: PreTrainedModel) -> list[Mixup]:
    """What mixes the clips of a batch, if anything is to."""
    return [Mixup(data_arguments.mixup, model.config.num_labels)] if data_arguments.mixup else []


def moving_average(arguments: DetectorTrainingArguments, checkpoint: str | None) -> MovingAverage | None:
    """What averages the weights, if anything is to, from where the checkpoint left off."""
    return None if arguments.ema_decay is None else MovingAverage(arguments.ema_decay, checkpoint)
