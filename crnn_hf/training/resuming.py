"""A run goes on where it stopped, and only as the run that it was."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from crnn_hf.training.arguments import DataArguments, DetectorTrainingArguments, ModelArguments

SETTINGS_FILE = "settings.json"
# Of transformers' settings, those that would make a run that goes on another one.
DECISIVE = (
    "seed",
    "learning_rate",
    "weight_decay",
    "lr_scheduler_type",
    "warmup_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "label_smoothing_factor",
    "optim",
    # The best checkpoint so far is noted with its figure.
    "metric_for_best_model",
)
DEFAULTS = {field.name: field.default for arguments in (ModelArguments, DataArguments) for field in fields(arguments)}


def settings_of(
    model_arguments: ModelArguments, data_arguments: DataArguments, training_arguments: DetectorTrainingArguments
) -> dict[str, Any]:
    """What makes a run this one: all settings but those that only say how far it goes, where to and how it is told."""
    return {
        **asdict(model_arguments),
        **asdict(data_arguments),
        **{name: getattr(training_arguments, name) for name in DECISIVE},
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
    there = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
    # A run of an earlier version lacks settings that came later; it was as their defaults are.
    was = {name: there.get(name, DEFAULTS.get(name)) for name in settings}
    differing = [name for name, value in settings.items() if was[name] != value]
    if differing:
        changes = ", ".join(f"{name} was {was[name]!r} and is now {settings[name]!r}" for name in differing)
        raise ValueError(f"{output} holds another run: {changes}. Choose another output_dir, or delete it")
    print(f"Going on from {checkpoint}")
    return checkpoint


def last_checkpoint(output: Path) -> str | None:
    """The newest checkpoint that was written to its end, of which the Trainer's state is the last part."""
    whole = [str(path.parent) for path in output.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: str | None) -> int:
    """The step that a checkpoint was written after; -1 where there is none."""
    return -1 if checkpoint is None else int(checkpoint.rpartition("-")[2])
