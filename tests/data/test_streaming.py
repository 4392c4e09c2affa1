"""Processes that share a stream hear each of its clips once between them, however many tars there are."""

from itertools import chain
from pathlib import Path

import pytest
from datasets.distributed import split_dataset_by_node
from torch.utils.data import DataLoader

from crnn_hf.data import load_asvspoof5


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("split", "processes"), [("train", 2), ("train", 3), ("validation", 2)], ids=["shards", "clips", "clips of one"]
)
def test_each_clip_once(tiny_corpus: Path, split: str, processes: int, workers: int) -> None:
    heard = []
    for rank in range(processes):
        stream = load_asvspoof5(tiny_corpus, split, streaming=True)
        part = split_dataset_by_node(stream, rank, processes).select_columns(["utterance"])
        heard.append([row["utterance"] for row in DataLoader(part, batch_size=None, num_workers=workers)])
    assert all(heard)
    assert sorted(chain.from_iterable(heard)) == sorted(load_asvspoof5(tiny_corpus, split)["utterance"])


def test_a_process_reads_its_own_tars(tiny_corpus: Path) -> None:
    stream = load_asvspoof5(tiny_corpus, "train", streaming=True)
    assert stream.num_shards == 2
    tars = [
        {row["audio"]["path"].split(".tar")[0][-2:] for row in split_dataset_by_node(stream, r, 2)} for r in (0, 1)
    ]
    assert tars == [{"aa"}, {"ab"}]
