"""A run ends when nothing gets better, whichever set the figure is of, and says so when it is started again."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from crnn_hf.training.stopping import EarlyStopping, was_stopped


class Run:
    """What a Trainer tells its callbacks of evaluations, each of two sets and then of their mean."""

    def __init__(self, metric: str, patience: int) -> None:
        self.args = SimpleNamespace(
            metric_for_best_model=metric, greater_is_better=False, load_best_model_at_end=True, eval_strategy="epoch"
        )
        self.state = SimpleNamespace(best_metric=None, stateful_callbacks={})
        self.control = SimpleNamespace(should_training_stop=False)
        self.stopping = EarlyStopping(patience)
        self.stopping.on_train_begin(self.args, self.state, self.control)

    def evaluate(self, eer: float, coded_eer: float) -> None:
        parts = [{"eval_eer": eer}, {"eval_coded_eer": coded_eer}, {"eval_mean_eer": (eer + coded_eer) / 2}]
        for metrics in parts[:2]:
            self.stopping.on_log(self.args, self.state, self.control, logs=metrics)
            self.stopping.on_evaluate(self.args, self.state, self.control, metrics)
        self.stopping.on_log(self.args, self.state, self.control, logs=parts[2])
        figures = {name: value for part in parts for name, value in part.items()}
        value = figures[f"eval_{self.args.metric_for_best_model.removeprefix('eval_')}"]
        self.state.best_metric = value if self.state.best_metric is None else min(value, self.state.best_metric)


@pytest.mark.parametrize(
    ("metric", "evaluations"),
    [("eer", 3), ("coded_eer", 5), ("mean_eer", 4), ("eval_mean_eer", 4)],
)
def test_each_evaluation_counts_once(metric: str, evaluations: int) -> None:
    run = Run(metric, patience=2)
    told = 0
    for eer, coded_eer in [(0.1, 0.5), (0.2, 0.3), (0.3, 0.2), (0.3, 0.2), (0.3, 0.2), (0.3, 0.2)]:
        run.evaluate(eer, coded_eer)
        told += 1
        if run.control.should_training_stop:
            break
    assert told == evaluations


def test_a_checkpoint_remembers(tmp_path: Path) -> None:
    run = Run("eer", patience=3)
    for _ in range(3):
        run.evaluate(0.2, 0.2)
    state = {"stateful_callbacks": {"EarlyStopping": run.stopping.state()}}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    assert was_stopped(str(tmp_path), 2)
    assert not was_stopped(str(tmp_path), 3)

    resumed = Run("eer", patience=3)
    resumed.state.stateful_callbacks, resumed.state.best_metric = state["stateful_callbacks"], 0.2
    resumed.stopping.on_train_begin(resumed.args, resumed.state, resumed.control)
    resumed.evaluate(0.2, 0.2)
    assert resumed.control.should_training_stop


@pytest.mark.parametrize("every", [None, "3"])
def test_a_run_that_was_stopped_stays_so(
    run_training: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str], every: str | None
) -> None:
    # Nothing is learned, so that nothing gets better.
    settings = {"learning_rate": "0", "early_stopping_patience": "2", "num_train_epochs": "9"}
    sets = {"evaluation_sets__quiet__augmentation__gain": "null", "metric_for_best_model": "mean_eer"}
    if every is not None:  # within an epoch, which has four steps
        settings |= {"eval_strategy": "steps", "save_strategy": "steps", "eval_steps": every, "save_steps": every}
    steps = int(every or 4)
    metrics = run_training(tmp_path, **settings, **sets)
    state = json.loads((tmp_path / "trainer_state.json").read_text())
    assert (state["global_step"], state["best_global_step"]) == (3 * steps, steps)
    means = [line["eval_mean_eer"] for line in state["log_history"] if "eval_mean_eer" in line]
    assert means[0] == state["best_metric"] == (metrics["eval_eer"] + metrics["eval_quiet_eer"]) / 2

    capsys.readouterr()
    assert run_training(tmp_path, **settings, **sets)["epoch"] == metrics["epoch"]
    assert "It was finished already" in capsys.readouterr().out
    assert run_training(tmp_path, **{**settings, "early_stopping_patience": "3"}, **sets)["epoch"] == steps
