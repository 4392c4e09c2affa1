"""The Speech Anti-Spoofing Benchmarks' layout: `path`, `audio`, `label`, and `notes`, which are JSON."""

import json
from collections.abc import Sequence

from crnn_hf.data.columns import UNKNOWN
from crnn_hf.data.own.origins import Origin

COLUMNS = frozenset({"path", "audio", "label", "notes"})

# What the notes call what the columns of a corpus hold; they vary from one benchmark to another. In ASVspoof 5's,
# codec_id is the field that its protocols call the codec's quality, and source_id the codec's seed.
KEYS = {
    "utterance": ("utterance_id",),
    "speaker": ("speaker_id", "speaker"),
    "gender": ("gender",),
    "codec": ("codec",),
    "codec_quality": ("codec_id",),
    "codec_seed": ("source_id",),
    "attack_tag": ("attack_condition",),
    "attack": ("attack_id", "attack"),
}


def is_benchmark(columns: Sequence[str]) -> bool:
    """Whether a table with these columns is a benchmark."""
    return set(columns) == COLUMNS


def descriptions(notes: Sequence[str], origin: Origin) -> dict[str, list[str]]:
    """What notes say, by column, `"-"` where they say nothing.

    Raises:
        ValueError: notes that are no JSON object, or without an utterance_id; rows are named and counted.
    """
    parsed = [_parsed(note) for note in notes]
    wrong = [row for row, note in enumerate(parsed) if not note.get("utterance_id")]
    if wrong:
        raise ValueError(origin.complaint(wrong, lambda row: repr(notes[row]), "notes in JSON with an utterance_id"))
    return {name: [_first(note, keys) for note in parsed] for name, keys in KEYS.items()}


def _parsed(note: str) -> dict[str, object]:
    try:
        value = json.loads(note)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _first(note: dict[str, object], keys: Sequence[str]) -> str:
    for key in keys:
        if note.get(key) not in (None, ""):
            return str(note[key])
    return UNKNOWN
