"""The commands, as a user types them."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main
from crnn_hf.metrics import compute_metrics, read_scores


def test_from_nothing_to_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "embedded", "corpus", "--train-clips", "8", "--dev-clips", "8"]) == 0
    assert "says nothing" in capsys.readouterr().out.replace("say nothing", "says nothing")

    small = ["--architecture.conv_channels=[4]", "--architecture.hidden_size=4", "--num_train_epochs=1"]
    assert main(["train", "quickstart", "--data", "corpus", "--output_dir", "model", *small]) == 0
    assert "The best model is in model: EER " in capsys.readouterr().out

    assert main(["evaluate", "model", "corpus", "--output", "report"]) == 0
    printed = capsys.readouterr().out
    names, scores = read_scores("report/scores.tsv")
    assert len(names) == 8
    from crnn_hf.data import load_asvspoof5

    eer = compute_metrics(scores, load_asvspoof5("corpus", "validation")["label"])["eer"]
    assert f"eer          {eer:.4f}" in printed

    soundfile.write("clip.wav", np.random.default_rng(0).normal(0, 0.1, 24_000), 24_000)
    assert main(["detect", "clip.wav", "--model", "model"]) == 0
    header, verdict = capsys.readouterr().out.splitlines()
    assert header.split() == ["file", "label", "probability", "score"]
    file, label, probability, score = verdict.split()
    assert file == "clip.wav"
    assert label == ("real" if float(score) > 0 else "fake")
    assert 0.5 <= float(probability) <= 1


def test_one_bad_file_does_not_stop_the_others(
    tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], speech: np.ndarray
) -> None:
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    soundfile.write(good, speech, 16_000)
    bad.write_text("no sound")
    assert main(["detect", str(bad), str(tmp_path / "none.wav"), str(good), "--model", str(tiny_detector)]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert f"crnn-hf: {bad}: " in captured.err
    assert "none.wav" in captured.err
    assert "2 of 3 files could not be judged" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing"], "crnn-hf: nothing: no such file"),
        (["train"], "crnn-hf: train: expected a recipe"),
        (["train", "quickstart", "--data", "nowhere"], "crnn-hf: nowhere: no such file or folder"),
        (["train", "quickstart", "--speed", "9"], "there is no setting --speed"),
        (["evaluate", "nowhere", "."], "nowhere"),
        (["detect", "x.wav", "--model", "nowhere"], "nowhere"),
        (["data", "embedded", ".", "--dev-clips", "0"], "dev_clips"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["other"]


def test_a_corpus_is_checked(tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(tiny_corpus), "--all"]) == 0
    assert "16 clips read whole, 0 that cannot be" in capsys.readouterr().out
    corpus = shutil.copytree(tiny_corpus, tmp_path / "corpus")
    (corpus / "flac_T_ab.tar").unlink()
    assert main(["data", "check", str(corpus), "--split", "train"]) == 1
    assert "8 of them without audio" in capsys.readouterr().out


def test_a_corpus_is_described(tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "stats.png"
    assert main(["data", "stats", str(tiny_corpus), "--picture", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert "Level [dB]" in printed
    assert f"The same as a picture: {picture}" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_own_recordings_from_a_folder_to_a_verdict(
    tiny_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "extract", str(tiny_corpus), "clips", "--split", "train", "--first", "16"]) == 0
    for line in capsys.readouterr().out.splitlines():
        file, label = line.split()
        folder = Path("mine", label)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(file, folder)
    small = ["--architecture.conv_channels=[4]", "--architecture.hidden_size=4", "--num_train_epochs=1"]
    assert main(["train", "crnn", "--data", "mine", "--output_dir", "model", *small]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"train: 1[234] clips, \d real and \d fake", printed)
    assert main(["evaluate", "model", "mine", "--output", "report"]) == 0
    names, _ = read_scores("report/scores.tsv")
    assert all(re.fullmatch(r"(real|fake)/T_\d{10}", name) for name in names)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["detect", "x.wav"],
        ["evaluate", "m", "d", "--spilt", "test"],
        ["data", "stats", "d", "--column", "is_fake"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_all_settings_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--settings"]) == 0
    assert "--crop_seconds" in capsys.readouterr().out
