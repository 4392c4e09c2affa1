"""A recipe's augmentations: in its order, each as often as it says, and never otherwise than a seed says."""

from dataclasses import dataclass

import numpy as np
import pytest

from crnn_hf.augmentation import KINDS, augmentations
from crnn_hf.augmentation.chain import Chain, Waveform


@dataclass(frozen=True)
class Add:
    """Adds what it is told to, or a drawn number."""

    amount: float | None = None
    probability: float = 1.0

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        return waveform + np.float32(rng.normal() if self.amount is None else self.amount)


@dataclass(frozen=True)
class Double:
    probability: float = 1.0

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        return 2 * waveform


ZEROS = np.zeros(3, np.float32)
RNG = np.random.default_rng(0)


def test_augmentations_are_applied_in_their_order() -> None:
    assert Chain([Add(1.0), Double()])(ZEROS, RNG).tolist() == [2, 2, 2]
    assert Chain([Double(), Add(1.0)])(ZEROS, RNG).tolist() == [1, 1, 1]
    assert Chain([])(ZEROS, RNG) is ZEROS


def test_each_is_applied_as_often_as_it_says() -> None:
    drawn = Chain([Add(1.0, 0.3), Add(10.0, 0.8)])
    rng = np.random.default_rng(0)
    results = np.array([drawn(ZEROS, rng)[0] for _ in range(2_000)])
    assert np.mean(results % 10 == 1) == pytest.approx(0.3, abs=0.04)
    assert np.mean(results >= 10) == pytest.approx(0.8, abs=0.04)
    assert np.mean(results == 11) == pytest.approx(0.24, abs=0.04)


def test_a_seed_decides_and_the_probability_of_one_does_not_move_another() -> None:
    def drawn(first_probability: float, seed: int = 3) -> float:
        return float(Chain([Add(0.0, first_probability), Add(None)])(ZEROS, np.random.default_rng(seed))[0])

    assert drawn(0.0) == drawn(0.0) == drawn(1.0)
    assert drawn(1.0, seed=4) != drawn(1.0)


def test_a_recipe_names_what_it_wants() -> None:
    of_waveforms, of_spectrograms = augmentations(
        {"freq_mixstyle": {}, "gain": {"decibels": [6, 6], "probability": 1}, "spectrogram": None, "noise": {}}, 16_000
    )
    assert [type(found).__name__ for found in of_waveforms.augmentations] == ["Gain", "ColouredNoise"]
    assert [type(found).__name__ for found in of_spectrograms] == ["FreqMixStyle", "SpecAugment"]
    assert augmentations({}, 16_000) == (None, ())
    assert augmentations({"spectrogram": {}}, 16_000)[0] is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"echo": {}}, "there is no augmentation echo; expected one of speed, "),
        ({"gain": {"loudness": 3}}, "augmentation.gain has no setting loudness; expected one of "),
        ({"gain": 3}, "augmentation.gain must be a mapping of its settings; found 3"),
        ({"gain": {"probability": 2}}, r"augmentation.gain: probability must be a number in \[0, 1\]; found 2"),
        ({"gain": {"decibels": [3, -3]}}, "augmentation.gain: decibels must be two numbers"),
        ({"recorded_noise": {"probability": 1}}, "augmentation.recorded_noise: .*folder"),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        augmentations(settings, 16_000)


def test_all_together_leave_speech_speech() -> None:
    from crnn_hf.augmentation.examples import needs_no_files

    everything = Chain([kind(probability=1.0) for kind in KINDS.values() if needs_no_files(kind)])
    tone = (0.1 * np.sin(np.arange(24_000) / 10)).astype(np.float32)
    rng = np.random.default_rng(0)
    for _ in range(3):
        result = everything(tone, rng)
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
        assert 0.5 < len(result) / len(tone) < 2
