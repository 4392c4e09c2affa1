"""Clips of like length share a batch, none is decoded to find out, and workers keep to one thread each."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.data import Clip, ClipReader, Collator, load_asvspoof5
from crnn_hf.data.columns import DESCRIPTIONS, features
from crnn_hf.training.arguments import DetectorTrainingArguments
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.figures import attack_counts, attack_key, prediction_metrics
from crnn_hf.training.trainer import DetectorTrainer

BATCH = 8


@pytest.fixture
def sizes() -> list[int]:
    return np.random.default_rng(0).integers(10, 5_000, 400).tolist()


def trainer(sizes: list[int], output: Path, strategy: str) -> DetectorTrainer:
    """A trainer on clips that are no audio, which to decode would be an error."""
    row = {"label": 0, **dict.fromkeys(DESCRIPTIONS, "-")}
    rows = [{"audio": {"bytes": bytes(size), "path": "no audio"}, **row} for size in sizes]
    dataset = Dataset.from_list(rows, features=features())
    arguments = DetectorTrainingArguments(
        output_dir=str(output), train_sampling_strategy=strategy, per_device_train_batch_size=BATCH
    )
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4]))
    return DetectorTrainer(model=model, args=arguments, train_dataset=TrainingClips(dataset), eval_dataset=dataset)


def padding(sizes: list[int], order: list[int]) -> float:
    """Share of the batches that would be padding."""
    batches = np.array(sizes)[order].reshape(-1, BATCH)
    return float(1 - batches.sum() / (batches.max(axis=1) * BATCH).sum())


def test_little_of_a_batch_is_padding(sizes: list[int], tmp_path: Path) -> None:
    shares = {}
    for strategy in ("random", "group_by_length"):
        order = [draw.row for draw in trainer(sizes, tmp_path, strategy)._get_train_sampler()]
        assert sorted(order) == list(range(len(sizes)))
        shares[strategy] = padding(sizes, order)
    assert shares["group_by_length"] < 0.25 * shares["random"]


@pytest.mark.parametrize("strategy", ["random", "group_by_length"])
def test_evaluation_keeps_the_order(sizes: list[int], tmp_path: Path, strategy: str) -> None:
    made = trainer(sizes, tmp_path, strategy)
    assert list(made._get_eval_sampler(made.eval_dataset)) == list(range(len(sizes)))


class CountingCollator(Collator):
    """Says in each batch how many threads PyTorch takes where it was made."""

    def __call__(self, clips: Sequence[Clip]) -> dict[str, torch.Tensor]:
        return {**super().__call__(clips), "threads": torch.tensor(len(clips) * [torch.get_num_threads()])}


def trainer_on(corpus: Path, output: Path, collator: type[Collator], **arguments: Any) -> DetectorTrainer:
    """A trainer with a corpus's validation split as its main evaluation set."""
    model = CRNNForAudioClassification(CRNNConfig(conv_channels=[4]))
    return DetectorTrainer(
        model=model,
        args=DetectorTrainingArguments(output_dir=str(output), disable_tqdm=True, **arguments),
        data_collator=collator(CRNNFeatureExtractor(), model.config.label2id),
        eval_dataset={"validation": load_asvspoof5(corpus, "validation").with_transform(ClipReader())},
        compute_metrics=partial(prediction_metrics, label2id=model.config.label2id),
    )


def test_a_worker_has_one_thread(tiny_corpus: Path, tmp_path: Path) -> None:
    options = {"dataloader_multiprocessing_context": "fork", "per_device_eval_batch_size": 2}
    made = trainer_on(tiny_corpus, tmp_path, CountingCollator, dataloader_num_workers=2, **options)
    batches = list(made.get_eval_dataloader("validation"))
    assert [batch["threads"].tolist() for batch in batches] == [[1, 1]] * 4


def test_attacks_are_those_of_the_clips_that_were_evaluated(tiny_corpus: Path, tmp_path: Path) -> None:
    made = trainer_on(tiny_corpus, tmp_path, Collator, per_device_eval_batch_size=3, dataloader_drop_last=True)
    evaluated = load_asvspoof5(tiny_corpus, "validation").select(range(6))
    found = {name for name in made.evaluate() if name.startswith("eval_attack_")}
    assert found == {f"eval_{attack_key(attack)}" for attack in attack_counts(evaluated)}
    assert len(found) == 3
