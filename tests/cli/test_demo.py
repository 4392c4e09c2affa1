"""`crnn-hf demo` starts the Space's app with what it was told."""

import argparse
import json
from pathlib import Path

import pytest

from crnn_hf.cli import demo


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    demo.add_to(parser.add_subparsers())
    return parser


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app that writes down what it was told, and ends with status 7."""
    monkeypatch.setattr("crnn_hf.hub.shipped.shipped", lambda name: tmp_path / name)
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "app.py").write_text(
        "import json, os, pathlib, sys\n"
        "told = {k: v for k, v in os.environ.items() if k.startswith(('CRNN_', 'GRADIO_'))}\n"
        f"pathlib.Path({str(tmp_path / 'told.json')!r}).write_text(json.dumps(told))\n"
        "sys.exit(7)\n"
    )
    return tmp_path / "told.json"


def test_the_app_is_told(
    parser: argparse.ArgumentParser, space: Path, tiny_detector: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio", reason="needs crnn-hf[space]")
    monkeypatch.delenv("CRNN_MODEL", raising=False)
    options = parser.parse_args(["demo", str(tiny_detector), "--port", "7899", "--backend", "torch"])
    assert options.command(options) == 7
    told = {"CRNN_MODEL": str(tiny_detector), "CRNN_BACKEND": "torch", "GRADIO_SERVER_PORT": "7899"}
    assert json.loads(space.read_text()) == told
    options = parser.parse_args(["demo"])
    options.command(options)
    assert json.loads(space.read_text()) == {}


def test_bad_input(parser: argparse.ArgumentParser, space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gradio", reason="needs crnn-hf[space]")
    options = parser.parse_args(["demo", "no/such/model"])
    with pytest.raises(FileNotFoundError, match="no such folder"):
        options.command(options)
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install crnn-hf\[space\]"):
        options.command(options)
    assert not space.exists()
