"""Two processes train and evaluate as one does, and every clip is scored once."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
import torch.distributed as dist
from accelerate.state import AcceleratorState, GradientState, PartialState
from safetensors.torch import load_file

from crnn_hf import CRNNConfig, CRNNForAudioClassification
from crnn_hf.data import ClipReader, Collator, load_asvspoof5
from crnn_hf.loading import load_detector
from crnn_hf.norm_crnn import CRNNMaskedBatchNorm
from crnn_hf.training import read_recipe, train
from crnn_hf.training.arguments import DetectorTrainingArguments
from crnn_hf.training.figures import prediction_metrics
from crnn_hf.training.processes import share_batch_norm, weight_ratio
from crnn_hf.training.trainer import DetectorTrainer

# Without dropout, which every process draws on its own; by plain gradient descent, which does not blow up rounding.
ARCHITECTURE = "{conv_channels: [4, 8], hidden_size: 8, dropout: 0}"
SETTINGS = ["--crop_seconds", "1", "2.5", "--optim", "sgd", "--learning_rate", "0.05", "--num_train_epochs", "2"]
SETTINGS += ["--architecture", ARCHITECTURE, "--augmentation", "{noise: {probability: 1}, gain: {}}"]
# Of which more are of one class than of the other, and with which an epoch ends within a batch.
SETTINGS += ["--first_train_clips", "13"]
SETTINGS += ["--per_device_eval_batch_size", "3", "--logging_steps", "1", "--disable_tqdm=yes", "--use_cpu", "true"]


def in_processes(count: int, folder: Path, work: Callable[..., None], *arguments: Any) -> list[str]:
    """Let so many processes do something together; what each has printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir(exist_ok=True)

    def process(rank: int) -> None:
        for state in (AcceleratorState, GradientState, PartialState):
            state._reset_state()  # of the process that this one is a copy of
        if count > 1:
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        with (folder / f"printed-{rank}").open("w") as file, redirect_stdout(file):
            work(*arguments)
        if dist.is_initialized():
            dist.destroy_process_group()

    processes = [get_context("fork").Process(target=process, args=(rank,)) for rank in range(count)]
    for one in processes:
        one.start()
    for one in processes:
        one.join()
    assert [one.exitcode for one in processes] == [0] * count
    return [(folder / f"printed-{rank}").read_text() for rank in range(count)]


def run(corpus: Path, output: Path, batch: int, *settings: str) -> None:
    options = ["--data", str(corpus), "--output_dir", str(output), "--per_device_train_batch_size", str(batch)]
    train(*read_recipe("quickstart", [*options, *SETTINGS, *settings]))


def figures(output: Path) -> dict[str, float]:
    found = json.loads((output / "eval_results.json").read_text())
    return {name: value for name, value in found.items() if not name.endswith(("_runtime", "_per_second", "_time"))}


def losses(output: Path) -> list[float]:
    log = json.loads((output / "trainer_state.json").read_text())["log_history"]
    return [line["loss"] for line in log if "loss" in line]


def test_two_processes_train_as_one(tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    together = in_processes(2, tmp_path / "two", run, tiny_corpus, tmp_path / "two", 3)
    assert "train: 13 clips" in together[0]
    assert together[1] == ""
    in_processes(1, tmp_path / "one", run, tiny_corpus, tmp_path / "one", 6)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("one", "two")]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-4, atol=1e-6)
    assert figures(tmp_path / "two") == pytest.approx(figures(tmp_path / "one"), rel=1e-4)


def test_a_run_goes_on_with_another_number_of_processes(tiny_corpus: Path, tmp_path: Path) -> None:
    within = ["--save_strategy", "steps", "--save_steps", "2", "--load_best_model_at_end", "false"]
    in_processes(1, tmp_path / "one", run, tiny_corpus, tmp_path / "one", 6, *within)
    for name in ("model.safetensors", "trainer_state.json"):
        (tmp_path / "one" / name).unlink()
    (tmp_path / "one" / "checkpoint-6" / "trainer_state.json").unlink()
    weights = load_file(tmp_path / "one" / "checkpoint-6" / "model.safetensors")
    printed = in_processes(2, tmp_path / "one", run, tiny_corpus, tmp_path / "one", 3, *within)
    assert f"Going on from {tmp_path / 'one' / 'checkpoint-4'}" in printed[0]
    found = load_file(tmp_path / "one" / "checkpoint-6" / "model.safetensors")
    torch.testing.assert_close(found, weights, rtol=1e-4, atol=1e-6)


def predict(corpus: Path, detector: Path, output: Path, batch: int) -> None:
    model, feature_extractor = load_detector(detector, device="cpu")
    model.config.class_weights = [2.0, 0.5]
    trainer = DetectorTrainer(
        model=model,
        args=DetectorTrainingArguments(
            output_dir=str(output),
            per_device_eval_batch_size=batch,
            eval_strategy="no",
            load_best_model_at_end=False,
            disable_tqdm=True,
            use_cpu=True,
        ),
        data_collator=Collator(feature_extractor, model.config.label2id),
        compute_metrics=partial(prediction_metrics, label2id=model.config.label2id),
    )
    found = trainer.predict(
        load_asvspoof5(corpus, "validation").with_transform(ClipReader()), metric_key_prefix="eval"
    )
    if trainer.is_world_process_zero():
        np.savez(output / "found.npz", logits=found.predictions, labels=found.label_ids)
        (output / "eval_results.json").write_text(json.dumps(found.metrics))


