"""`crnn-hf detect` on files, folders and standard input, for people and for programs."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main


@pytest.fixture
def folder(tmp_path: Path, speech: np.ndarray) -> Path:
    """Two recordings, one in a folder of its own; a text; a hidden file; and one that is cut off."""
    folder = tmp_path / "recordings"
    (folder / "more").mkdir(parents=True)
    soundfile.write(folder / "a.wav", speech, 16_000)
    soundfile.write(folder / "more" / "b.flac", np.concatenate([speech] * 3), 16_000)
    (folder / "notes.txt").write_text("no sound")
    (folder / ".hidden.wav").write_text("no sound")
    (folder / "z.flac").write_bytes((folder / "more" / "b.flac").read_bytes()[:9_000])
    return folder


@pytest.fixture
def detect(tiny_detector: Path, capsys: pytest.CaptureFixture[str]) -> Callable:
    """Runs the command; its status, and what it printed on standard output and error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["detect", *map(str, arguments), "--model", str(tiny_detector)])
        return status, *capsys.readouterr()

    return run


def test_a_folder_as_json(folder: Path, detect: Callable) -> None:
    status, out, err = detect(folder, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert [Path(result["file"]).name for result in found] == ["a.wav", "b.flac", "z.flac"]
    assert found[1]["duration"] == 6.0
    assert found[1]["segments"][-1]["end"] == 6.0
    assert len(found[1]["timeline"]["scores"]) == 12
    assert found[2]["error"].startswith(f"{folder / 'z.flac'}: cut off or damaged")
    assert status == 1
    assert "1 of 3 files could not be judged" in err
    assert "left out 2 files of the folders" in err


def test_a_table_for_other_programs(folder: Path, detect: Callable) -> None:
    _, out, _ = detect(folder, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["seconds"] for row in rows] == ["2.0", "6.0", ""]
    assert {row["label"] for row in rows[:2]} <= {"real", "fake"}
    assert "cut off" in rows[2]["error"]


def test_fake_stretches_are_told(folder: Path, detect: Callable) -> None:
    _, out, _ = detect(folder / "more" / "b.flac", "--threshold", "1000")
    assert out.splitlines()[1].split()[1:] == ["fake", "-", out.split()[-3], "6.0", "0.0-6.0"]


def test_standard_input(folder: Path, detect: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (folder / "a.wav").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    status, out, _ = detect("-", "--json")
    _, of_file, _ = detect(folder / "a.wav", "--json")
    assert status == 0
    assert json.loads(out)["score"] == json.loads(of_file)["score"]


def test_pictures(folder: Path, detect: Callable, tmp_path: Path) -> None:
    assert detect(folder / "a.wav", "--timeline", tmp_path / "one.png")[0] == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert detect(folder / "a.wav", folder / "more", "--timeline", tmp_path / "all")[0] == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["a.wav.png", "b.flac.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}/a.wav", "--timeline", "{}/folder"], "--timeline: expected a .png"),
        (["{}", "--timeline", "{}/one.png"], "--timeline: expected a folder, for several recordings"),
        (["-", "-"], "expected standard input, -, no more than once"),
        (["{}/more/empty"], "no recordings in this folder; found 0 files"),
        (["{}/a.wav", "--backend", "onnx"], "crnn-hf export"),
        (["{}/a.wav", "--batch-size", "0"], "batch_size must be at least 1; found 0"),
    ],
)
def test_impossible_wishes_are_named(folder: Path, detect: Callable, arguments: list[str], message: str) -> None:
    (folder / "more" / "empty").mkdir()
    status, _, err = detect(*(argument.format(folder) for argument in arguments))
    assert status == 2
    assert message in err
