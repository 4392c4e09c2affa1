"""`crnn-hf score`, from a corpus to a score file, and the launchers that start several of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main, shared
from crnn_hf.data import load_asvspoof5
from crnn_hf.inference import BACKENDS, load_detector, score_clips
from crnn_hf.metrics import read_scores, write_keys


@pytest.fixture
def speech_files(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings in classes."""
    folder = tmp_path_factory.mktemp("classes")
    for name in ("real/a", "real/b", "fake/a", "fake/b"):
        (folder / name).parent.mkdir(exist_ok=True)
        soundfile.write(folder / f"{name}.flac", speech, 16_000)
    return folder


def test_scores_that_the_metrics_read(
    tiny_corpus: Path, tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run" / "scores.tsv"
    arguments = ["score", str(tiny_corpus), "--model", str(tiny_detector), "--output", str(output)]
    assert main([*arguments, "--batch-size", "3", "--workers", "2"]) == 0
    captured = capsys.readouterr()
    assert "validation: 8 clips" in captured.out
    assert f"Scores, higher for real: {output}" in captured.out
    assert "8/8" in captured.err
    trials = score_clips(*load_detector(tiny_detector), load_asvspoof5(tiny_corpus, "validation")).trials
    assert read_scores(output)[0] == trials.utterances
    write_keys(tmp_path / "keys.tsv", trials.utterances, trials.is_fake)
    assert main(["metrics", str(output), str(tmp_path / "keys.tsv")]) == 0
    capsys.readouterr()

    assert main(arguments) == 2
    assert f"{output} is there already" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--first", "5"]) == 0
    assert len(read_scores(output)[0]) == 5


def test_a_damaged_clip_is_named_and_the_status_says_so(
    tiny_detector: Path, speech_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = speech_files / "fake" / "b.flac"
    damaged.write_bytes(damaged.read_bytes()[:5_000])
    arguments = ["score", str(speech_files), "--split", "all", "--model", str(tiny_detector)]
    assert main([*arguments, "--output", str(tmp_path / "mine.tsv")]) == 1
    captured = capsys.readouterr()
    assert f"1 of 4 clips could not be scored: see {tmp_path / 'mine.errors.tsv'}" in captured.err
    assert (tmp_path / "mine.errors.tsv").read_text().splitlines()[1].startswith("fake/b\t")
    assert read_scores(tmp_path / "mine.tsv")[0] == ["fake/a", "real/a", "real/b"]


def test_bad_input(tiny_corpus: Path, tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refusal(*changes: str) -> str:
        arguments = ["--model", str(tiny_detector), "--output", str(tmp_path / "scores.tsv"), *changes]
        assert main(["score", str(tiny_corpus), *arguments]) == 2
        return capsys.readouterr().err

    assert "nowhere: no such folder" in refusal("--model", "nowhere")
    assert "batch_size must be at least 1; found 0" in refusal("--batch-size", "0")
    assert "workers must be at least 0; found -1" in refusal("--workers", "-1")
    assert list(tmp_path.iterdir()) == []


def test_products_are_rounded_alike_wherever_they_lie(tiny_corpus: Path, tiny_detector: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MKL_CBWR"}
    environment |= {"MKL_VERBOSE": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "crnn_hf.cli", "score", str(tiny_corpus), "--model", str(tiny_detector)]
    command += ["--output", str(tmp_path / "scores.tsv")]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True).stdout
    if "MKL_VERBOSE" not in output:
        pytest.skip("PyTorch has no Math Kernel Library here")
    assert set(re.findall(r"CNR:(\w+)", output)) == {"AUTO"}


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
def test_the_launchers(tiny_corpus: Path, tiny_detector: Path, tmp_path: Path, launcher: list[str]) -> None:
    arguments = [str(tiny_corpus), "--model", str(tiny_detector), "--batch-size", "3", "--output"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", *launcher, "-m", "crnn_hf.inference.score", *arguments, str(tmp_path / "two.tsv")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("validation: 8 clips") == done.stdout.count("Scores, higher for real") == 1
    assert main(["score", *arguments, str(tmp_path / "one.tsv")]) == 0
    assert (tmp_path / "two.tsv").read_bytes() == (tmp_path / "one.tsv").read_bytes()


def test_the_command_line_knows_all_backends() -> None:
    assert shared.BACKENDS == BACKENDS
