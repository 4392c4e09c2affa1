"""Key files: which clips are real and which are fake, as the challenges hand it out."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.metrics.exchange.text_lines import (
    read_lines,
    refuse_repetition,
    refuse_unwritable,
    separator_of,
    split_lines,
    write_lines,
    wrong_line,
)
from crnn_hf.metrics.trials import EXPECTED_LABELS, NAMES_OF_FAKE, NAMES_OF_REAL, fakes_among

NAME, LABEL = "filename", "cm-label"
HEADER = f"{NAME}\t{LABEL}"
ATTACK, REAL, FAKE = "attack", "bonafide", "spoof"
UNUSED = ""
SAYS_FAKE = {"0": False, "1": True, **dict.fromkeys(NAMES_OF_REAL, False), **dict.fromkeys(NAMES_OF_FAKE, True)}

# What the fields of a file without header are, by how many there are: names and labels alone, ASVspoof 2019 LA's
# protocols, and ASVspoof 5's. Of the latter, the file that a coded clip was made from is left out: it names one clip.
FORMS = {
    2: (NAME, LABEL),
    5: ("speaker", NAME, UNUSED, ATTACK, LABEL),
    10: ("speaker", NAME, "gender", "codec", "codec_quality", UNUSED, "attack_tag", ATTACK, LABEL, UNUSED),
}
EXPECTED = (
    f"expected the header {HEADER!r}, or a line of 2 fields (a name and a label), of 5 (ASVspoof 2019 LA's protocols) "
    "or of 10 (ASVspoof 5's)"
)


@dataclass(frozen=True, eq=False)
class Keys:
    """What is known of clips that are to be scored.

    Attributes:
        utterances: each clip's name.
        is_fake: (clips,).
        columns: what else is known, by name, such as "speaker", "attack" and "codec": a string a clip.
    """

    utterances: list[str]
    is_fake: NDArray[np.bool_]
    columns: dict[str, list[str]] = field(default_factory=dict)


def write_keys(
    path: str | os.PathLike[str],
    utterances: Sequence[str],
    labels: ArrayLike,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write a key file as ASVspoof 5 has it, with further columns if there are any; its folder is made.

    Args:
        path: where to.
        utterances: each clip's name.
        labels: (clips,), each 0, "real" or "bonafide"; or 1, "fake" or "spoof".
        columns: what else is known of the clips, by name: a string a clip.

    Raises:
        ValueError: a label is none of those, not as many labels or values as names, or a value with a tab or a line's
            end in it.
    """
    columns = columns or {}
    keys = [FAKE if fake else REAL for fake in fakes_among(np.asarray(labels))]
    rows = zip(utterances, keys, *columns.values(), strict=True)
    lines = ["\t".join(row) for row in rows]
    for values in (utterances, columns, *columns.values()):
        refuse_unwritable(list(values))
    write_lines(path, ["\t".join([HEADER, *columns]), *lines])


def read_keys(path: str | os.PathLike[str]) -> Keys:
    """Read a key file, in any of these forms:

    - a name and a label a line, with a tab or a space between. A label is "bonafide", "real" or 0; or "spoof", "fake"
      or 1. The header of ASVspoof 5's key files may be missing.
    - the same below a header, with further columns, all parted by tabs. They keep the names that the header gives.
    - ASVspoof 5's protocols: ten fields with a space between, no header.
    - ASVspoof 2019 LA's protocols: five fields with a space between, no header.

    The attack of a real clip in a protocol is read as "bonafide".

    Raises:
        FileNotFoundError: no such file.
        ValueError: another form, a line that has not all fields or more, a label that is none of those, a name that is
            there twice, or no clip at all; the message names file and line.
    """
    lines = read_lines(path)
    separator = separator_of(lines[0])
    fields = lines[0].split(separator)
    has_header = {NAME, LABEL} <= set(fields)
    if has_header:
        _check_header(path, lines[0], fields)
        lines = lines[1:]
        if not lines:
            raise ValueError(f"{path}: a header and no clip")
    elif len(fields) not in FORMS:
        raise wrong_line(path, 1, lines[0], f"{EXPECTED}; found {len(fields)} fields")
    first, expected = 1 + has_header, fields if has_header else FORMS[len(fields)]

    columns = dict(zip(expected, split_lines(path, lines, first, separator, expected), strict=True))
    utterances, labels = columns.pop(NAME), columns.pop(LABEL)
    columns.pop(UNUSED, None)
    refuse_repetition(path, lines, first, utterances)
    is_fake = _fakes(path, lines, first, labels)
    if ATTACK in columns and not has_header:
        attacks = zip(columns[ATTACK], is_fake.tolist(), strict=True)
        columns[ATTACK] = [attack if fake else REAL for attack, fake in attacks]
    # A column repeats few values, which were read as a string each; one of each is enough to keep.
    return Keys(utterances, is_fake, {name: list(map(sys.intern, values)) for name, values in columns.items()})


def _check_header(path: str | os.PathLike[str], line: str, fields: Sequence[str]) -> None:
    if "" in fields:
        raise wrong_line(path, 1, line, "expected a name for each column")
    if len(set(fields)) < len(fields):
        raise wrong_line(path, 1, line, "expected another name for each column")


def _fakes(path: str | os.PathLike[str], lines: Sequence[str], first: int, labels: Sequence[str]) -> NDArray[np.bool_]:
    try:
        return np.array([SAYS_FAKE[label] for label in labels])
    except KeyError:
        place = next(place for place, label in enumerate(labels) if label not in SAYS_FAKE)
        hint = f"; or else {EXPECTED}" if place == 0 and first == 1 else ""
        wrong = f"found the label {labels[place]!r}, expected {EXPECTED_LABELS}{hint}"
        raise wrong_line(path, first + place, lines[place], wrong) from None
