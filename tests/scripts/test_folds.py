"""Folds keep groups whole and both classes everywhere, and each is a corpus that can be loaded."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import folds
import pytest

from crnn_hf.data import load_corpus


def test_groups_stay_whole_and_classes_are_spread() -> None:
    groups = [*"aaaabbccd", *"vvwwxxyyz"]
    labels = [0] * 9 + [1] * 9
    found = folds.folds_of(groups, labels, 3)
    assert len({*zip(groups, found, strict=True)}) == len(set(groups))
    counts = Counter(zip(found, labels, strict=True))
    assert [counts[fold, 0] for fold in range(3)] in ([4, 3, 2], [4, 2, 3])
    assert sorted(counts[fold, 1] for fold in range(3)) == [2, 3, 4]
    assert folds.folds_of(groups, labels, 3) == found


def test_too_many_folds() -> None:
    with pytest.raises(ValueError, match="fold 2 of 3 would have no bonafide clip; expected fewer folds"):
        folds.folds_of([*"aabxyz"], [0, 0, 0, 1, 1, 1], 3)


@pytest.fixture(scope="module")
def corpus_with_sources(tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    corpus = tmp_path_factory.mktemp("folds") / "corpus"
    shutil.copytree(tiny_corpus, corpus)
    trials = folds.trials_in(str(corpus))
    with (corpus / "sources.tsv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["file", "repository"])
        writer.writerows((trial.utterance, f"page {place % 3}") for place, trial in enumerate(trials))
    return corpus


def test_each_clip_is_left_out_once(corpus_with_sources: Path, tmp_path: Path) -> None:
    folds.main([str(corpus_with_sources), str(tmp_path), "--folds", "2"])
    with (tmp_path / "folds.tsv").open(newline="") as file:
        noted = {line["file"]: line for line in csv.DictReader(file, delimiter="\t")}
    page_of = folds.pages_in(str(corpus_with_sources))
    assert set(noted) == set(page_of)
    for way in ("system", "page"):
        for fold in range(2):
            train, validation = (load_corpus(tmp_path / f"{way}-{fold}", split) for split in ("train", "validation"))
            left_out = {name for name, line in noted.items() if line[way] == str(fold)}
            assert set(validation["utterance"]) == left_out
            assert set(train["utterance"]) == set(noted) - left_out
            assert set(validation["label"]) == {0, 1}
            if way == "page":
                assert {page_of[name] for name in left_out}.isdisjoint(page_of[name] for name in train["utterance"])
            else:
                fakes = [
                    {row["attack"] for row in part.remove_columns("audio") if row["label"]}
                    for part in (train, validation)
                ]
                assert fakes[0].isdisjoint(fakes[1])


def test_a_clip_of_unknown_source(corpus_with_sources: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(corpus_with_sources, corpus)
    lines = (corpus / "sources.tsv").read_text().splitlines()
    (corpus / "sources.tsv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(ValueError, match=r"sources.tsv: no line for 1 of 24 clips, the first: D_"):
        folds.main([str(corpus), str(tmp_path / "folds"), "--folds", "2"])
