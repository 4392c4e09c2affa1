"""A card says what the records say, and nothing where there are none."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from crnn_hf.data.embedded.corpus import MANIFEST
from crnn_hf.hub import model_card, read_report, read_run
from crnn_hf.hub.markdown import pictures_of
from crnn_hf.hub.records import refuse_report_of_another
from crnn_hf.loading import load_detector

MEASURED = ("## Results", "## Thresholds")
NOTED = ("## Data", "## Training", "## Speed")


@pytest.fixture
def folder(tiny_detector: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_detector, tmp_path / "model")


def note(folder: Path, **files: Any) -> None:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def card_of(folder: Path, report: Path | None = None, **options: Any) -> ModelCard:
    measured = None if report is None else read_report(report)
    pictures = {} if report is None else pictures_of(report, "report")
    detector = load_detector(folder, device="cpu")
    return model_card(detector, read_run(folder), measured, repo_id="user/crnn", pictures=pictures, **options)


def test_a_model_without_records_has_a_card_without_figures(folder: Path) -> None:
    card = card_of(folder)
    for heading in (*MEASURED, *NOTED, "## What is new"):
        assert heading not in card.text
    assert "No measurement comes with this model" in card.text
    assert "`0` = real, `1` = fake" in card.text
    assert card.data.to_dict() == {
        "license": "apache-2.0",
        "library_name": "transformers",
        "pipeline_tag": "audio-classification",
        "tags": ["speech-deepfake-detection", "audio-deepfake-detection", "anti-spoofing", "speech", "crnn"],
    }


def test_training_is_told_as_it_was_noted(folder: Path) -> None:
    note(
        folder,
        settings={"data": "/srv/somebody/mine", "learning_rate": 0.003, "augmentation": "{}", "freeze": None},
        trainer_state={
            "epoch": 8.0,
            "global_step": 1200,
            "train_batch_size": 32,
            "best_global_step": 1050,
            "log_history": [{"train_runtime": 7_400.0}],
        },
        all_results={"eval_eer": 0.125, "eval_min_dcf": 0.25},
    )
    text = card_of(folder).text
    assert "8 epochs in 1,200 steps of 32 clips, 2.1 hours in the last session. The weights of step 1,050" in text
    assert "before any calibration: EER 12.50 %, minDCF 0.2500." in text
    assert "|learning\\_rate|0.003|" in text
    assert "|data|mine|" in text
    assert "somebody" not in text
    assert "freeze" not in text
    assert "Trained on mine. The run did not note whose recordings these are" in text


def test_asvspoof_5_is_credited(folder: Path) -> None:
    note(folder, settings={"data": "hub"})
    card = card_of(folder)
    assert card.data.datasets == ["jungjee/asvspoof5"]
    assert "ODC-By 1.0" in card.text
    assert "@article{wang2025asvspoof5," in card.text


def test_whatever_else_the_run_learned_from_is_told(folder: Path) -> None:
    sets = {"calls": "/srv/somebody/calls", "studio": {"data": "user/studio", "label": "is_fake"}}
    others = {"training_sets": json.dumps(sets), "replay": json.dumps({"data": "hub", "share": 0.5})}
    unknown = "The run did not note whose recordings these are, nor under which licence."
    note(folder, settings={"data": "/srv/somebody/mine", **others})
    assert f"Trained on mine, calls, user/studio, ASVspoof 5. {unknown}" in card_of(folder).text
    # What is known of one corpus is not said of the others.
    note(folder, settings={"data": "hub", **others, "replay": "{}"})
    text = card_of(folder).text
    assert "ODC-By 1.0" in text
    assert f"Trained on calls, user/studio as well. {unknown}" in text
    assert "somebody" not in text


def test_a_model_of_artificial_voices_carries_a_warning(folder: Path, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).touch()
    note(folder, settings={"data": str(tmp_path)})
    assert "> **Trained on artificial voices" in card_of(folder).text
    assert "Nobody speaks in it" in card_of(folder).text


def test_what_the_run_noted_of_its_clips_is_told(folder: Path) -> None:
    record = {
        "clips": ["train: 12 clips, 6 real and 6 fake, 2 known attacks"],
        "is_artificial": False,
        "date": "2026-11-26",
        "software": "crnn-hf 0.1.0, torch 2.14.1",
        "hardware": "2 cores, x86_64",
    }
    note(folder, settings={"data": "mine"}, training=record)
    text = card_of(folder).text
    assert "- train: 12 clips, 6 real and 6 fake, 2 known attacks" in text
    assert "2026-11-26, crnn-hf 0.1.0, torch 2.14.1, on 2 cores, x86_64." in text
    note(folder, training={**record, "is_artificial": True})
    assert "> **Trained on artificial voices" in card_of(folder).text


def test_speed_is_told_with_its_hardware(folder: Path) -> None:
    note(folder, speed={"hardware": "two cores", "milliseconds": {"4 seconds of speech": 3.512}})
    assert "## Speed\n\nOn two cores.\n\n||ms|\n|---|---:|\n|4 seconds of speech|3.51|" in card_of(folder).text


def test_results_are_those_of_the_report(folder: Path, reported: Callable[..., Path]) -> None:
    report = reported()
    figures = json.loads((report / "metrics.json").read_text())
    text = card_of(folder, report).text
    assert f"|EER|{100 * figures['metrics']['eer']:.2f} %|" in text
    assert f"|minDCF|{figures['metrics']['min_dcf']:.4f}|" in text
    for group in figures["breakdowns"]["attack"]["groups"]:
        if group["metrics"]:
            row = f"|{group['name']}|{group['real']}|{group['fake']}|{100 * group['metrics']['eer']:.2f} %|"
            assert row in text
    assert "### By codec" in text
    assert "On 80 clips of corpus, test: 40 real, 40 fake." in text
    assert re.search(r"One attack is not like another: their EERs go from [\d.]+ % \(A\d\d\) to", text)
    assert "No measurement" not in text
    shown = re.findall(r"!\[[^\n]+\]\(report/([\w.]+)\)", text)
    assert {"det.png", "scores.png", "eer_by_attack.png", "eer_by_codec.png"} <= set(shown)
    assert all((report / name).is_file() for name in shown)
    # Thresholds of a model without calibration were found on these clips, and detect knows none of them.
    assert "found on these very clips" in text
    assert "--threshold" not in text


def test_thresholds_of_a_calibration_stand_beside_what_they_cost(folder: Path, reported: Callable[..., Path]) -> None:
    calibration = {
        "scale": 1.0,
        "offset": 0.0,
        "prior_of_real": 0.9,
        "abstain": [-1.0, 1.0],
        "thresholds": [{"name": "even", "meaning": "even odds", "threshold": 0.0, "frr": 0.125, "far": 0.25}],
        "data": "mine, validation",
        "clips": {"real": 8, "fake": 16},
    }
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "calibration": calibration}))
    alone = card_of(folder).text
    assert "|even|0|12.50 %|25.00 %|" in alone
    assert "fitted on mine, validation (8 real clips, 16 fakes)" in alone
    report = reported(calibration=json.dumps(calibration))
    assert re.search(r"\|even\|0\|[\d.]+ %\|[\d.]+ %\|12\.50 %\|25\.00 %\|", card_of(folder, report).text)
    assert "crnn-hf detect FILE --model user/crnn --threshold even" in alone

    detector = load_detector(folder, device="cpu")
    refuse_report_of_another(read_report(report).figures, detector[0].config, report)
    with pytest.raises(ValueError, match="not calibrated as this model is"):
        refuse_report_of_another(read_report(reported()).figures, detector[0].config, report)


def test_the_head_has_results_where_their_dataset_is_known(folder: Path, reported: Callable[..., Path]) -> None:
    report = reported()
    assert "model-index" not in card_of(folder, report).data.to_dict()
    card = card_of(folder, report, dataset="owner/benchmark")
    (entry,) = card.data.to_dict()["model-index"]
    assert entry["results"][0]["dataset"] == {"name": "benchmark", "type": "owner/benchmark", "split": "test"}
    eer = json.loads((report / "metrics.json").read_text())["metrics"]["eer"]
    assert {metric["type"]: metric["value"] for metric in entry["results"][0]["metrics"]}["eer"] == pytest.approx(eer)
    assert ModelCard(str(card)).data.eval_results == card.data.eval_results


def test_a_report_that_is_not_of_its_own_scores_is_refused(reported: Callable[..., Path], tmp_path: Path) -> None:
    report = shutil.copytree(reported(), tmp_path / "report")
    shutil.copy(reported(separation=2.5) / "scores.tsv", report)
    with pytest.raises(ValueError, match=r"but that of scores\.tsv and keys\.tsv beside it is"):
        read_report(report)


@pytest.mark.parametrize("content", ["no JSON", "[]", "{}"])
def test_a_folder_without_a_report_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(FileNotFoundError, match="expected a report that crnn-hf evaluate wrote"):
        read_report(tmp_path)
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(ValueError, match=r"metrics\.json: "):
        read_report(tmp_path)
