"""What people call real and fake speech, understood: 0 is real and 1 is fake, as everywhere in this package."""

import re
from collections.abc import Collection, Mapping
from typing import Any

REAL_WORDS = ("real", "bonafide", "bona-fide", "bona fide", "bona_fide", "genuine", "human", "0", "false")
FAKE_WORDS = ("fake", "spoof", "spoofed", "deepfake", "synthetic", "1", "true")
# Of themselves these say nothing: in a column is_fake, 1 is fake; in a column is_real, it is real.
ANSWERS = frozenset({"0", "1", "false", "true"})

Words = Mapping[str, int]


def label_words(real: Collection[Any] | None = None, fake: Collection[Any] | None = None) -> Words:
    """The labels by what they are called, in the form that `folded` gives.

    Args:
        real: what stands for real speech, instead of `REAL_WORDS`. Either both are given or neither.
        fake: what stands for fakes, instead of `FAKE_WORDS`.

    Raises:
        ValueError: only one is given, one is empty, or something stands for both.
    """
    if (real is None) != (fake is None):
        raise ValueError(f"real={real!r} and fake={fake!r}: expected both lists of values, or neither")
    if isinstance(real, str) or isinstance(fake, str):
        raise ValueError(f"real={real!r} and fake={fake!r}: expected lists of values")
    real_words = {folded(value) for value in (REAL_WORDS if real is None else real)}
    fake_words = {folded(value) for value in (FAKE_WORDS if fake is None else fake)}
    if not real_words or not fake_words or real_words & fake_words:
        raise ValueError(f"real={real!r} and fake={fake!r}: expected values for each, and none for both")
    return dict.fromkeys(real_words, 0) | dict.fromkeys(fake_words, 1)


def folded(value: Any) -> str:
    """A value as the word that it is compared by: without case and outer space; `"1"` for 1 and 1.0, `""` for None."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()


def accepted(words: Words) -> str:
    """The words of both labels, for people."""
    real, fake = ([word for word, label in words.items() if label == wanted] for wanted in (0, 1))
    return f"{', '.join(map(repr, sorted(real)))} (real) or {', '.join(map(repr, sorted(fake)))} (fake)"


def is_ambiguous(column: str, values: Collection[str]) -> bool:
    """Whether a column asks if speech is real, such as `is_real`, and is answered with 0 and 1 or false and true."""
    asks_for_real = bool(set(re.split(r"[\W_]+", column.casefold())) & (set(REAL_WORDS) - ANSWERS))
    return asks_for_real and bool(set(values) & ANSWERS)
