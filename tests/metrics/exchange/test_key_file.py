"""Key files in every form that the challenges hand out, and broken ones refused by line."""

from pathlib import Path

import pytest

from crnn_hf.metrics.exchange.key_file import read_keys, write_keys

ASVSPOOF5 = """\
T_4850 T_0000000000 F - - - AC3 A05 spoof -
T_3734 T_0000000011 F - - - - bonafide bonafide -
E_1607 E_0009538969 M C05 2 E_0009486171 AC1 A26 spoof -
E_2040 E_0000000034 M - 0 - AC1 A31 spoof -
"""


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "keys.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "filename\tcm-label\nE_1\tbonafide\nE_2\tspoof\n",
        "E_1\tbonafide\nE_2\tspoof\n",
        "E_1 bonafide\nE_2 spoof\n",
        "E_1 real\nE_2 fake\n",
        "E_1 0\nE_2 1\n",
        b"\xef\xbb\xbffilename\tcm-label\r\nE_1\treal\r\nE_2\t1\r\n\r\n",
    ],
)
def test_names_and_labels(tmp_path: Path, text: str | bytes) -> None:
    keys = read_keys(_write(tmp_path, text))
    assert (keys.utterances, keys.is_fake.tolist(), keys.columns) == (["E_1", "E_2"], [False, True], {})
    assert keys.is_fake.dtype == bool


def test_further_columns_keep_their_names(tmp_path: Path) -> None:
    text = "speaker\tfilename\tcm-label\ta codec\nS1\tmy voice.wav\tspoof\tOpus nb\nS2\tE_2\tbonafide\t\n"
    keys = read_keys(_write(tmp_path, text))
    assert (keys.utterances, keys.is_fake.tolist()) == (["my voice.wav", "E_2"], [True, False])
    assert keys.columns == {"speaker": ["S1", "S2"], "a codec": ["Opus nb", ""]}


def test_protocol_of_asvspoof5(tmp_path: Path) -> None:
    keys = read_keys(_write(tmp_path, ASVSPOOF5))
    assert keys.utterances == ["T_0000000000", "T_0000000011", "E_0009538969", "E_0000000034"]
    assert keys.is_fake.tolist() == [True, False, True, True]
    assert keys.columns == {
        "speaker": ["T_4850", "T_3734", "E_1607", "E_2040"],
        "gender": ["F", "F", "M", "M"],
        "codec": ["-", "-", "C05", "-"],
        "codec_quality": ["-", "-", "2", "0"],
        "attack_tag": ["AC3", "-", "AC1", "AC1"],
        "attack": ["A05", "bonafide", "A26", "A31"],
    }


def test_protocol_of_asvspoof2019(tmp_path: Path) -> None:
    keys = read_keys(_write(tmp_path, "LA_0039 LA_E_2834763 - A11 spoof\nLA_0014 LA_E_8877452 - - bonafide\n"))
    assert (keys.utterances, keys.is_fake.tolist()) == (["LA_E_2834763", "LA_E_8877452"], [True, False])
    assert keys.columns == {"speaker": ["LA_0039", "LA_0014"], "attack": ["A11", "bonafide"]}


def test_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "report" / "keys.tsv"
    write_keys(path, ["a b", "c"], ["fake", "real"], {"attack": ["A01", "-"], "length": ["2 to 4 s", ""]})
    assert path.read_bytes() == (b"filename\tcm-label\tattack\tlength\na b\tspoof\tA01\t2 to 4 s\nc\tbonafide\t-\t\n")
    keys = read_keys(path)
    assert (keys.utterances, keys.is_fake.tolist()) == (["a b", "c"], [True, False])
    assert keys.columns == {"attack": ["A01", "-"], "length": ["2 to 4 s", ""]}
    write_keys(path, ["a", "b"], [1, 0])
    assert path.read_bytes() == b"filename\tcm-label\na\tspoof\nb\tbonafide\n"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.tsv"
    with pytest.raises(ValueError, match="labels must be 0 or 1"):
        write_keys(path, ["a"], ["genuine"])
    with pytest.raises(ValueError, match="zip"):
        write_keys(path, ["a", "b"], [0, 1], {"attack": ["A01"]})
    with pytest.raises(ValueError, match="a tab or a line's end in 'A\\\\t01'"):
        write_keys(path, ["a"], [1], {"attack": ["A\t01"]})
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"keys\.tsv: empty; expected a line a clip"),
        ("filename\tcm-label\n", r"keys\.tsv: a header and no clip"),
        ("E_1\tspoof\tA01\n", r"line 1: 'E_1\\tspoof\\tA01'; expected the header .* or of 10 .*; found 3 fields"),
        ("filename\tcm-label\tcodec\tcodec\n", r"line 1: .*; expected another name for each column"),
        ("filename\tcm-label\t\nE_1\tspoof\t\n", r"line 1: .*; expected a name for each column"),
        ("filename\tcm-label\tcodec\nE_1\tspoof\n", r"line 2: .* 3 fields with a tab .*cm-label, codec\); found 2"),
        (
            "name\tkey\nE_1\tspoof\n",
            r"line 1: .* found the label 'key', expected 0 or 1.*; or else expected",
        ),
        ("E_1 spoof\nE_2 genuine\n", r"line 2: 'E_2 genuine'; found the label 'genuine', expected 0 or 1.*'spoof'$"),
        ("E_1 spoof\nE_2 2\n", r"line 2: .* found the label '2'"),
        ("E_1 spoof\nE_2 bonafide\nE_1 spoof\n", r"line 3: 'E_1 spoof'; E_1 is on line 1 already"),
        ("E_1\tspoof\n\tspoof\n", r"line 2: '\\tspoof'; the clip has no name"),
        (ASVSPOOF5 + "E_1 spoof\n", r"line 5: 'E_1 spoof'; expected 10 fields with a space between .* found 2"),
        (ASVSPOOF5.replace("A26 spoof", "spoof A26"), r"line 3: .* found the label 'A26'"),
    ],
)
def test_broken_files_are_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_keys(_write(tmp_path, text))
