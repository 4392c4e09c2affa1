"""A run ends early when what the best checkpoint is best in no longer improves."""

import json
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, Trainer, TrainerState
from transformers.trainer import TRAINER_STATE_NAME


class EarlyStopping(EarlyStoppingCallback):
    """transformers' callback, for runs with several evaluation sets, and for runs that are resumed.

    Each set is evaluated on its own, and theirs would want the figure from each. Every figure is logged once an
    evaluation, whichever set it is of, or the mean over all.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        super().on_train_begin(args, state, control, **kwargs)
        self.early_stopping_patience_counter = _evaluations_in_vain(state.stateful_callbacks)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any, **kwargs: Any) -> None:
        pass

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        name = f"eval_{args.metric_for_best_model.removeprefix('eval_')}"
        # The best model is evaluated once more after training.
        if name in logs and not control.should_training_stop:
            super().on_evaluate(args, state, control, logs, **kwargs)


def was_stopped(checkpoint: str, patience: int) -> bool:
    """Whether a run with this patience would have ended early at the checkpoint."""
    state = json.loads((Path(checkpoint) / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    return _evaluations_in_vain(state["stateful_callbacks"]) >= patience


def leave_stopped(trainer: Trainer, checkpoint: str) -> None:
    """Make a Trainer what it was when it stopped early after a checkpoint; to train would be to go on by a step."""
    trainer.state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    best = trainer.state.best_model_checkpoint if trainer.args.load_best_model_at_end else None
    trainer._load_from_checkpoint(checkpoint if best is None else best)


def _evaluations_in_vain(callbacks: dict[str, Any]) -> int:
    """How many evaluations without improvement a Trainer's state notes, since the last one with."""
    noted = callbacks.get(EarlyStopping.__name__, {})
    return noted.get("attributes", {}).get("early_stopping_patience_counter", 0)
