"""Other corpora to learn from: of one class alone if need be, and heard as if they were part of the main one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from crnn_hf.data import load_asvspoof5
from crnn_hf.training import read_recipe, train
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import Corpus
from crnn_hf.training.sets import corpora_of, course_of, load_sets
from crnn_hf.training.training_sets import load_training_sets, training_corpora


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten recordings of real speech, none of fakes; a fifth is held out as of any recordings that nobody has split."""
    folder = tmp_path_factory.mktemp("calls")
    for number in range(10):
        path = folder / "real" / f"caller_{number % 5}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 8_000), 16_000)
    return folder


def corpora(sets: Any) -> dict[str, Corpus]:
    return training_corpora(DataArguments("main", training_sets=json.dumps(sets)))


def test_the_setting() -> None:
    assert corpora({}) == {}
    assert corpora({"calls": "c", "phone": {"data": "t.csv", "label": "is_fake"}}) == {
        "calls": Corpus("c", {}),
        "phone": Corpus("t.csv", {"label": "is_fake"}),
    }


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"calls": None}, r"^training_sets\.calls must be a corpus, or a mapping with data.*; found None$"),
        ({"calls": {"label": "x"}}, r"^training_sets\.calls must be a corpus"),
        ({"calls": {"data": "x", "lable": "y"}}, r"^training_sets\.calls: recordings have no column lable; expected"),
        ({"calls": {"data": "x", "may_lack_class": True}}, "recordings have no column may_lack_class"),
    ],
)
def test_settings_that_cannot_be_are_refused(sets: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corpora(sets)


def test_one_class_alone_will_do_to_learn_from(calls: Path, tmp_path: Path) -> None:
    loaded = load_training_sets({"calls": Corpus(str(calls), {})})["calls"]
    assert set(loaded["label"]) == {0}
    assert len(loaded) == 8
    assert len(set(loaded["speaker"])) == 4
    (tmp_path / "real").mkdir()
    with pytest.raises(FileNotFoundError, match="no recordings that are real and none that are fake"):
        load_training_sets({"empty": Corpus(str(tmp_path), {})})
    # To be measured on, it takes both.
    with pytest.raises(FileNotFoundError, match="no recordings that are fake"):
        load_sets(corpora_of(DataArguments(str(calls))), DataArguments(str(calls)), 16_000, None)


def test_its_clips_are_heard_among_the_others(tiny_corpus: Path, calls: Path) -> None:
    arguments = DataArguments(str(tiny_corpus), training_sets=json.dumps({"calls": str(calls)}), sampling="balanced")
    found = corpora_of(arguments)
    sets = load_sets(found, arguments, 16_000, "eer")
    course = course_of(sets, found, arguments)
    labels = np.asarray(course.rows["label"])
    assert len(labels) == len(load_asvspoof5(tiny_corpus, "train")) + 8
    # Real clips and fakes have one half each, and so each real one counts the less, the more there are.
    assert course.weights[labels == 0].sum() == pytest.approx(0.5)
    assert len(set(course.weights[labels == 0])) == 1
    assert list(sets.evaluation) == ["validation"]

    replayed = DataArguments(**{**vars(arguments), "replay": json.dumps({"data": str(tiny_corpus), "share": 0.5})})
    found = corpora_of(replayed)
    course = course_of(load_sets(found, replayed, 16_000, "eer"), found, replayed)
    assert course.epoch_clips == 2 * len(labels)


def test_a_run_tells_what_else_it_learned_from(
    tiny_corpus: Path, calls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [
        "--data",
        str(tiny_corpus),
        "--training_sets.calls",
        str(calls),
        "--output_dir",
        str(tmp_path / "model"),
    ]
    options += ["--num_train_epochs", "1", "--crop_seconds", "0.5", "--disable_tqdm", "true", "--calibrate", "false"]
    train(*read_recipe("quickstart", options))
    line = "calls, train: 8 clips, 8 real and 0 fake, 0 known attacks"
    assert line in capsys.readouterr().out
    assert line in json.loads((tmp_path / "model" / "training.json").read_text())["clips"]
    # It is another run without.
    with pytest.raises(ValueError, match="holds another run: training_sets was"):
        train(*read_recipe("quickstart", [*options, "--training_sets", "null"]))
