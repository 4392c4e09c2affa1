"""What the tests of several rooms share: a tiny corpus and a tiny model, both made here in a second."""

import os
from pathlib import Path

# Before PyTorch starts its threads: some tests fork, and a fork of a process whose OpenMP threads run can hang.
os.environ["OMP_NUM_THREADS"] = "1"
# As `crnn-hf score` sets it: the same products are to be rounded alike, wherever in memory they lie.
os.environ.setdefault("MKL_CBWR", "AUTO")

import datasets
import numpy as np
import pytest
from tqdm import tqdm

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data.embedded import write_embedded_corpus

# Its thread takes the lock of all progress bars now and then: a process forked just then would wait for it for ever.
tqdm.monitor_interval = 0


@pytest.fixture(scope="session", autouse=True)
def _dataset_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what the tests load out of the user's cache."""
    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("datasets")


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded corpus with 16 clips to train on and 8 to validate on. Copy it before changing anything in it."""
    directory = tmp_path_factory.mktemp("corpus") / "tiny"
    return write_embedded_corpus(directory, train_clips=16, dev_clips=8, workers=1)


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved detector with random weights."""
    import torch

    directory = tmp_path_factory.mktemp("detector")
    torch.manual_seed(0)
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4, 8], hidden_size=8, contrast=True))
    model.contrast.mean.fill_(0.5)
    model.contrast.hidden_weight.normal_(std=0.03)
    model.contrast.weight.normal_(std=0.005)
    model.save_pretrained(directory)
    CRNNFeatureExtractor(return_contrast=True).save_pretrained(directory)
    return directory


@pytest.fixture
def speech() -> np.ndarray:
    """Two seconds of noise whose level and colour change, at 16 kHz; float32 of shape (32000,)."""
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.standard_normal(32_000)) * 0.002 + rng.standard_normal(32_000) * 0.02
    return (noise * (1 + np.sin(np.arange(32_000) / 1_500))).astype(np.float32)
