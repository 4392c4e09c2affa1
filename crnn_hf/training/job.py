"""The training job: a recipe in, a folder with a model out."""

import copy
import json
from functools import partial
from pathlib import Path

from transformers import PreTrainedModel, set_seed

from crnn_hf.augmentation import augmentations
from crnn_hf.data import ClipReader, Collator, load_corpus, overview
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments
from crnn_hf.training.averaging import MovingAverage
from crnn_hf.training.calibrating import fitted_calibration, weigh_opinion
from crnn_hf.training.checks import check_architecture, check_model, check_settings
from crnn_hf.training.clips import TrainingClips, vocoding_of
from crnn_hf.training.contrast import fit_contrast
from crnn_hf.training.evaluation_sets import check_metric, evaluation_corpora, load_evaluation_sets
from crnn_hf.training.figures import MAIN, labels_of, prediction_metrics
from crnn_hf.training.finetuning import check_layer_decay, freeze, parts_in
from crnn_hf.training.mixing import Mixup
from crnn_hf.training.models import build_model
from crnn_hf.training.record import note_run
from crnn_hf.training.replay import REPLAYED, joined, refuse_taken_name, replay_of
from crnn_hf.training.resuming import checkpoint_to_resume, note_settings, settings_of, step_of, step_of_model
from crnn_hf.training.sampling import balanced_weights, sampling_weights
from crnn_hf.training.stopping import EarlyStopping, leave_stopped, was_stopped
from crnn_hf.training.trainer import DetectorTrainer
from crnn_hf.training.vocoder import learn_vocoder

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
    check_architecture(model_arguments, data_arguments)
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
        heard_sets = [overview(train_set, source, "train")]
        if replay is not None:
            heard_sets.append(f"{REPLAYED}, {overview(old_set, replay.corpus.source, 'train')}")
        for name, evaluation_set in evaluation_sets.items():
            prefix = "" if name == MAIN else f"{name}, "
            heard_sets.append(prefix + overview(evaluation_set, corpora[name].source, "validation"))
        print(*heard_sets, sep="\n")
        note_settings(output, settings)
        note_run(output, source, heard_sets)
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

    if vocoding is not None and vocoding.learned_steps:
        folder = output / VOCODER_FOLDER
        with training_arguments.main_process_first(desc="teaching a vocoder to speak"):
            if is_main and (checkpoint is None or not folder.is_dir()):
                learn_vocoder(
                    train_set,
                    folder,
                    vocoding.learned_steps,
                    seed=training_arguments.seed,
                    device=training_arguments.device,
                    quiet=training_arguments.disable_tqdm,
                )
        vocoding = vocoding.with_learned(folder)

    sampling_rate = feature_extractor.sampling_rate
    crop = data_arguments.crop_seconds
    clips = TrainingClips(train_set, sampling_rate, vocoding, of_waveforms)
    seconds = None if crop is None else (crop[0], crop[-1])
    collate = Collator(feature_extractor, model.config.label2id)
    train_collate = collate
    has_opinion = getattr(model, "contrast", None) is not None
    if has_opinion:
        # The rest is trained without the second opinion, so what that hears is not measured there.
        heard_by_network = copy.copy(feature_extractor)
        heard_by_network.return_contrast = False
        train_collate = Collator(heard_by_network, model.config.label2id)
    # Every process fits the same.
    if checkpoint is None and has_opinion:
        fit_contrast(
            model.contrast,
            clips,
            collate,
            seed=training_arguments.seed,
            weights=weights,
            epoch_clips=heard,
            seconds=seconds,
            # While they work, this process has nothing to do.
            workers=training_arguments.dataloader_num_workers + (training_arguments.dataloader_num_workers > 0),
            quiet=training_arguments.disable_tqdm or not is_main,
        )
    trainer = DetectorTrainer(
        model=model,
        args=training_arguments,
        train_dataset=clips,
        sampling_weights=weights,
        epoch_clips=heard,
        layer_decay=model_arguments.layer_decay,
        crop_seconds=seconds,
        batch_augmentations=[*of_spectrograms, *mixing(data_arguments, model)],
        average=moving_average(training_arguments, checkpoint),
        eval_dataset={
            name: evaluation_set.with_transform(ClipReader(sampling_rate))
            for name, evaluation_set in evaluation_sets.items()
        },
        data_collator=collate,
        train_collator=train_collate,
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
    known = weigh_opinion(trainer, corpora) if training_arguments.calibrate and has_opinion else None
    metrics = trainer.evaluate()
    # They belong to this corpus, not to the model.
    model.config.class_weights = None
    model.config.label_smoothing = 0.0
    # A model that is there already may have been calibrated since.
    if step_of_model(output) != trainer.state.global_step:
        if training_arguments.calibrate:
            model.config.calibration = fitted_calibration(trainer, corpora, evaluation_sets, known)
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
