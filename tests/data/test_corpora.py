"""Any corpus by one name, and a split where nobody made one."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.data import load_corpus, overview


def record(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 1_600), 16_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty real recordings, twenty fakes of two systems."""
    for index in range(20):
        record(tmp_path / "mine" / "real" / f"{index}.wav")
        record(tmp_path / "mine" / "fake" / f"system{index % 2}" / f"{index}.wav")
    return tmp_path / "mine"


def names(source: Path, split: str) -> set[str]:
    return set(load_corpus(source, split)["utterance"])


def test_asvspoof5s_layout(tiny_corpus: Path) -> None:
    assert len(load_corpus(tiny_corpus, "train")) == 16
    assert len(load_corpus(tiny_corpus, "train", first=5)) == 5
    with pytest.raises(ValueError, match="whose columns are known"):
        load_corpus(tiny_corpus, "train", label="is_fake")


def test_a_fifth_is_validation_where_nobody_split(folder: Path) -> None:
    train, validation = load_corpus(folder, "train"), load_corpus(folder, "validation")
    assert (len(train), len(validation)) == (32, 8)
    assert set(train["utterance"]).isdisjoint(validation["utterance"])
    assert sorted(validation["attack"]) == ["-"] * 4 + ["system0"] * 2 + ["system1"] * 2
    assert names(folder, "validation") == set(validation["utterance"])
    assert overview(train, folder, "train") == "train: 32 clips, 16 real and 16 fake, 2 known attacks"


def test_all_of_them_can_be_had(folder: Path) -> None:
    assert names(folder, "all") == names(folder, "train") | names(folder, "validation")
    with pytest.raises(ValueError, match="first must be at least 1; found 0"):
        load_corpus(folder, "all", first=0)


def test_speakers_are_kept_apart_where_they_are_known(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "is_fake", "who"])
        for index in range(20):
            writer.writerow([f"mine/real/{index}.wav", 0, f"s{index % 5}"])
            writer.writerow([f"mine/fake/system{index % 2}/{index}.wav", 1, f"s{index % 5}"])
    columns = {"audio": "path", "label": "is_fake", "speaker": "who"}
    speakers = [set(load_corpus(table, split, **columns)["speaker"]) for split in ("train", "validation")]
    assert speakers[0].isdisjoint(speakers[1])
    assert speakers[0] | speakers[1] == {f"s{index}" for index in range(5)}


def test_folders_named_after_splits_are_those_splits(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        for label in ("real", "fake"):
            record(tmp_path / split / label / f"{split}.wav")
    for split in ("train", "validation", "test"):
        assert names(tmp_path, split) == {f"real/{split}", f"fake/{split}"}


def test_the_first_so_many_keep_the_shares(folder: Path) -> None:
    assert sorted(load_corpus(folder, "train", first=8)["label"]) == [0] * 4 + [1] * 4
    assert len(load_corpus(folder, "train", first=1_000)) == 32


def test_what_is_not_there(folder: Path) -> None:
    with pytest.raises(ValueError, match="no test split; expected train, validation or all, or a folder"):
        load_corpus(folder, "test")
    with pytest.raises(ValueError, match="no split 'dev'"):
        load_corpus(folder, "dev")
    for nowhere in (folder / "nowhere", "nowhere"):
        with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
            load_corpus(nowhere, "train")
