"""Settings that would fail later, or do nothing in silence, are refused before anything is trained."""

import json

from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf import CRNNConfig
from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

# Of transformers' settings, those with whose other values there are no figures, or figures of the wrong clips.
REQUIRED = {
    "prediction_loss_only": False,
    "batch_eval_metrics": False,
    "eval_do_concat_batches": True,
    "dataloader_in_order": True,
}
# transformers' orders that training clips can be heard in; they are drawn by us.
STRATEGIES = ("random", "group_by_length")
# Of a model's config, what belongs to a run, and the setting that decides it.
OF_THE_RUN = {
    "class_weights": "balance_classes",
    "label_smoothing": "label_smoothing_factor",
    "calibration": "calibrate",
}


def check_architecture(model_arguments: ModelArguments, data_arguments: DataArguments) -> None:
    """Raise ValueError for fields of the config that other settings decide, whatever they were."""
    for name in json.loads(model_arguments.architecture):
        is_free = name == "class_weights" and not data_arguments.balance_classes
        if name in OF_THE_RUN and not is_free:
            raise ValueError(
                f"architecture.{name} is what the setting {OF_THE_RUN[name]} decides; expected no {name} in the "
                "architecture"
            )


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
