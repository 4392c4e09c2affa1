"""`crnn-hf probe`, as a user types it."""

import json
import shutil
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main
from crnn_hf.inference.probing import CHANGES


def test_a_probe_is_printed_and_written(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "probe.json"
    assert main(["probe", str(tiny_detector), str(tiny_corpus), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert "| Constant offset" in printed
    for title in ("20 dB quieter", "0.5 s of zeros at both ends", "nothing above 3.4 kHz"):
        assert f"\n  {title} " in printed
    assert "\nLevel. The score does not follow it: " in printed
    assert f"All figures: {output}" in printed
    figures = json.loads(output.read_text())
    assert figures["about"] == {
        "model": str(tiny_detector),
        "data": "tiny, validation",
        "command": f"crnn-hf probe {tiny_detector} {tiny_corpus} --output {output}",
        "date": str(date.today()),
        "software": f"crnn-hf {version('crnn-hf')}",
    }
    assert figures["clips"] == {"real": 4, "fake": 4, "not_scored": []}
    assert list(figures["changes"]) == list(CHANGES)
    assert figures["measures"]["offset"]["alone"]["eer"] <= 0.5


def test_recordings_of_one_class_are_probed_and_what_cannot_be_read_is_named(
    tiny_detector: Path, tmp_path: Path, speech: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("path,is_fake\na.wav,1\nb.wav,1\n")
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, speech, 16_000)
    columns = ["--column", "audio=path", "--column", "label=is_fake"]
    command = ["probe", str(tiny_detector), str(table), "--split", "all", *columns]
    assert main(command) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "There is but one class, so that there is no EER." in printed
    assert "- its first 2 s and 2 s from its middle: 2 clips, each of which is no longer than that: " in printed
    shutil.copy(tmp_path / "a.wav", tmp_path / "whole.wav")
    (tmp_path / "a.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:20_000])
    assert main(command) == 1
    assert "1 of 2 clips could not be scored, and were left out" in capsys.readouterr().err
