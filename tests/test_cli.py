"""The commands, as a user types them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main
from crnn_hf.data import load_asvspoof5
from crnn_hf.data.locations import without_folder
from crnn_hf.inference import load_detector, score_clips
from crnn_hf.metrics import compute_cm_metrics, read_scores
from crnn_hf.metrics.exchange.arena import EXAMPLE


def test_from_nothing_to_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "embedded", "corpus", "--train-clips", "8", "--dev-clips", "8", "--eval-clips", "16"]) == 0
    assert "says nothing" in capsys.readouterr().out.replace("say nothing", "says nothing")

    small = ["--architecture.conv_channels=[4]", "--architecture.hidden_size=4", "--num_train_epochs=1"]
    small += ["--vocoding.learned_steps=4"]
    assert main(["train", "quickstart", "--data", "corpus", "--output_dir", "model", *small]) == 0
    assert "The best model is in model: EER " in capsys.readouterr().out

    soundfile.write("clip.wav", np.random.default_rng(0).normal(0, 0.1, 24_000), 24_000)
    assert main(["detect", "clip.wav", "--model", "model"]) == 0
    captured = capsys.readouterr()
    header, verdict = captured.out.splitlines()
    assert header.split() == ["file", "label", "P(fake)", "score", "seconds", "fake", "from-to"]
    file, label, chance, score, seconds, _ = verdict.split()
    assert (file, label, chance, seconds) == ("clip.wav", "real" if float(score) > 0 else "fake", "-", "1.0")
    assert "not calibrated" in captured.err

    assert main(["evaluate", "model", "corpus", "--split", "test", "--output", "report"]) == 0
    printed = capsys.readouterr().out
    names, scores = read_scores("report/scores.tsv")
    assert len(names) == 16
    metrics = compute_cm_metrics(scores, load_asvspoof5("corpus", "test")["label"])
    for name in ("eer", "min_dcf", "act_dcf", "cllr"):
        assert f"{name:10} {metrics[name]:7.4f}" in printed
    assert "EER by attack" in printed
    assert "EER by codec" in printed
    assert "The scores are not calibrated" in printed
    figures = json.loads(Path("report/metrics.json").read_text())
    assert figures["metrics"]["eer"] == pytest.approx(metrics["eer"])
    assert figures["calibration"] is None
    assert figures["about"]["command"] == "crnn-hf evaluate model corpus --split test --output report"
    assert Path("report/report.html").read_text().startswith("<!DOCTYPE html>")
    assert Path("report/report.md").read_text().startswith("# ")


def clips_that_it_tells_apart(detector: Path, corpus: Path, folder: Path) -> str:
    """A folder of recordings in which those that an untrained detector scores higher are called real."""
    trials = score_clips(*load_detector(detector), load_asvspoof5(corpus, "train")).trials
    for row in load_asvspoof5(corpus, "train"):
        score = trials.scores[trials.utterances.index(row["utterance"])]
        label = "real" if score > np.median(trials.scores) else "fake"
        path = folder / "validation" / label / Path(row["audio"]["path"]).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row["audio"]["bytes"])
    return str(folder)


def test_a_calibrated_model_says_what_its_scores_are_worth(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], speech: np.ndarray
) -> None:
    model = str(shutil.copytree(tiny_detector, tmp_path / "model"))
    clips = clips_that_it_tells_apart(tiny_detector, tiny_corpus, tmp_path / "clips")
    recording = tmp_path / "clip.wav"
    soundfile.write(recording, speech, 16_000)
    detect = ["detect", str(recording), "--model", model]
    capsys.readouterr()

    assert main(["calibrate", model, clips]) == 0
    printed = capsys.readouterr().out
    assert "log-likelihood ratio = " in printed
    assert "equal_errors" in printed
    assert f"The calibration is stored in {Path(model) / 'config.json'}" in printed

    assert main(detect) == 0
    captured = capsys.readouterr()
    _, label, chance, score, *_ = captured.out.splitlines()[1].split()
    assert label in ("real", "fake", "unsure")
    assert float(chance) == pytest.approx(1 / (1 + np.exp(float(score))), abs=0.01)
    assert captured.err == ""
    assert main([*detect, "--threshold", "equal_errors"]) == 0
    assert "unsure" not in capsys.readouterr().out
    assert main([*detect, "--threshold", "best"]) == 2
    assert "no threshold is named 'best'; expected a number or one of" in capsys.readouterr().err

    assert main(["evaluate", model, clips, "--output", str(tmp_path / "report")]) == 0
    printed = capsys.readouterr().out
    assert "The scores are calibrated" in printed
    assert "Warning: the calibration was fitted to these very clips" in printed
    assert main(["evaluate", model, clips, "--first", "12", "--output", str(tmp_path / "report")]) == 0
    assert "Warning: the calibration was fitted to clips of the same name" in capsys.readouterr().out


def test_scores_that_are_worth_nothing_are_not_calibrated(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copytree(tiny_detector, tmp_path / "model")
    clips = Path(clips_that_it_tells_apart(tiny_detector, tiny_corpus, tmp_path / "clips"))
    (clips / "validation" / "real").rename(clips / "was real")
    (clips / "validation" / "fake").rename(clips / "validation" / "real")
    (clips / "was real").rename(clips / "validation" / "fake")
    assert main(["calibrate", str(model), str(clips)]) == 2
    assert "are they reversed" in capsys.readouterr().err
    assert (model / "config.json").read_bytes() == (tiny_detector / "config.json").read_bytes()


def test_a_hub_name_is_no_place_for_a_calibration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "user/model", "corpus"]) == 2
    assert (
        "user/model is not a folder that a calibration can be stored in; expected --output" in capsys.readouterr().err
    )


def test_a_calibration_that_cannot_be_stored_is_refused_before_clips_are_scored(
    tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["calibrate", str(tiny_detector), "nowhere", "--output", str(tmp_path / "file")]) == 2
    assert "File exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "called"),
    [
        ("corpus", "corpus"),
        ("corpus/", "corpus"),
        ("corpus/.", "corpus"),
        ("user/name", "user/name"),
        ("hub", "hub"),
        ("https://host.example/corpus?token=secret", "corpus"),
    ],
)
def test_a_calibration_says_of_which_corpus_and_not_where_it_lay(
    data: str, called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus").mkdir()
    monkeypatch.chdir(tmp_path)
    assert without_folder(data) == called
    monkeypatch.chdir(tmp_path / "corpus")
    assert without_folder(".") == "corpus"


@pytest.fixture
def score_files(tmp_path: Path) -> dict[str, str]:
    """Keys, the scores of two systems, of which the second is worse, and other files that are wrong."""
    rng = np.random.default_rng(0)
    names, labels = [f"E_{index:04d}" for index in range(400)], ["bonafide", "spoof"] * 200
    scores = {"good": rng.normal([1.5, -1.5] * 200), "bad": rng.normal([0.5, -0.5] * 200)}
    scores["reversed"] = -scores["good"]
    lines = {name: [f"{clip}\t{score}" for clip, score in zip(names, of, strict=True)] for name, of in scores.items()}
    lines["partial"] = lines["good"][:300]
    keys = [f"{clip}\t{label}" for clip, label in zip(names, labels, strict=True)]
    texts = {name: ["filename\tcm-score", *rows] for name, rows in lines.items()}
    texts["keys"] = ["filename\tcm-label", *keys[::-1]]
    for name, rows in texts.items():
        (tmp_path / name).write_text("\n".join(rows) + "\n")
    return {name: str(tmp_path / name) for name in texts}


def test_any_systems_scores_are_measured(
    score_files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report"
    assert main(["metrics", score_files["good"], score_files["keys"], "--output", str(report)]) == 0
    eer = json.loads((report / "metrics.json").read_text())["metrics"]["eer"]
    assert 0.03 < eer < 0.1
    assert f"eer        {eer:7.4f}" in capsys.readouterr().out

    assert main(["metrics", score_files["bad"], score_files["keys"], "--compare", score_files["good"]]) == 0
    line = [line for line in capsys.readouterr().out.splitlines() if line.startswith("eer ")][-1]
    first, second, difference, lower, upper, p_value = map(float, line.replace(" to ", " ").split()[1:])
    assert difference == pytest.approx(second - first, abs=2e-4)
    assert lower < difference < upper < 0
    assert p_value < 0.01

    assert main(["metrics", score_files["reversed"], score_files["keys"]]) == 0
    assert f"Warning: the scores look reversed: the EER is {1 - eer:.2%}" in capsys.readouterr().out


def test_results_are_written_as_the_hub_and_the_arena_read_them(
    score_files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, model, system = tmp_path / "report", tmp_path / "model", tmp_path / "system.yaml"
    assert main(["metrics", score_files["good"], score_files["keys"], "--output", str(report)]) == 0
    model.mkdir()
    (model / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# CRNN\n")
    system.write_text(EXAMPLE)
    capsys.readouterr()
    command = ["results", str(report), str(model), "--dataset", "owner/data", "--system", str(system)]
    assert main(command) == 0
    assert capsys.readouterr().out.split() == [
        str(model / name)
        for name in (".eval_results/data.yaml", "README.md", ".eval_results/owner/data/scores.txt", "meta.yaml")
    ]
    assert "model-index" in (model / "README.md").read_text()
    scores_url = "https://huggingface.co/owner/crnn/resolve/0123abc/.eval_results/owner/data/scores.txt"
    pins = ["--scores-url", scores_url, "--revision", "9b2040e", "--hf-username", "owner", "--contact", "a@b.example"]
    assert main([*command, *pins]) == 0
    assert (model / "submissions" / "crnn.yaml").is_file()
    assert main([*command, *pins[:2]]) == 2
    assert "go together" in capsys.readouterr().err
    assert main([*command[:-2], *pins]) == 2
    assert "go together, and with --system" in capsys.readouterr().err

    # What the Arena would not take is refused before anything is written.
    system.write_text("system: {}\n")
    assert main(["results", str(report), str(tmp_path / "other"), *command[3:]]) == 2
    assert not (tmp_path / "other").exists()
    (report / "metrics.json").write_text("no JSON")
    capsys.readouterr()
    assert main(command) == 2
    assert f"{report / 'metrics.json'}: expected what a report writes" in capsys.readouterr().err


def test_scores_without_their_keys_are_refused(
    score_files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["metrics", score_files["partial"], score_files["keys"]]) == 2
    assert "100 " in capsys.readouterr().err
    assert main(["metrics", score_files["partial"], score_files["keys"], "--partial"]) == 0
    assert "100 of 400 keys have no score, and were left out." in capsys.readouterr().out
    compared = ["metrics", score_files["partial"], score_files["keys"], "--partial", "--compare", score_files["good"]]
    assert main(compared) == 2
    captured = capsys.readouterr()
    assert "do not score the same clips: found 300 and 400, of which 300 are in both" in captured.err
    assert captured.out == ""


def test_a_report_does_not_overwrite_what_it_is_on(
    score_files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = Path(score_files["partial"]).rename(tmp_path / "scores.tsv")
    before = scores.read_bytes()
    assert main(["metrics", str(scores), score_files["keys"], "--partial", "--output", str(tmp_path)]) == 2
    assert "would overwrite what it is on; expected another --output" in capsys.readouterr().err
    assert scores.read_bytes() == before


def test_clips_of_one_class_leave_no_earlier_report_beside_their_scores(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = Path(clips_that_it_tells_apart(tiny_detector, tiny_corpus, tmp_path / "clips"))
    report = tmp_path / "report"
    assert main(["evaluate", str(tiny_detector), str(clips), "--output", str(report)]) == 0
    assert (report / "report.html").is_file()
    (first, *_), reals = ([*(clips / "validation" / label).iterdir()] for label in ("fake", "real"))
    for path in (first, *reals[:2]):  # of which one real clip is held out for validation
        (tmp_path / "few" / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "few" / path.parent.name)
    capsys.readouterr()
    assert main(["evaluate", str(tiny_detector), str(tmp_path / "few"), "--output", str(report)]) == 0
    assert "No metrics" in capsys.readouterr().out
    assert not any((report / name).exists() for name in ("report.html", "report.md", "metrics.json"))


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
        (["train"], "crnn-hf: expected a recipe"),
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


def test_augmentations_can_be_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str], speech: np.ndarray) -> None:
    recording, output = tmp_path / "clip.wav", tmp_path / "examples"
    soundfile.write(recording, speech, 16_000)
    assert main(["augment", str(recording), "--output", str(output), "--recipe", "crnn-asvspoof5"]) == 0
    names = ["original", "edge_silence", "reverberation", "noise", "band_limit", "codec", "gain"]
    files = [str(output / f"{name}.{kind}") for name in names for kind in ("flac", "png")]
    assert capsys.readouterr().out.split() == files
    assert all(Path(file).stat().st_size > 0 for file in files)


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
    small += ["--vocoding.learned_steps=4"]
    assert main(["train", "crnn-asvspoof5", "--data", "mine", "--output_dir", "model", *small]) == 0
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
