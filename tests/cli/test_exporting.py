"""`crnn-hf export`, as a user types it."""

import shutil
from pathlib import Path

import pytest
import torch

from crnn_hf.cli import main
from crnn_hf.contrast_crnn import NUM_STATISTICS
from crnn_hf.inference.backends import load_backend


def test_a_copy_with_all_files(tiny_detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "new" / "exported"
    assert main(["export", str(tiny_detector), str(output), "--int8", "--with-features"]) == 0
    printed = capsys.readouterr().out.splitlines()
    names = ["model.onnx", "model_quantized.onnx", "model_with_features.onnx"]
    assert [line.partition(": ")[0] for line in printed] == [str(output / "onnx" / name) for name in names]
    assert all("its logits differ from PyTorch's by at most" in line for line in printed)
    assert sorted(path.name for path in (output / "onnx").iterdir()) == names
    inputs = {"input_features": torch.randn(2, 50, 80), "contrast": torch.randn(2, NUM_STATISTICS)}
    with torch.no_grad():
        logits = [load_backend(output, backend, "cpu")[0](**inputs).logits for backend in ("torch", "onnx")]
    torch.testing.assert_close(*logits, atol=1e-5, rtol=0)


def test_into_the_models_own_folder(tiny_detector: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_detector, folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["export", str(folder), str(folder)]) == 0
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert [path.name for path in (folder / "onnx").iterdir()] == ["model.onnx"]


def test_no_such_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path / "nowhere"), str(tmp_path / "out")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
