"""The checks that augmentations' settings have in common."""

import math
from collections.abc import Sequence
from typing import Any


def check_probability(probability: Any) -> None:
    """Raise ValueError for what is no probability."""
    if not _is_number(probability) or not 0 <= probability <= 1:
        raise ValueError(f"probability must be a number in [0, 1]; found {probability!r}")


def check_range(name: str, span: Any, lowest: float = -math.inf, highest: float = math.inf) -> None:
    """Raise ValueError for what is no pair of numbers in rising order within bounds."""
    fits = isinstance(span, Sequence) and len(span) == 2 and all(map(_is_number, span))
    if not fits or not lowest <= span[0] <= span[1] <= highest:
        bounds = "" if math.isinf(lowest) and math.isinf(highest) else f" from {lowest:g} to {highest:g}"
        raise ValueError(f"{name} must be two numbers{bounds}, the lower first; found {span!r}")


def check_positive(name: str, value: Any) -> None:
    """Raise ValueError for what is no number above 0."""
    if not _is_number(value) or value <= 0:
        raise ValueError(f"{name} must be a number above 0; found {value!r}")


def check_count(name: str, count: Any, least: int = 0) -> None:
    """Raise ValueError for what is no integer of at least `least`."""
    if not isinstance(count, int) or isinstance(count, bool) or count < least:
        raise ValueError(f"{name} must be an integer of at least {least}; found {count!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
