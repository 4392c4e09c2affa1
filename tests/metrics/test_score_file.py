"""Score files come back as they were written, and broken ones are refused by line."""

from pathlib import Path

import numpy as np
import pytest

from crnn_hf.metrics import read_scores, write_scores


def test_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "report" / "scores.tsv"
    names, scores = ["E_0000000001", "E_0000000002"], np.array([1 / 3, -2e-7], np.float32)
    write_scores(path, names, scores)
    assert path.read_bytes() == b"filename\tcm-score\nE_0000000001\t0.333333343\nE_0000000002\t-2.00000002e-07\n"
    read_names, read = read_scores(path)
    assert read_names == names
    assert read.astype(np.float32).tolist() == scores.tolist()


def test_names_and_scores_must_match(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        write_scores(tmp_path / "scores.tsv", ["a"], [1.0, 2.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"scores\.tsv, line 1: ''; expected the header"),
        ("E_1\t0.5\n", r"line 1: .* expected the header"),
        ("filename\tcm-score\nE_1\t0.5\nE_2 0.5\n", r"line 3: 'E_2 0\.5'; expected a name, a tab and a number"),
        ("filename\tcm-score\nE_1\thigh\n", r"line 2: 'E_1\\thigh'"),
    ],
)
def test_broken_files_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scores.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_scores(path)
