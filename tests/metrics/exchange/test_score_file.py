"""Score files come back as they were written, any system's are read, and broken ones are refused by line."""

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
    assert read.dtype == np.float64
    assert read.astype(np.float32).tolist() == scores.tolist()


def test_names_and_scores_must_match(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        write_scores(tmp_path / "scores.tsv", ["a"], [1.0, 2.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["E\t1", "E\n1", "E\r1"])
def test_names_that_would_break_the_file_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a field of a file cannot hold it"):
        write_scores(tmp_path / "scores.tsv", [name], [1.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"E_1\t0.5\nE_2\t-1e-3\n",
        b"E_1 0.5\nE_2 -1e-3\n",
        b"E_1 0.5\nE_2 -1e-3",
        b"filename cm-score\nE_1 0.5\nE_2 -1e-3\n",
        b"\xef\xbb\xbffilename\tcm-score\r\nE_1\t0.5\r\nE_2\t-1e-3\r\n\r\n \n",
        b"E_1   0.5 \n E_2 -1e-3\n",
        b"E_1 0.5\nE_2-1e-3 \n".replace(b"2-", b"2 -"),
    ],
    ids=["tab", "space", "no line end", "spaced header", "Windows", "aligned", "space at the end"],
)
def test_forms_of_other_systems(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scores.txt"
    path.write_bytes(content)
    names, scores = read_scores(path)
    assert (names, scores.tolist()) == (["E_1", "E_2"], [0.5, -0.001])


def test_names_may_hold_spaces_where_tabs_part_them(tmp_path: Path) -> None:
    path = tmp_path / "scores.tsv"
    names = ["my voice.wav", " \u2028", "x"]
    write_scores(path, names, [1.0, 2.0, 3.0])
    assert read_scores(path)[0] == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"scores\.tsv: empty; expected a line a clip"),
        ("\n \n", r"scores\.tsv: empty"),
        ("filename\tcm-score\n", r"scores\.tsv: a header and no clip"),
        ("filename\tscore\nE_1\t0.5\n", r"line 1: .* expected a number for a score, or the header 'filename\\tcm-sc"),
        ("filename\tcm-score\nE_1\t0.5\nE_2 0.5\n", r"line 3: 'E_2 0\.5'; expected 2 fields with a tab .* found 1"),
        ("E_1 0.5\n\nE_2 0.5\n", r"line 2: ''; expected 2 fields with a space between \(name, score\); found 0"),
        ("LA_1 A07 spoof 0.5\n", r"line 1: 'LA_1 A07 spoof 0\.5'; expected 2 fields .* found 4"),
        (" 0.5\nE_2 0.5\n", r"line 1: ' 0\.5'; expected 2 fields .* found 1"),
        ("filename\tcm-score\nE_1\thigh\n", r"line 2: 'E_1\\thigh'; expected a number for a score$"),
        ("E_1 0.5\nE_2 nan\n", r"line 2: 'E_2 nan'; the score is not a finite number"),
        ("E_1 0.5\nE_2 -inf\n", r"line 2: 'E_2 -inf'; the score is not a finite number"),
        ("E_1 0.5\nE_2 1\nE_1 2\n", r"line 3: 'E_1 2'; E_1 is on line 1 already"),
        ("filename\tcm-score\nE_1\t1\nE_1\t1\n", r"line 3: 'E_1\\t1'; E_1 is on line 2 already"),
        ("E_1\t0.5\n\t1\n", r"line 2: '\\t1'; the clip has no name"),
        ("x" * 500, r"line 1: 'x{120}\.\.\.'; expected 2 fields"),
    ],
)
def test_broken_files_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scores.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_scores(path)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.npy"
    np.save(path, np.arange(3.0) - 1e300)
    with pytest.raises(ValueError, match=r"scores\.npy: not a text in UTF-8"):
        read_scores(path)
