"""Figures in the forms that the Hub shows, held against their schemas and read back."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData, parse_eval_result_entries
from huggingface_hub.repocard_data import model_index_to_eval_results

from crnn_hf.metrics import HEADLINE
from crnn_hf.metrics.exchange.arena import (
    TASK_ID,
)
from crnn_hf.metrics.exchange.hub_results import (
    TYPES,
    eval_results,
    model_index,
    write_eval_results,
    write_model_index,
)

DATASET = "SpeechAntiSpoofingBenchmarks/ASVspoof5"
SCORES_URL = f"https://huggingface.co/owner/crnn/resolve/0123abc/.eval_results/{DATASET}/scores.txt"
REVISION = "9b2040e8c57749dcd9a4f16ad61b4f47626b89ec"


def test_eval_results_of_the_hub(tmp_path: Path, figures: dict[str, Any]) -> None:
    entries = eval_results(figures, dataset_id=DATASET, task_id=TASK_ID, dataset_revision=REVISION)
    path = write_eval_results(tmp_path, entries)
    assert path == tmp_path / ".eval_results" / "ASVspoof5.yaml"
    (written,) = content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert written["dataset"] == {"id": DATASET, "task_id": "antispoofing_eval", "revision": REVISION}
    assert written["value"] == pytest.approx(figures["metrics"]["eer"] * 100, abs=1e-6)
    assert written["date"] == "2026-01-31"
    assert set(written) == {"dataset", "value", "date", "notes"}
    assert re.fullmatch(
        r"EER as ASVspoof 5 defines it, in %; lower is better\. 400 clips: \d+ real, \d+ fake\. "
        r"95 % interval over clips: [\d.]+ to [\d.]+ %\. "
        r"Found by: crnn-hf evaluate owner/crnn hub",
        written["notes"],
    )
    assert parse_eval_result_entries(content) == entries


def test_where_files_lay_is_not_published(figures: dict[str, Any], tmp_path: Path) -> None:
    home = tmp_path / "jane doe"
    words = [home / "my model", f"{home / 'corpus'}/", "--split", "test", f"--output={home / 'report'}"]
    command = shlex.join(["crnn-hf", "evaluate", *map(str, words)])
    about = figures["about"] | {"command": command}
    (entry,) = eval_results(figures | {"about": about}, dataset_id="a/b", task_id="default")
    assert entry.notes.endswith("Found by: crnn-hf evaluate 'my model' corpus --split test --output=report")


def test_another_metric_of_the_hub(tmp_path: Path, figures: dict[str, Any]) -> None:
    (entry,) = eval_results(figures, dataset_id="a/b", task_id="default", metric="min_dcf", source_url="https://x.org")
    assert entry.value == round(figures["metrics"]["min_dcf"], 6)
    assert entry.notes.startswith("minDCF as ASVspoof 5 defines it; lower is better.")
    (recall,) = eval_results(figures, dataset_id="a/b", task_id="default", metric="recall")
    assert "Called fake below a score of 0; fake is the positive class." in recall.notes
    path = write_eval_results(tmp_path, [entry, recall], "two")
    assert path.name == "two.yaml"
    assert len(yaml.safe_load(path.read_text(encoding="utf-8"))) == 2
    with pytest.raises(ValueError, match="no metric 'wer'; expected one of eer, "):
        eval_results(figures, dataset_id="a/b", task_id="default", metric="wer")
    with pytest.raises(ValueError, match="found 'asvspoof5'"):
        eval_results(figures, dataset_id="asvspoof5", task_id="default")


def test_model_index_goes_through_a_card_and_back(figures: dict[str, Any]) -> None:
    results = model_index(figures, dataset_name="ASVspoof 5", dataset_type="jungjee/asvspoof5", split="test")
    card = ModelCardData(model_name="CRNN", eval_results=results, tags=["audio-deepfake-detection"])
    index = yaml.safe_load(card.to_yaml())["model-index"]
    assert [len(result["metrics"]) for result in index[0]["results"]] == [len(HEADLINE)]
    assert index[0]["results"][0]["task"]["type"] == "audio-classification"
    assert index[0]["results"][0]["dataset"] == {
        "name": "ASVspoof 5",
        "type": "jungjee/asvspoof5",
        "split": "test",
    }
    assert model_index_to_eval_results(index) == ("CRNN", results)
    by_type = {result.metric_type: result for result in results}
    for name in HEADLINE:
        assert by_type[TYPES[name]].metric_value == pytest.approx(figures["metrics"][name], abs=1e-6)
    assert by_type["precision"].metric_name == "Precision (positive: fake)"
    assert by_type["roc_auc"].metric_name == "AUC"
    assert by_type["f1"].metric_args == {"threshold": 0.0}
    assert by_type["eer"].metric_args is None


def test_a_card_keeps_its_text_and_the_results_on_other_data(figures: dict[str, Any], tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: apache-2.0\n---\n\n# A detector\n\nIts text.\n")
    for dataset in (DATASET, "owner/other", DATASET):
        write_model_index(card, figures, dataset_id=dataset, split="test")
    read = ModelCard.load(card)
    assert read.text.strip() == "# A detector\n\nIts text."
    assert read.data.license == "apache-2.0"
    assert [result.dataset_type for result in read.data.eval_results] == ["owner/other"] * 9 + [DATASET] * 9
    found = {result.metric_type: result.metric_value for result in read.data.eval_results}
    assert found["eer"] == pytest.approx(figures["metrics"]["eer"], abs=1e-6)
