"""The module of `evaluate` loads without a network and gives what `compute_cm_metrics` does, in any form of labels."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import evaluate
import numpy as np
import pytest

from crnn_hf.metrics import compute_cm_metrics
from crnn_hf.metrics.cm_metrics import CM_METRICS

LABELS = np.arange(60) % 3 % 2
SCORES = np.random.default_rng(0).normal(size=60) - LABELS


def _no_network(*_: object) -> None:
    raise OSError("a test tried to reach the network")


@pytest.fixture
def metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[evaluate.Metric]:
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    monkeypatch.setattr(sys, "path", [*sys.path])  # which evaluate appends to
    modules = set(sys.modules)
    yield evaluate.load(CM_METRICS, cache_dir=str(tmp_path / "cache"))
    for name in set(sys.modules) - modules:
        if name.startswith("evaluate_modules"):
            del sys.modules[name]


def test_forms_of_labels(metric: evaluate.Metric) -> None:
    expected = compute_cm_metrics(SCORES, LABELS)
    for names in (("real", "fake"), ("bonafide", "spoof")):
        texts = [names[label] for label in LABELS]
        assert metric.compute(predictions=SCORES, references=texts) == expected
        assert metric.compute(predictions=SCORES.tolist(), references=np.array(texts)) == expected
    for labels in (LABELS, LABELS.tolist(), LABELS.astype(bool), LABELS.astype(np.float32)):
        assert metric.compute(predictions=SCORES, references=labels) == expected


def test_batches_and_threshold(metric: evaluate.Metric) -> None:
    for start in range(0, 60, 25):
        metric.add_batch(predictions=SCORES[start : start + 25], references=LABELS[start : start + 25])
    assert metric.compute(threshold=-0.5) == compute_cm_metrics(SCORES, LABELS, -0.5)
    for score, label in zip(SCORES, LABELS, strict=True):
        metric.add(prediction=score, reference="fake" if label else "real")
    assert metric.compute() == compute_cm_metrics(SCORES, LABELS)


def test_together_with_others(metric: evaluate.Metric) -> None:
    assert evaluate.combine([metric]).compute(predictions=SCORES, references=LABELS)["eer"] == pytest.approx(
        compute_cm_metrics(SCORES, LABELS)["eer"]
    )


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([1.0, 2.0], [0.5, 1], r"labels must be 0 or 1, .*; found 0\.5"),
        ([1.0, 2.0], ["genuine", "fake"], "found '?genuine"),
        ([np.nan, 2.0], [0, 1], "not finite"),
        ([1.0, 2.0], [1, 1], "found fakes only"),
        ([1.0, 2.0, 3.0], [1, 0], "Mismatch in the number of predictions"),
        ([[1.0, 2.0], [0.0, 1.0]], [1, 0], "don't match the expected format"),
    ],
)
def test_what_cannot_be_right_is_refused(
    metric: evaluate.Metric, predictions: list, references: list, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metric.compute(predictions=predictions, references=references)


def test_it_tells_what_it_is(metric: evaluate.Metric) -> None:
    assert metric.name == "cm_metrics"
    assert "equal error rate" in metric.description
    assert "higher for real" in metric.inputs_description
    assert "asvspoof5" in metric.citation
    assert Path(CM_METRICS, "cm_metrics.py").is_file()
