"""A run goes on where it stopped, and only as the run that it was."""

import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from transformers.trainer import TRAINER_STATE_NAME

from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

SETTINGS_FILE = "settings.json"
# Of transformers' settings, those that would make a run that goes on another one.
DECISIVE = (
    "seed",
    "data_seed",
    "train_sampling_strategy",
    "dataloader_drop_last",
    "learning_rate",
    "weight_decay",
    "lr_scheduler_type",
    "warmup_steps",
    "gradient_accumulation_steps",
    "label_smoothing_factor",
    "ema_decay",
    "optim",
    # The best checkpoint so far is noted with its figure.
    "metric_for_best_model",
)
CLIPS = "clips_per_batch"  # of all processes together, however many they are
DEFAULTS = {
    field.name: field.default_factory() if field.default is MISSING else field.default
    for arguments in (ModelArguments, DataArguments, DetectorTrainingArguments)
    for field in fields(arguments)
    if field.default is not MISSING or field.default_factory is not MISSING
}


def settings_of(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> dict[str, Any]:
    """What makes a run this one: all settings but those that only say how far it goes, where to and how it is told."""
    return {
        **asdict(model_arguments),
        **asdict(data_arguments),
        **{name: getattr(training_arguments, name) for name in DECISIVE},
        CLIPS: training_arguments.train_batch_size * training_arguments.world_size,
    }


def note_settings(output: Path, settings: dict[str, Any]) -> None:
    """Write a run's settings to its folder, which is made."""
    output.mkdir(parents=True, exist_ok=True)
    (output / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def checkpoint_to_resume(output: Path, settings: dict[str, Any]) -> str | None:
    """The last whole checkpoint of the same run in its folder, interrupted or finished; None where there is none.

    Raises:
        ValueError: the folder holds checkpoints of another run.
    """
    checkpoint = last_checkpoint(output)
    if checkpoint is None:
        return None
    noted = output / SETTINGS_FILE
    there = _as_now(json.loads(noted.read_text(encoding="utf-8"))) if noted.is_file() else {}
    was = {name: there.get(name, DEFAULTS.get(name)) for name in settings}
    differing = [name for name, value in settings.items() if was[name] != value]
    if differing:
        changes = ", ".join(f"{name} was {was[name]!r} and is now {settings[name]!r}" for name in differing)
        raise ValueError(f"{output} holds another run: {changes}. Choose another output_dir, or delete it")
    return checkpoint


def _as_now(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that an earlier version noted, as this one would: what came later was as its default is."""
    settings = dict(settings)
    if isinstance(crop := settings.get("crop_seconds"), float):
        settings["crop_seconds"] = [crop]
    if "per_device_train_batch_size" in settings:
        settings[CLIPS] = settings["per_device_train_batch_size"]
    return settings


def last_checkpoint(output: Path) -> str | None:
    """The newest checkpoint that was written to its end, of which the Trainer's state is the last part."""
    whole = [str(path.parent) for path in output.glob(f"checkpoint-*/{TRAINER_STATE_NAME}") if _state(path)]
    return max(whole, key=step_of, default=None)


def step_of_model(output: Path) -> int:
    """The step after which the model in a run's folder was saved, to its end; -1 where none was."""
    return _state(output / TRAINER_STATE_NAME).get("global_step", -1)


def _state(path: Path) -> dict[str, Any]:
    """A Trainer's state; empty where it is not there, or was not written to its end."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def step_of(checkpoint: str | None) -> int:
    """The step that a checkpoint was written after; -1 where there is none."""
    return -1 if checkpoint is None else int(checkpoint.rpartition("-")[2])
