"""A corpus in which the fakes are quieter, and whatever corpus a test makes up."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from datasets import Dataset

from crnn_hf.data.columns import features
from crnn_hf.data.statistics import Statistics, describe

RATE = 16_000


def noise_of(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (10 ** (level / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def wav_of(waveform: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, waveform, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def corpus_of(clips: list[tuple[str, bytes]], **descriptions: list[str]) -> Dataset:
    """A corpus of attacks, or bonafide, and contents."""
    unknown = dict.fromkeys(("speaker", "gender", "codec", "codec_quality", "codec_seed", "attack_tag"), "-")
    rows = [
        {
            "audio": {"bytes": content, "path": f"{number}.wav"},
            "label": int(attack != "bonafide"),
            "utterance": str(number),
            "attack": attack,
            **unknown,
            **{name: values[number] for name, values in descriptions.items()},
        }
        for number, (attack, content) in enumerate(clips)
    ]
    return Dataset.from_list(rows, features=features())


@pytest.fixture(scope="module")
def noise() -> Callable[..., np.ndarray]:
    """White noise of so many seconds and a level in dB."""
    return noise_of


@pytest.fixture(scope="module")
def wav() -> Callable[..., bytes]:
    """A waveform as a file."""
    return wav_of


@pytest.fixture(scope="module")
def corpus() -> Callable[..., Dataset]:
    """A corpus of attacks, or bonafide, and contents."""
    return corpus_of


@pytest.fixture(scope="module")
def quiet_fakes() -> Dataset:
    """4 real clips and 6 fakes of one length: the fakes are quieter; the third, a real one, is cut off."""
    clips = [
        ("bonafide" if number < 4 else "A01", wav_of(noise_of(0.5, -20 - number, seed=number))) for number in range(10)
    ]
    clips[2] = ("bonafide", clips[2][1][:1_000])
    return corpus_of(
        clips,
        speaker=["-", "S1", "S7", "S2", *["S3"] * 6],
        codec=["C01", "C02", "C09", *["-"] * 7],
        gender=["F", "M"] * 5,
    )


@pytest.fixture(scope="module")
def found(quiet_fakes: Dataset) -> Statistics:
    return describe(quiet_fakes, progress=False)
