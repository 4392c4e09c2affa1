"""Tables per attack are short, and begin with the worst."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from datasets import Dataset

from crnn_hf.training.arguments import DetectorTrainingArguments
from crnn_hf.training.attack_tables import (
    HIDDEN,
    MOST_LINES,
    Row,
    TrackioTables,
    as_markdown,
    as_text,
    attack_rows,
    prefix_of,
)

METRICS = {"eval_codec_loss": 0.5, "eval_codec_eer": 0.2, "eval_codec_attack_a_eer": 0.1, "eval_codec_attack_b_eer": 1}


def test_the_worst_attack_comes_first() -> None:
    dataset = Dataset.from_dict({"label": [0, 1, 1, 1], "attack": ["-", "a", "b", "a"]})
    rows = attack_rows(METRICS, dataset)
    assert rows == [Row("b", 1, 1), Row("a", 2, 0.1)]
    assert prefix_of(METRICS) == "eval_codec"
    assert as_text(rows, "codec").splitlines() == [
        "codec",
        "  attack    clips      EER",
        "  b             1  100.00%",
        "  a             2   10.00%",
    ]
    assert as_markdown(rows).splitlines()[2:] == ["| b | 1 | 100.00% |", "| a | 2 | 10.00% |"]


def test_without_attacks_there_is_no_table() -> None:
    dataset = Dataset.from_dict({"label": [0, 1], "attack": ["-", "a"]})
    assert attack_rows({"eval_loss": 0.5, "eval_eer": 0.2}, dataset) == []


def test_of_many_attacks_the_worst_are_shown() -> None:
    rows = [Row(f"attack {number}", 1_000, 1 / number) for number in range(2, MOST_LINES + 2)]
    lines = as_text(rows, "validation").splitlines()
    assert len(lines) == MOST_LINES
    assert lines[2] == "  attack 2     1,000   50.00%"
    assert lines[-1] == "  and 3 more, none above 2.56%"
    assert len(as_text(rows[:-2], "validation").splitlines()) == MOST_LINES
    assert "more" not in as_text(rows[:-2], "validation")
    assert len(as_markdown(rows).splitlines()) == len(rows) + 2


def test_what_the_console_leaves_out() -> None:
    kept = [
        "eval_eer",
        "eval_codec_eer",
        "eval_mean_eer",
        "train_runtime",
        "train_samples_per_second",
        "loss",
        "epoch",
    ]
    left_out = ["eval_attack_a_eer", "eval_codec_attack_b_eer", "eval_runtime", "eval_codec_steps_per_second"]
    assert [name for name in kept + left_out if not HIDDEN.search(name)] == kept


def test_trackio_gets_figures_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    callback = TrackioTables()
    arguments = DetectorTrainingArguments(output_dir=str(tmp_path / "run"), project="test")
    state = SimpleNamespace(is_world_process_zero=True, global_step=7)
    rows = Dataset.from_dict({"label": [0, 1, 1, 1], "attack": ["-", "a", "b", "a"]})
    callback.on_train_begin(arguments, state, None)
    callback.on_log(arguments, state, None, logs=dict(METRICS))
    callback.on_evaluate(arguments, state, None, METRICS, SimpleNamespace(dataset=rows))
    callback.on_train_end(arguments, state, None)
    # The best model, once more.
    callback.on_log(arguments, state, None, logs=dict(METRICS))
    callback.on_evaluate(arguments, state, None, METRICS, SimpleNamespace(dataset=rows))

    from trackio import SQLiteStorage

    assert [run["name"] for run in SQLiteStorage.get_run_records("test")] == [arguments.output_dir]
    figures, table = SQLiteStorage.get_logs("test", arguments.output_dir)
    assert figures["eval/codec_eer"] == 0.2
    assert table["train/global_step"] == 7
    assert table["eval/codec_attacks"]["_value"] == [
        {"attack": "b", "clips": 1, "eer": 1},
        {"attack": "a", "clips": 2, "eer": 0.1},
    ]
