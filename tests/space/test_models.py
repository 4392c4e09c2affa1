"""Which detector the demo asks, and whether it knows one that was trained on artificial voices."""

import shutil
from pathlib import Path

import pytest

from crnn_hf.hub.shipped import shipped

pytest.importorskip("gradio", reason="needs crnn-hf[space]")


def test_somebody_names_it(calibrated: Path, tmp_path: Path) -> None:
    from demo.models import serve

    served = serve({"CRNN_MODEL": str(calibrated)}, tmp_path, tmp_path / "model.txt")
    assert (served.name, served.backend, served.is_artificial, served.is_chosen) == ("mine", "torch", False, True)
    (tmp_path / "model.txt").write_text(f"{calibrated}\n")
    assert serve({}, tmp_path, tmp_path / "model.txt").name == "mine"


def test_the_quickstarts_for_want_of_another(
    tiny_detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demo.models import QUICKSTART, serve

    monkeypatch.chdir(tmp_path)
    assert serve({}, tmp_path / "checkout", tmp_path / "model.txt") is None
    shutil.copytree(tiny_detector, tmp_path / "checkout" / QUICKSTART)
    served = serve({}, tmp_path / "checkout", tmp_path / "model.txt")
    assert (served.is_artificial, served.is_chosen) == (True, False)


def test_artificial_voices_are_known_by_their_clips(artificial: Path) -> None:
    from demo.models import load

    assert load(artificial).is_artificial


def test_onnx_is_taken_where_the_model_has_it(calibrated: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs crnn-hf[onnx]")
    from demo.models import load

    from crnn_hf.inference.backends import export_onnx

    export_onnx(calibrated, tmp_path / "onnx")
    assert load(tmp_path / "onnx").backend == "onnx"
    assert load(tmp_path / "onnx", "torch").backend == "torch"


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    from demo.models import serve

    with pytest.raises(FileNotFoundError, match="no such folder"):
        serve({"CRNN_MODEL": str(tmp_path / "gone")}, tmp_path, tmp_path / "model.txt")


def test_the_package_finds_the_space() -> None:
    assert (shipped("space") / "app.py").is_file()
