"""A run that was killed, at whatever step, ends as it would have unbroken: the same weights, figures and log."""

import json
import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback

from crnn_hf.training import job, read_recipe, train
from crnn_hf.training.resuming import last_checkpoint, step_of_model

# What a run may not repeat: how fast it was, and the summary of training, which is of the steps since it went on.
MEASURED = ("_runtime", "_per_second", "_time", "train_loss")
AUGMENTED = "{edge_silence: {probability: 1}, noise: {probability: 0.5}, gain: {}, spectrogram: {probability: 1}}"


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class KilledAtStep(TrainerCallback):
    """Ends the process as a machine that loses its power does."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            kill()


def run(corpus: Path, output: Path, *settings: str) -> None:
    """Three epochs of four steps, in a process of its own."""
    options = ["--data", str(corpus), "--output_dir", str(output), "--num_train_epochs", "3", "--crop_seconds", "0.5"]
    options += ["--per_device_train_batch_size", "4", "--disable_tqdm", "true", "--logging_steps", "4"]
    options += ["--architecture", "{conv_channels: [4, 8], hidden_size: 8, dropout: 0.3}"]
    train(*read_recipe("quickstart", [*options, "--augmentation", AUGMENTED, *settings]))


def in_a_process(work: Callable[..., None], *arguments: Any) -> int:
    """Run something in a process of its own; its exit status."""
    process = get_context("fork").Process(target=work, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def killed_run(step: int, *arguments: Any) -> None:
    trainer = job.DetectorTrainer
    job.DetectorTrainer = lambda **options: trainer(**options, callbacks=[KilledAtStep(step)])
    run(*arguments)


def run_killed_while_saving(step: int, *arguments: Any) -> None:
    class Killed(job.DetectorTrainer):
        def _save_rng_state(self, output_dir: str) -> None:
            super()._save_rng_state(output_dir)
            if self.state.global_step == step:
                kill()

    job.DetectorTrainer = Killed
    run(*arguments)


def repeated(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if not name.endswith(MEASURED)}


def assert_same_run(one: Path, other: Path) -> None:
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    results = [json.loads((output / "eval_results.json").read_text()) for output in (one, other)]
    assert repeated(results[0]) == repeated(results[1])
    states = [json.loads((output / "trainer_state.json").read_text()) for output in (one, other)]
    logs = [[repeated(line) for line in state["log_history"]] for state in states]
    assert logs[0] == logs[1]
    assert states[0]["best_metric"] == states[1]["best_metric"]


# Checkpoints within an epoch, with losses that no line of the log has told yet, and at the end of one.
WITHIN = ["--save_strategy", "steps", "--save_steps", "3", "--load_best_model_at_end", "false"]
AT_ITS_END = ["--save_strategy", "steps", "--save_steps", "4", "--load_best_model_at_end", "false"]
BALANCED = ["--sampling", "balanced", "--group_evenness", "0.5", "--train_sampling_strategy", "group_by_length"]
VOCODED = ["--vocoding", "{probability: 0.4, vocoders: [linear_griffin_lim]}"]
WORKER = ["--dataloader_num_workers", "1", "--dataloader_persistent_workers", "true"]


@pytest.fixture(scope="module")
def unbroken(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], Path]:
    """Gives the folder of a run with some settings that nothing has disturbed."""
    done: dict[tuple[str, ...], Path] = {}

    def of(settings: list[str]) -> Path:
        if (key := tuple(settings)) not in done:
            output = tmp_path_factory.mktemp("unbroken")
            assert in_a_process(run, tiny_corpus, output, *settings) == 0
            done[key] = output
        return done[key]

    return of


@pytest.mark.parametrize(
    ("killing", "step", "expected", "settings"),
    [
        (killed_run, 8, 6, WITHIN),
        (killed_run, 8, 6, [*WITHIN, *WORKER, *BALANCED, *VOCODED, "--crop_seconds", "0.4", "0.8"]),
        (killed_run, 6, 4, [*AT_ITS_END, *WORKER]),
        (killed_run, 6, 4, ["--gradient_accumulation_steps", "1", "--mixup", "0.3", "--ema_decay", "0.9"]),
        (run_killed_while_saving, 9, 6, WITHIN),
        (killed_run, 2, None, WITHIN),
    ],
    ids=["within an epoch", "with a worker", "between epochs", "epochs", "while it saved", "before it saved"],
)
def test_a_killed_run_ends_as_if_unbroken(
    tiny_corpus: Path,
    unbroken: Callable[[list[str]], Path],
    tmp_path: Path,
    killing: Callable[..., None],
    step: int,
    expected: int | None,
    settings: list[str],
) -> None:
    assert in_a_process(killing, step, tiny_corpus, tmp_path / "broken", *settings) == -signal.SIGKILL
    checkpoint = last_checkpoint(tmp_path / "broken")
    assert checkpoint == (None if expected is None else str(tmp_path / "broken" / f"checkpoint-{expected}"))
    assert in_a_process(run, tiny_corpus, tmp_path / "broken", *settings) == 0
    assert_same_run(unbroken(settings), tmp_path / "broken")


def test_a_checkpoint_that_was_not_written_to_its_end_is_none(tmp_path: Path) -> None:
    for step, content in ((4, '{"global_step": 4}'), (12, '{"global_step": 12}'), (16, '{"global_st'), (20, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if content is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(content)
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-12")


def test_a_model_that_was_not_saved_to_its_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"half of it")
    assert step_of_model(tmp_path) == -1
    (tmp_path / "trainer_state.json").write_text('{"global_step": 12}')
    assert step_of_model(tmp_path) == 12
