"""What the tests of bulk scoring share: sixty short recordings, and processes that score them."""

import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torch.distributed as dist
from accelerate.state import AcceleratorState, GradientState, PartialState
from datasets import Dataset

from crnn_hf.data import load_corpus
from crnn_hf.inference.bulk import score_to_file


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sixty recordings of noise, of 0.2 to 0.6 seconds."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for number in range(60):
        path = folder / ("real" if number % 2 else "fake") / f"{number:02}.flac"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, rng.normal(0, 0.02 + number / 1000, rng.integers(3_200, 9_600)), 16_000)
    return folder


@pytest.fixture(scope="session")
def dataset(recordings: Path) -> Dataset:
    """The recordings, loaded."""
    return load_corpus(recordings, "all")


@pytest.fixture
def score_in_processes(dataset: Dataset, tiny_detector: Path) -> Callable[..., None]:
    """Score with so many processes; `killed_after` so many batches are written, all are killed at once."""

    def run(output: Path, count: int = 1, killed_after: int | None = None, batch_size: int = 3) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def process(rank: int) -> None:
            torch.set_num_threads(1)
            for state in (AcceleratorState, GradientState, PartialState):
                state._reset_state()  # of the process that this one is a copy of
            if count > 1:
                os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
                os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            score_to_file(tiny_detector, dataset, output, batch_size=batch_size)
            if dist.is_initialized():
                dist.destroy_process_group()

        processes = [get_context("fork").Process(target=process, args=(rank,)) for rank in range(count)]
        for one in processes:
            one.start()
        if killed_after is not None:
            before = _written(output)
            while all(one.is_alive() for one in processes) and _written(output) < before + killed_after:
                time.sleep(0.0005)
            for one in processes:
                os.kill(one.pid, signal.SIGKILL)
        for one in processes:
            one.join()
        expected = 0 if killed_after is None else -signal.SIGKILL
        assert [one.exitcode for one in processes] == [expected] * count

    return run


def _written(output: Path) -> int:
    files = output.with_name(f"{output.name}.parts").glob("part-*")
    return sum(path.read_bytes().count(b"\n") for path in files)
