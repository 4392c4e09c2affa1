"""Augmentations in a row, as a recipe lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Waveform = NDArray[np.float32]


class Augmentation(Protocol):
    """One way to change a waveform; it knows nothing of labels.

    Its fields are its settings, among them `probability`, how often it is applied.
    """

    probability: float

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Change a waveform of shape (samples,), mono and within about [-1, 1], by what `rng` draws.

        The result is float32 of shape (samples,), of the same length unless the augmentation is one of length, finite,
        and another array: the given one is left as it is.
        """


@dataclass(frozen=True)
class Chain:
    """Augmentations one after the other, each with its own probability.

    Attributes:
        augmentations: in the order in which they are applied.
        sampling_rate: of the waveforms, in Hz.
    """

    augmentations: Sequence[Augmentation]
    sampling_rate: int = 16_000

    def __call__(self, waveform: Waveform, rng: np.random.Generator) -> Waveform:
        """Augment a waveform, (samples,), by what `rng` draws."""
        for augmentation in self.augmentations:
            # Drawn whether it is applied or not, so that the probability of one does not change what others draw.
            own = np.random.default_rng(rng.integers(2**62))
            if own.random() < augmentation.probability:
                waveform = augmentation(waveform, self.sampling_rate, own)
        return waveform


def chain(
    settings: Mapping[str, Mapping[str, Any] | None],
    kinds: Mapping[str, type[Augmentation]],
    sampling_rate: int = 16_000,
) -> Chain:
    """A chain from a recipe's settings.

    Args:
        settings: by the name of the augmentation, in order, its fields; or None or an empty mapping for its defaults.
        kinds: the class of each name.
        sampling_rate: of the waveforms, in Hz.

    Raises:
        ValueError: there is no such augmentation or field, or a value that it cannot have; the message names it.
    """
    found = []
    for name, values in settings.items():
        if name not in kinds:
            raise ValueError(f"there is no augmentation {name}; expected one of {', '.join(kinds)}")
        values = {} if values is None else values
        if not isinstance(values, Mapping):
            raise ValueError(f"augmentation.{name} must be a mapping of its settings; found {values!r}")
        known = [field.name for field in fields(kinds[name])]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"augmentation.{name} has no setting {unknown[0]}; expected one of {', '.join(known)}")
        try:
            found.append(kinds[name](**values))
        except (TypeError, ValueError) as error:
            raise ValueError(f"augmentation.{name}: {error}") from error
    return Chain(found, sampling_rate)
