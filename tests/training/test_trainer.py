"""Clips of like length share a batch, and none is decoded to find out."""

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf import CRNNConfig, CRNNForAudioClassification
from crnn_hf.data import ClipReader
from crnn_hf.data.columns import DESCRIPTIONS, features
from crnn_hf.training.arguments import DetectorTrainingArguments
from crnn_hf.training.trainer import DetectorTrainer

BATCH = 8


@pytest.fixture
def sizes() -> list[int]:
    return np.random.default_rng(0).integers(10, 5_000, 400).tolist()


def trainer(sizes: list[int], output: Path, strategy: str) -> DetectorTrainer:
    """A trainer on clips that are no audio, which to decode would be an error."""
    row = {"label": 0, **dict.fromkeys(DESCRIPTIONS, "-")}
    rows = [{"audio": {"bytes": bytes(size), "path": "no audio"}, **row} for size in sizes]
    dataset = Dataset.from_list(rows, features=features()).with_transform(ClipReader())
    arguments = DetectorTrainingArguments(
        output_dir=str(output), train_sampling_strategy=strategy, per_device_train_batch_size=BATCH
    )
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4]))
    return DetectorTrainer(model=model, args=arguments, train_dataset=dataset, eval_dataset=dataset)


def padding(sizes: list[int], order: list[int]) -> float:
    """Share of the batches that would be padding."""
    batches = np.array(sizes)[order].reshape(-1, BATCH)
    return float(1 - batches.sum() / (batches.max(axis=1) * BATCH).sum())


def test_little_of_a_batch_is_padding(sizes: list[int], tmp_path: Path) -> None:
    shares = {}
    for strategy in ("random", "group_by_length"):
        order = list(trainer(sizes, tmp_path, strategy)._get_train_sampler())
        assert sorted(order) == list(range(len(sizes)))
        shares[strategy] = padding(sizes, order)
    assert shares["group_by_length"] < 0.25 * shares["random"]


@pytest.mark.parametrize("strategy", ["random", "group_by_length"])
def test_evaluation_keeps_the_order(sizes: list[int], tmp_path: Path, strategy: str) -> None:
    made = trainer(sizes, tmp_path, strategy)
    assert list(made._get_eval_sampler(made.eval_dataset)) == list(range(len(sizes)))
