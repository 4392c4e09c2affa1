"""A moving average of the weights, which is what is evaluated and kept."""

from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers import TrainerCallback

WEIGHTS_FILE = "training_weights.safetensors"


class MovingAverage(TrainerCallback):
    """Keeps an exponential moving average of the weights, and shows it wherever the model is evaluated or saved.

    After each step of the optimizer, `average = d * average + (1 - d) * weights`, with d = `decay`, or
    `(1 + step) / (10 + step)` where that is less, so that the random weights at the start are soon forgotten (as
    TensorFlow's `ExponentialMovingAverage` does). The running statistics of batch norm are averaged too, for they
    belong to the weights; counters are copied.

    The average takes the model's place when an evaluation or a checkpoint is due, and leaves it when training goes
    on. A checkpoint's model is therefore the average, which can be used as it is; the weights that training goes on
    from lie beside it, in `WEIGHTS_FILE`, where `save` writes them.

    Args:
        decay: above 0 and below 1. It averages over about the last 1 / (1 - decay) steps.
        checkpoint: folder of the checkpoint that training goes on from, if any.
    """

    def __init__(self, decay: float, checkpoint: str | None = None) -> None:
        self.decay = decay
        self.checkpoint = checkpoint
        # By name; of the two, the one that the model does not hold.
        self._average: dict[str, Tensor] = {}
        self._weights: dict[str, Tensor] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: nn.Module, **kwargs: Any) -> None:
        """The model holds the average already: that of the checkpoint, or what it begins with."""
        self._average = _copied(model)
        self._weights = _copied(model)
        if self.checkpoint is not None:
            _fill(self._weights, load_file(Path(self.checkpoint) / WEIGHTS_FILE))

    def on_step_begin(self, args: Any, state: Any, control: Any, model: nn.Module, **kwargs: Any) -> None:
        if self._weights is not None:
            _fill(model.state_dict(), self._weights)
            self._weights = None

    def on_step_end(self, args: Any, state: Any, control: Any, model: nn.Module, **kwargs: Any) -> None:
        self._update(model.state_dict(), state.global_step)
        self._show_if_due(control, model)

    def on_epoch_end(self, args: Any, state: Any, control: Any, model: nn.Module, **kwargs: Any) -> None:
        self._show_if_due(control, model)

    def on_train_end(self, args: Any, state: Any, control: Any, model: nn.Module, **kwargs: Any) -> None:
        has_best = args.load_best_model_at_end and state.best_model_checkpoint is not None
        if not has_best:  # which is an average, and has been loaded
            self._show(model)

    def save(self, folder: str | Path) -> None:
        """Write the weights that training goes on from to a checkpoint's folder; the model must hold the average."""
        if self._weights is not None:
            save_file(self._weights, Path(folder) / WEIGHTS_FILE)

    @torch.no_grad()
    def _update(self, current: dict[str, Tensor], step: int) -> None:
        average = get_ema_multi_avg_fn(min(self.decay, (1 + step) / (10 + step)))
        floating = [name for name, tensor in current.items() if tensor.is_floating_point()]
        average([self._average[name] for name in floating], [current[name] for name in floating], step)
        _fill(self._average, {name: tensor for name, tensor in current.items() if name not in floating})

    def _show_if_due(self, control: Any, model: nn.Module) -> None:
        if control.should_evaluate or control.should_save:
            self._show(model)

    def _show(self, model: nn.Module) -> None:
        if self._weights is None:
            self._weights = _copied(model)
            # Each process has counted the batch norm of its own clips since the last step.
            broadcast(self._average)
            _fill(model.state_dict(), self._average)


def _copied(model: nn.Module) -> dict[str, Tensor]:
    tensors = model.state_dict().items()
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors}


@torch.no_grad()
def _fill(target: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    """Overwrite tensors in place, so that whatever shares them, such as the optimizer or a compiled model, sees it."""
    for name, value in values.items():
        target[name].copy_(value)
