"""The ablation ends in the default recipe, trains for real, and does not make a run twice."""

import json
from pathlib import Path

import ablation
import numpy as np
import pytest

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.metrics.trials import Trials
from crnn_hf.training import read_recipe

TAKEN = {
    "cpu_minutes": "2.00",
    "eer_macro": "0.3",
    "eer_pages": "nan",
    "min_dcf_macro": "0.7",
    "min_dcf": "0.8",
    "alone_eer_macro": "0.35",
    "alone_eer_pages": "nan",
}


def test_the_last_row_is_the_default_recipe() -> None:
    model, data, training = read_recipe("reference", ["--data=c", *ablation.overrides(ablation.rows()["all"])])
    default_model, default_data, default_training = read_recipe("crnn-asvspoof5", ["--data=c"])
    extractor, default_extractor = (
        CRNNFeatureExtractor(**json.loads(arguments.features)) for arguments in (model, default_model)
    )
    assert extractor.to_dict() == default_extractor.to_dict()
    assert {**vars(model), "features": ""} == {**vars(default_model), "features": ""}
    budget = {"crop_seconds": None, "evaluation_sets": None}
    assert {**vars(data), **budget} == {**vars(default_data), **budget}
    for name in ("learning_rate", "weight_decay", "ema_decay", "label_smoothing_factor", "train_sampling_strategy"):
        assert getattr(training, name) == getattr(default_training, name), name


def test_each_augmentation_has_a_row() -> None:
    augmentation = json.loads(read_recipe("crnn-asvspoof5", ["--data=c"])[1].augmentation)
    rows = ablation.rows()
    plain = rows["+ sampling"]
    assert augmentation
    for name, settings in augmentation.items():
        assert rows[f"+ {name}"] == {**plain, "augmentation": {name: settings}}


def test_the_most_telling_runs_come_first() -> None:
    runs = list(ablation.plan(list(ablation.rows()), [3, 4]))
    assert runs[:3] == [("all", 3), ("+ sampling", 3), ("reference", 3)]
    assert runs[-3:] == [("all", 4), ("+ sampling", 4), ("reference", 4)]
    assert len(set(runs)) == len(runs) == len(ablation.rows()) + 3


def test_figures_within_pages() -> None:
    """Two pages, each told apart without an error, at levels so different that together they are not."""
    scores = np.array([1.0, 0.0, 11.0, 10.0, -5.0])
    is_fake = np.array([False, True, False, True, True])
    trials = Trials(list("abcde"), scores, is_fake, {"attack": ["bonafide", "A01", "bonafide", "A02", "A02"]})
    page_of = {"a": "first", "b": "first", "c": "second", "d": "second"}
    figures = ablation.figures_of(trials, page_of)
    assert figures["eer_pages"] == 0
    assert figures["eer"] == pytest.approx(5 / 12)
    # Of A01 no fake is above both real clips, of A02 one of two is above one of them.
    assert figures["eer_macro"] == pytest.approx((0 + 1 / 2) / 2)
    assert np.isnan(ablation.figures_of(trials, {})["eer_pages"])


def test_the_table_has_the_mean_and_the_spread() -> None:
    runs = [{"row": "all", "eer": eer, **TAKEN} for eer in ("0.2", "0.26")] + [
        {"row": "+ gain", "eer": "0.4", **TAKEN}
    ]
    lines = ablation.table(runs, ["+ gain", "all", "reference"]).splitlines()
    assert lines[0].split(" | ")[1:4] == ["seeds", "EER, over systems", "EER, pooled"]
    assert lines[2] == "| + gain | 1 | 30.0 % | 40.0 % | 0.700 | 0.800 | 35.0 % | 2.0 |"
    assert lines[3].startswith("| all | 2 | 30.0 % (30.0 to 30.0) | 23.0 % (20.0 to 26.0) |")
    assert len(lines) == 4


def test_a_run_is_made_once(tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tiny_corpus), str(tmp_path), "--epochs", "1", "--seeds", "0", "--rows"]
    ablation.main([*arguments, "+ second opinion"])
    printed = capsys.readouterr().out
    assert "| + second opinion | 1 |" in printed
    assert "over pages" not in printed
    scores, alone = (tmp_path / "second-opinion-0" / name for name in ("scores.tsv", "scores-alone.tsv"))
    assert len(scores.read_text().splitlines()) == len(alone.read_text().splitlines()) == 1 + 8
    assert scores.read_text() != alone.read_text()
    noted = (tmp_path / "figures.tsv").read_text()
    scores.unlink()
    ablation.main([*arguments, "+ second opinion"])
    assert (tmp_path / "figures.tsv").read_text() == noted
    assert not scores.is_file()
    assert "| + second opinion | 1 |" in capsys.readouterr().out
    # Another budget is another run.
    ablation.main([*arguments, "+ second opinion", "--epochs", "2"])
    assert len((tmp_path / "figures.tsv").read_text().splitlines()) == 3
    assert "| + second opinion | 1 |" in capsys.readouterr().out
