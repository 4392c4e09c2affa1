"""`crnn-hf compare`, from two models and a corpus to a verdict."""

import json
import shutil
from pathlib import Path

import pytest
import soundfile
import torch

from crnn_hf import CRNNForAudioClassification
from crnn_hf.cli import main
from crnn_hf.data import load_asvspoof5
from crnn_hf.data.reading import waveform_of
from crnn_hf.inference import load_detector, score_clips

TIMES = 6  # that each of the corpus's 16 clips is there


@pytest.fixture(scope="module")
def corpus(tiny_corpus: Path, tiny_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings that the tiny detector tells apart without an error: what it takes for fake lies among the fakes."""
    folder = tmp_path_factory.mktemp("clips")
    rows = load_asvspoof5(tiny_corpus, "train")
    trials = score_clips(*load_detector(tiny_detector), rows).trials
    order = trials.scores.argsort()
    for place, index in enumerate(order.tolist()):
        waveform = waveform_of(rows[index]["audio"])
        for copy in range(TIMES):
            kind = f"fake/{('one', 'two')[place % 2]}" if place < len(order) // 2 else "real"
            path = folder / "validation" / kind / f"{index}_{copy}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, waveform, 16_000, subtype="FLOAT")
    return folder


@pytest.fixture
def mistaken(tiny_detector: Path, tmp_path: Path) -> Path:
    """The same detector with its opinions the other way round."""
    folder = shutil.copytree(tiny_detector, tmp_path / "mistaken")
    model = CRNNForAudioClassification.from_pretrained(folder)
    with torch.no_grad():
        for opinion in (model.classifier, model.contrast):
            opinion.weight.copy_(opinion.weight.flip(0))
            opinion.bias.copy_(opinion.bias.flip(0))
    model.save_pretrained(folder)
    return folder


def test_a_model_is_no_better_than_itself(
    tiny_detector: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny_detector)
    assert main(["compare", model, model, str(corpus), "--fail-if-worse"]) == 0
    captured = capsys.readouterr()
    assert "Pooled EER 0.00 % -> 0.00 %: no difference shown." in captured.out
    assert "Better on 0 of 2 attacks, worse on 0, no difference shown on 2" in captured.out
    assert "Of the fakes, 0 are newly missed and 0 newly found" in captured.out
    assert "Warning" not in captured.out


def test_a_worse_model_is_told_and_fails_where_it_is_to(
    tiny_detector: Path, mistaken: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results" / "comparison.json"
    arguments = ["compare", str(tiny_detector), str(mistaken), str(corpus)]
    assert main([*arguments, "--output", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "Pooled EER 0.00 % -> 100.00 %: worse." in printed
    assert "Better on 0 of 2 attacks, worse on 2 (one: 0.00 % -> 100.00 %, two: 0.00 % -> 100.00 %);" in printed
    assert "Warning: the new model: the scores look reversed" in printed
    found = json.loads(file.read_text())
    assert found["is_worse"]
    assert {row["name"] for row in found["pooled"] if row["verdict"] == "worse"} >= {"eer", "min_dcf", "cllr"}
    assert (found["pooled"][0]["old"], found["pooled"][0]["new"]) == (0, 1)
    rows = found["tables"]["attack"]["rows"]
    assert [(row["name"], row["real"], row["fake"]) for row in rows] == [("one", 48, 24), ("two", 48, 24)]
    assert set(found["flips"]["real"]["newly_wrong"]) <= {f"real/{path.stem}" for path in corpus.rglob("real/*")}
    assert found["summary"] in printed
    assert found["about"]["data"] == f"{corpus.name}, validation"

    assert main([*arguments, "--fail-if-worse"]) == 1
    assert main(["compare", str(mistaken), str(tiny_detector), str(corpus), "--fail-if-worse"]) == 0
    assert "better on 2 of 2 attacks" in capsys.readouterr().out.lower()


def test_bad_input(tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tiny_detector)
    assert main(["compare", model, model, "nowhere", "--output", str(tmp_path)]) == 2
    assert f"{tmp_path} is a folder; expected the name of a JSON file for --output" in capsys.readouterr().err
    assert main(["compare", model, "nowhere", "nowhere"]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