@pytest.mark.parametrize("batch", [1, 3, 4, 5, 8, 16])
def test_every_clip_is_scored_once_and_in_its_order(
    tiny_corpus: Path, tiny_detector: Path, tmp_path: Path, batch: int
) -> None:
    for processes in (1, 2):
        output = tmp_path / str(processes)
        in_processes(processes, output, predict, tiny_corpus, tiny_detector, output, batch)
    one, two = (np.load(tmp_path / str(processes) / "found.npz") for processes in (1, 2))
    assert two["labels"].tolist() == load_asvspoof5(tiny_corpus, "validation")["label"]
    np.testing.assert_allclose(two["logits"], one["logits"], atol=1e-5)
    assert figures(tmp_path / "2") == pytest.approx(figures(tmp_path / "1"), rel=1e-5)
    assert "eval_attack_A09_eer" in figures(tmp_path / "2")


def normalise(output: Path) -> None:
    """One half of a batch in each process, of which one has padding and the other has none."""
    dist.init_process_group("gloo")
    norm, clips, mask = batch_norm(output)
    share_batch_norm(norm)
    half = slice(0, 2) if dist.get_rank() == 0 else slice(2, 5)
    part = clips[half].clone().requires_grad_()
    found = norm[0](part, mask[half] if dist.get_rank() == 0 else None)
    (found * torch.arange(8.0)).sum().backward()
    for parameter in norm.parameters():
        dist.all_reduce(parameter.grad)
    torch.save(
        [found.detach(), part.grad, norm[0].weight.grad, norm[0].running_mean, norm[0].running_var],
        output / f"found-{dist.get_rank()}",
    )


def batch_norm(output: Path) -> tuple[torch.nn.Sequential, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(5, 7, dtype=torch.bool)
    mask[0, 4:] = False
    clips = torch.randn(5, 3, 7, 8, generator=generator) * mask[:, None, :, None] + 0.5 * mask[:, None, :, None]
    return torch.nn.Sequential(CRNNMaskedBatchNorm(3)), clips, mask


def test_batch_norm_of_two_processes_is_that_of_all_clips(tmp_path: Path) -> None:
    in_processes(2, tmp_path, normalise, tmp_path)
    halves = [torch.load(tmp_path / f"found-{rank}") for rank in (0, 1)]
    norm, clips, mask = batch_norm(tmp_path)
    clips.requires_grad_()
    expected = norm[0](clips, mask)
    (expected * torch.arange(8.0)).sum().backward()
    torch.testing.assert_close(torch.cat([half[0] for half in halves]), expected.detach())
    torch.testing.assert_close(torch.cat([half[1] for half in halves]), clips.grad, rtol=1e-4, atol=1e-5)
    for half in halves:
        torch.testing.assert_close(half[2], norm[0].weight.grad, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(half[3], norm[0].running_mean)
        torch.testing.assert_close(half[4], norm[0].running_var)


def test_sharing_batch_norm_leaves_the_rest_of_a_model() -> None:
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4], hidden_size=4))
    names = list(model.state_dict())
    share_batch_norm(model)
    assert list(model.state_dict()) == names


def weigh(output: Path) -> None:
    dist.init_process_group("gloo")
    labels = torch.tensor([[0, 0, 1], [1, 1, 1]][dist.get_rank()])
    ratio = weight_ratio(labels, [3.0, 1.0])
    assert weight_ratio(torch.eye(2)[labels], [3.0, 1.0]) == ratio  # labels as probabilities
    (output / f"ratio-{dist.get_rank()}").write_text(str(float(ratio)))


def test_processes_count_in_the_loss_as_their_clips_weigh(tmp_path: Path) -> None:
    in_processes(2, tmp_path, weigh, tmp_path)
    ratios = [float((tmp_path / f"ratio-{rank}").read_text()) for rank in (0, 1)]
    assert ratios == pytest.approx([7 / 5, 3 / 5])


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        # With --cpu it would start one process alone, where there is no MPI.
        ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"],
        ["torch.distributed.run", "--nproc_per_node", "2", "--standalone"],
    ],
    ids=["accelerate launch", "torchrun"],
)
def test_the_commands_of_the_documentation(tiny_corpus: Path, tmp_path: Path, launcher: list[str]) -> None:
    command = [sys.executable, "-m", *launcher, "-m", "crnn_hf.training", "quickstart", "--data", str(tiny_corpus)]
    command += ["--output_dir", str(tmp_path / "two"), "--per_device_train_batch_size", "3", *SETTINGS]
    environment = {**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The best model is in") == done.stdout.count("train: 13 clips") == 1
    in_processes(1, tmp_path / "one", run, tiny_corpus, tmp_path / "one", 6)
    assert figures(tmp_path / "two") == pytest.approx(figures(tmp_path / "one"), rel=1e-4)
    bad = subprocess.run(
        [*command, "--crop_seconds", "0"], env=environment, capture_output=True, text=True, check=False
    )
    assert bad.returncode != 0
    assert "crop_seconds must be at least" in bad.stderr
