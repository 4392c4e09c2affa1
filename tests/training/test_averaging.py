"""The moving average: what it averages, when the model holds it, and that a run that goes on does so exactly."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import TrainerCallback

from crnn_hf.training import job
from crnn_hf.training.averaging import WEIGHTS_FILE, MovingAverage

PARTS = ("model.safetensors", WEIGHTS_FILE)
DUE = SimpleNamespace(should_evaluate=True, should_save=False)
NOT_DUE = SimpleNamespace(should_evaluate=False, should_save=False)


class Run:
    """A model whose weight is the step that it was trained for, and what a Trainer tells its callbacks meanwhile."""

    def __init__(self, average: MovingAverage) -> None:
        self.average = average
        self.model = nn.BatchNorm1d(1)
        self.state = SimpleNamespace(global_step=0, best_model_checkpoint=None)
        self.args = SimpleNamespace(load_best_model_at_end=False)

    def tell(self, event: str, control: Any = NOT_DUE) -> None:
        getattr(self.average, f"on_{event}")(self.args, self.state, control, model=self.model)

    def step(self, control: Any = NOT_DUE) -> None:
        self.tell("step_begin")
        self.state.global_step += 1
        with torch.no_grad():
            self.model.weight.fill_(self.state.global_step)
            self.model.running_mean.fill_(-self.state.global_step)
            self.model.num_batches_tracked.fill_(self.state.global_step)
        self.tell("step_end", control)

    @property
    def weight(self) -> float:
        return self.model.weight.item()


def expected(steps: int, decay: float, start: float = 1.0) -> float:
    average = start
    for step in range(1, steps + 1):
        share = min(decay, (1 + step) / (10 + step))
        average = share * average + (1 - share) * step
    return average


@pytest.mark.parametrize("decay", [0.1, 0.9])
def test_it_averages_weights_and_running_statistics(decay: float) -> None:
    run = Run(MovingAverage(decay))
    run.tell("train_begin")
    for _ in range(9):
        run.step()
    assert run.weight == 9
    run.step(DUE)
    assert run.weight == pytest.approx(expected(10, decay))
    assert float(run.model.running_mean) == pytest.approx(-expected(10, decay, start=0.0))
    assert int(run.model.num_batches_tracked) == 10


def test_it_leaves_when_training_goes_on_and_stays_at_the_end() -> None:
    run = Run(MovingAverage(0.5))
    run.tell("train_begin")
    run.step(DUE)
    run.tell("epoch_end", DUE)
    average = run.weight
    assert average == pytest.approx(expected(1, 0.5))
    run.tell("step_begin")
    assert run.weight == 1
    run.step()
    run.tell("epoch_end")
    assert run.weight == 2
    run.tell("train_end")
    assert run.weight == pytest.approx(expected(2, 0.5))


def test_the_best_model_that_was_loaded_stays() -> None:
    run = Run(MovingAverage(0.5))
    run.tell("train_begin")
    run.step()
    run.args.load_best_model_at_end, run.state.best_model_checkpoint = True, "checkpoint-1"
    with torch.no_grad():
        run.model.weight.fill_(7)
    run.tell("train_end")
    assert run.weight == 7


def test_a_run_that_goes_on_is_the_unbroken_one(tmp_path: Path) -> None:
    unbroken = Run(MovingAverage(0.5))
    unbroken.tell("train_begin")
    for _ in range(3):
        unbroken.step()
    unbroken.step(DUE)
    unbroken.average.save(tmp_path)
    assert float(load_file(tmp_path / WEIGHTS_FILE)["weight"]) == 4

    resumed = Run(MovingAverage(0.5, str(tmp_path)))
    resumed.state.global_step = 4
    resumed.model.load_state_dict(unbroken.model.state_dict())  # the Trainer loads the checkpoint's model
    resumed.tell("train_begin")
    resumed.tell("step_begin")
    assert resumed.weight == 4
    for run in (unbroken, resumed):
        run.step()
        run.step(DUE)
    torch.testing.assert_close(resumed.model.state_dict(), unbroken.model.state_dict(), atol=0, rtol=0)


class PulledPlug(TrainerCallback):
    """Ends the process, as far as a test can, in the middle of the second epoch."""

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 6:
            raise KeyboardInterrupt


def test_a_real_run_keeps_the_average_and_goes_on_exactly(
    run_training: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"ema_decay": "0.9", "mixup": "0.3", "augmentation__freq_mixstyle": "null", "learning_rate": "0.01"}
    figures = run_training(tmp_path / "unbroken", **settings)
    with monkeypatch.context() as patch:
        trainer = job.DetectorTrainer
        patch.setattr(job, "DetectorTrainer", lambda **options: trainer(**options, callbacks=[PulledPlug()]))
        with pytest.raises(KeyboardInterrupt):
            run_training(tmp_path / "broken", **settings)
    assert run_training(tmp_path / "broken", **settings)["eval_loss"] == figures["eval_loss"]
    for part in ("model.safetensors", "checkpoint-8/model.safetensors", f"checkpoint-8/{WEIGHTS_FILE}"):
        unbroken, broken = (load_file(tmp_path / name / part) for name in ("unbroken", "broken"))
        torch.testing.assert_close(broken, unbroken, atol=0, rtol=0)
    # What is kept is the average, not the weights that were trained.
    average, weights = (load_file(tmp_path / "unbroken" / "checkpoint-8" / name) for name in PARTS)
    assert not torch.equal(average["classifier.weight"], weights["classifier.weight"])


def test_a_run_without_evaluation_ends_with_the_average(run_training: Callable, tmp_path: Path) -> None:
    settings = {"eval_strategy": "no", "load_best_model_at_end": "false", "save_strategy": "no"}
    for name, decay in (("weights", "null"), ("average", "0.9")):
        run_training(tmp_path / name, **settings, **({} if decay == "null" else {"ema_decay": decay}))
    average, weights = (load_file(tmp_path / name / PARTS[0]) for name in ("average", "weights"))
    assert not torch.equal(average["classifier.weight"], weights["classifier.weight"])
