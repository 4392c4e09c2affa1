"""ASVspoof 5's protocol files: a line a clip, ten fields parted by one space, though the names end in .tsv."""

from collections.abc import Iterator
from dataclasses import dataclass

FIELDS = "speaker, file, gender, codec, codec quality, codec seed, attack tag, attack, key and a dash"
KEYS = ("bonafide", "spoof")  # in the order of the labels: 0 is real, 1 is fake


class ProtocolError(ValueError):
    """A protocol file that cannot be right; the message names file and line, what is there and what was expected."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One line of a protocol: what is known of a clip.

    Attributes:
        speaker: label of the speaker, such as `"T_4850"`.
        utterance: name of the audio file without extension, such as `"T_0000000000"`.
        gender: `"F"` or `"M"`.
        codec: `"C01"` to `"C11"`, or `"-"` for none.
        codec_quality: `"1"` to `"8"`; `"0"` or `"-"` for none.
        codec_seed: name of the file before coding, or `"-"`.
        attack_tag: the attacker's adaptation condition, such as `"AC1"`, or `"-"`.
        attack: `"A01"` and so on, or `"bonafide"`.
        label: 0 for bona fide, 1 for spoof.
    """

    speaker: str
    utterance: str
    gender: str
    codec: str
    codec_quality: str
    codec_seed: str
    attack_tag: str
    attack: str
    label: int


def parse_protocol(content: bytes, name: str) -> list[Trial]:
    """Read a whole protocol file.

    A byte order mark, Windows line ends and blank lines at the end do no harm. Names of codecs and attacks are free.

    Args:
        content: the file's bytes, UTF-8.
        name: what errors call the file.

    Raises:
        ProtocolError: no line at all, a line that does not have ten fields, a key that is neither bonafide nor spoof,
            a file that is listed twice, or text that is not UTF-8.
    """
    try:
        lines = content.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{name}: not a text in UTF-8: {error}") from error
    if not lines:
        raise ProtocolError(f"{name}: empty; expected a line a clip, of ten fields: {FIELDS}")
    return list(_parse_lines(lines, name))


def _parse_lines(lines: list[str], name: str) -> Iterator[Trial]:
    first_line: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split(" ")
        if len(fields) != 10 or "" in fields:
            raise ProtocolError(
                f"{name}, line {number}: {len(fields)} fields; expected ten, parted by one space ({FIELDS}): {line!r}"
            )
        key = fields[8]
        if key not in KEYS:
            raise ProtocolError(f"{name}, line {number}: key {key!r}; expected 'bonafide' or 'spoof': {line!r}")
        trial = Trial(*fields[:8], label=KEYS.index(key))
        if trial.utterance in first_line:
            before = first_line[trial.utterance]
            raise ProtocolError(f"{name}, line {number}: {trial.utterance} is on line {before} already: {line!r}")
        first_line[trial.utterance] = number
        yield trial
