"""Fakes made while training goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from crnn_hf.vocoding.neural import NeuralVocoder
from crnn_hf.vocoding.short_time import Samples
from crnn_hf.vocoding.vocoders import VOCODERS

Resynthesis = Callable[[Samples, int, np.random.Generator], Samples]


@dataclass(frozen=True)
class Vocoding:
    """Make a fake of a real clip by a vocoder that is drawn for every clip, all of them as often.

    Who calls it sees to it that `probability` of the real clips are, and that they are called fake from then on.

    Attributes:
        probability: how many of the real clips become fakes, in [0, 1].
        vocoders: names in `VOCODERS`, or None for all of them; an empty list leaves the neural ones alone.
        neural: neural vocoders and codecs, by their names on the Hub or their folders; see `NeuralVocoder`. They are
            loaded when they are first used, in each worker of a `DataLoader`.
        learned_steps: for how many steps a vocoder is to learn to speak as the real clips do, before any is used: then
            `with_learned` has it among the neural ones.

    Raises:
        ValueError: a setting that cannot be, or a model of another kind; the message names it.
        OSError: a model that is not there.
    """

    probability: float = 0.3
    vocoders: Sequence[str] | None = None
    neural: Sequence[str] = ()
    learned_steps: int = 0

    def __post_init__(self) -> None:
        number = isinstance(self.probability, int | float) and not isinstance(self.probability, bool)
        if not number or not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be a number in [0, 1]; found {self.probability!r}")
        steps = self.learned_steps
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
            raise ValueError(f"learned_steps must be a whole number of at least 0; found {steps!r}")
        if not steps or self.vocoders != []:
            choose(self.vocoders, self.neural)

    def __call__(self, waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
        """A fake, (samples,), of a waveform, (samples,), at a sampling rate in Hz, by what `rng` draws."""
        return self._chosen[rng.integers(len(self._chosen))](waveform, sampling_rate, rng)

    def with_learned(self, folder: str | Path) -> "Vocoding":
        """The same once the vocoder has learnt, and lies in this folder."""
        return replace(self, neural=[*self.neural, str(folder)], learned_steps=0)

    @cached_property
    def _chosen(self) -> list[Resynthesis]:
        return list(choose(self.vocoders, self.neural).values())


def choose(vocoders: Sequence[str] | None, neural: Sequence[str], device: str = "cpu") -> dict[str, Resynthesis]:
    """The vocoders asked for, by name; a neural one's is the last part of its model's, such as `encodec_24khz`.

    Args:
        vocoders: names in `VOCODERS`; None for all of them.
        neural: names or folders of models.
        device: where these run.

    Raises:
        ValueError: no list, none at all, a vocoder that there is not, one asked for twice, two models of one name, or
            a model of another kind.
        OSError: a model that is not there.
    """
    names = list(VOCODERS) if vocoders is None else vocoders
    _check_list("vocoders", names, f"names, of {', '.join(VOCODERS)}")
    _check_list("neural", neural, "models, by their names on the Hub or their folders")
    if unknown := [name for name in names if name not in VOCODERS]:
        raise ValueError(f"there is no vocoder {unknown[0]}; expected one of {', '.join(VOCODERS)}")
    if not names and not neural:
        raise ValueError("vocoders and neural are both empty; expected one vocoder at least")
    models = [NeuralVocoder(model, device) for model in neural]
    found = [(name, VOCODERS[name]) for name in names] + [(short_name(one.model_name_or_path), one) for one in models]
    chosen = dict(found)
    if twice := [name for place, (name, _) in enumerate(found) if name in [other for other, _ in found[:place]]]:
        raise ValueError(f"two vocoders are called {twice[0]}; expected each once")
    return chosen


def short_name(model_name_or_path: str) -> str:
    """What a model is called without where it lies."""
    return model_name_or_path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _check_list(setting: str, value: Any, of: str) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{setting} must be a list of {of}; found {value!r}")
