"""Evaluation sets have names that cannot be confused, and what is wrong with them is said before training begins."""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from crnn_hf.augmentation.codec import Coding
from crnn_hf.augmentation.level import Gain
from crnn_hf.data.reading import waveform_of
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import Corpus
from crnn_hf.training.evaluation_sets import check_metric, evaluation_corpora, load_evaluation_sets


def corpora(sets: Any, **arguments: str) -> dict[str, Corpus]:
    return evaluation_corpora(DataArguments(data="main", evaluation_sets=json.dumps(sets), **arguments))


def test_the_main_set_comes_first() -> None:
    found = corpora({"codec": "coded", "phone": {"data": "t.csv", "label": "is_fake"}}, columns='{"label": "fake"}')
    assert list(found.items()) == [
        ("validation", Corpus("main", {"label": "fake"})),
        ("codec", Corpus("coded", {})),
        ("phone", Corpus("t.csv", {"label": "is_fake"})),
    ]


def test_an_augmented_copy_is_of_the_main_corpus_unless_it_names_another() -> None:
    louder = {"augmentation": {"gain": {"decibels": [6, 6]}, "codec": {"probability": 0.5, "codecs": ["mp3"]}}}
    found = corpora({"copy": louder, "other": {"data": "o", **louder}}, columns='{"label": "fake"}')
    # All clips, unless a probability is named.
    augmentations = (Gain(probability=1.0, decibels=[6, 6]), Coding(probability=0.5, codecs=["mp3"]))
    assert found["copy"] == Corpus("main", {"label": "fake"}, augmentations)
    assert found["other"] == Corpus("o", {}, augmentations)
    assert corpora({"copy": {"augmentation": {"codec": None}}})["copy"].augmentations == (Coding(probability=1.0),)


def test_augmented_copies_are_loaded(tiny_corpus: Path) -> None:
    louder = (Gain(probability=1.0, decibels=(-6.0, -6.0)),)
    sets = {"validation": Corpus(str(tiny_corpus), {}), "quiet": Corpus(str(tiny_corpus), {}, louder)}
    loaded = load_evaluation_sets(sets, None)
    for before, after in zip(loaded["validation"], loaded["quiet"], strict=True):
        assert before["utterance"] == after["utterance"]
        change = waveform_of(after["audio"]).std() / waveform_of(before["audio"]).std()
        assert change == pytest.approx(10 ** (-6 / 20), rel=0.01)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"validation": "x"}, "'validation' is no name for a set"),
        ({"attack_A01": "x"}, "'attack_A01' is no name"),
        ({"my set": "x"}, "'my set' is no name"),
        ({"eval/codec": "x"}, "'eval/codec' is no name"),
        ({1: "x"}, "'1' is no name"),
        ({"": "x"}, "'' is no name"),
        ({"codec": None}, r"evaluation_sets\.codec must be a corpus.*found None"),
        ({"codec": ["x"]}, r"evaluation_sets\.codec must be a corpus.*found \['x'\]"),
        ({"codec": {"label": "x"}}, r"evaluation_sets\.codec must be a corpus, or a mapping with data"),
        ({"codec": {"data": "x", "split": "test"}}, "codec: recordings have no column split"),
        ({"mean": "x"}, "'mean' is no name"),
        ({"codec": {"augmentation": {}}}, r"evaluation_sets\.codec must be a corpus"),
        ({"codec": {"augmentation": {"codec": None}, "label": "x"}}, r"evaluation_sets\.codec must be a corpus"),
        ({"codec": {"augmentation": {"echo": None}}}, r"evaluation_sets\.codec: there is no augmentation echo"),
        ({"codec": {"augmentation": {"spectrogram": None}}}, "there is no augmentation spectrogram"),
        ({"codec": {"augmentation": {"codec": 3}}}, "augmentation.codec must be a mapping of its settings; found 3"),
        ({"codec": {"augmentation": "codec"}}, "augmentation must be a mapping of names to settings; found 'codec'"),
    ],
)
def test_sets_that_cannot_be_are_refused(sets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corpora(sets)


def test_a_column_of_the_main_corpus_is_checked_too() -> None:
    with pytest.raises(ValueError, match="validation: recordings have no column labl"):
        corpora({}, columns='{"labl": "is_fake"}')


def test_a_source_that_is_not_there(tiny_corpus: Path, tmp_path: Path) -> None:
    sources = {"validation": Corpus(str(tiny_corpus), {}), "codec": Corpus(str(tmp_path / "nowhere"), {})}
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        load_evaluation_sets(sources, None)


def test_a_set_of_one_class_is_named(tiny_corpus: Path) -> None:
    with pytest.raises(ValueError, match=r"evaluation set codec: of 1 clips from .*tiny, none is (real|fake)"):
        load_evaluation_sets({"codec": Corpus(str(tiny_corpus), {})}, first=1)


@pytest.mark.parametrize("metric", [None, "eer", "eval_loss", "eer_macro", "attack_b_eer", "codec_f1", "mean_eer"])
def test_metrics_that_there_will_be(metric: str | None) -> None:
    check_metric(metric, two_sets())


@pytest.mark.parametrize(
    "metric", ["err", "validation_eer", "phone_eer", "codec_eer_macro", "attack_c_eer", "mean_eer_macro"]
)
def test_a_metric_that_there_will_not_be(metric: str) -> None:
    with pytest.raises(
        ValueError, match=f"{metric}; expected one of loss, eer, .*, eer_macro, codec_loss, .*codec_f1, mean_eer"
    ):
        check_metric(metric, two_sets())


def two_sets() -> dict[str, Dataset]:
    """One with two known attacks, and one without."""
    return {
        "validation": Dataset.from_dict({"label": [0, 1, 1, 1], "attack": ["-", "a", "b", "-"]}),
        "codec": Dataset.from_dict({"label": [0, 1, 1], "attack": ["bonafide", "a", "-"]}),
    }
