"""A run notes what it heard, when, with what and on what."""

import json
from pathlib import Path

from crnn_hf.training.record import note_run


def test_a_run_on_the_embedded_corpus_says_so(tiny_corpus: Path, tmp_path: Path) -> None:
    note_run(tmp_path / "model", str(tiny_corpus), ["train: 16 clips"])
    record = json.loads((tmp_path / "model" / "training.json").read_text())
    assert record["clips"] == ["train: 16 clips"]
    assert record["is_artificial"] is True
    assert record["software"].startswith("crnn-hf ")
    assert "torch" in record["software"]
    note_run(tmp_path / "model", str(tmp_path), [])
    assert json.loads((tmp_path / "model" / "training.json").read_text())["is_artificial"] is False
