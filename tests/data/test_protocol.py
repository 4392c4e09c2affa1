"""Protocols are read as ASVspoof 5 publishes them, and what cannot be right is refused by file and line."""

import pytest

from crnn_hf.data import ProtocolError, Trial, parse_protocol

LINES = [
    "T_4850 T_0000000000 F - - - AC3 A05 spoof -",
    "D_0461 D_0000000190 M - - - - bonafide bonafide -",
    "E_1607 E_0009538969 M C05 2 E_0009486171 AC1 A26 spoof -",
    "E_2040 E_0000000034 M - 0 - AC1 A31 spoof -",
]


def parse(text: str) -> list[Trial]:
    return parse_protocol(text.encode(), "p.tsv")


def test_ten_fields() -> None:
    trials = parse("\n".join(LINES) + "\n")
    assert trials[2] == Trial("E_1607", "E_0009538969", "M", "C05", "2", "E_0009486171", "AC1", "A26", label=1)
    assert [trial.label for trial in trials] == [1, 0, 1, 1]
    assert trials[1].attack == "bonafide"


@pytest.mark.parametrize("dress", ["\ufeff{}", "{}\r\n", "{}\n\n\n", "{}"])
def test_what_editors_do_to_a_file_does_no_harm(dress: str) -> None:
    assert parse(dress.format("\n".join(LINES))) == parse("\n".join(LINES))
    assert parse(dress.format("\r\n".join(LINES))) == parse("\n".join(LINES))


def test_attacks_and_codecs_are_free_text() -> None:
    (trial,) = parse("spk clip X opus-12k 3 - - my_vocoder spoof -")
    assert (trial.codec, trial.attack) == ("opus-12k", "my_vocoder")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^p\.tsv: empty"),
        (LINES[0] + "\nT_1 T_2 F - - - - bonafide bonafide\n", r"^p\.tsv, line 2: 9 fields; expected ten.*'T_1 T_2"),
        (LINES[0].replace(" ", "\t"), r"line 1: 1 fields; expected ten, parted by one space"),
        (LINES[0].replace(" F ", "  F "), "line 1: 11 fields"),
        (LINES[0].replace("F - -", "F  -"), "line 1: 10 fields; expected ten, parted by one space"),
        (LINES[1] + "\n\n" + LINES[2], "line 2: 1 fields"),
        (LINES[0].replace("spoof", "fake"), "line 1: key 'fake'; expected 'bonafide' or 'spoof'"),
        ("\n".join([LINES[0], LINES[1], LINES[0]]), "line 3: T_0000000000 is on line 1 already"),
    ],
)
def test_what_cannot_be_right_is_refused_by_line(text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        parse(text)


def test_not_a_text() -> None:
    with pytest.raises(ProtocolError, match=r"^p\.tsv: not a text in UTF-8"):
        parse_protocol(b"\xff\xfe\x00T", "p.tsv")
