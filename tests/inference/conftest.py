"""What the tests of several files share: a model's own logits, and recordings as files."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification


@pytest.fixture
def logits_of() -> Callable:
    """The logits of a saved detector on a waveform, by the Auto classes alone."""

    def compute(detector: Path, waveform: np.ndarray) -> torch.Tensor:
        extractor = AutoFeatureExtractor.from_pretrained(detector)
        model = AutoModelForAudioClassification.from_pretrained(detector)
        with torch.no_grad():
            return model(**extractor(waveform, sampling_rate=16_000, return_tensors="pt")).logits[0]

    return compute


@pytest.fixture
def encoded() -> Callable:
    """A waveform as the bytes of a file of some format."""

    def compute(speech: np.ndarray, form: str, rate: int = 16_000) -> bytes:
        file = io.BytesIO()
        soundfile.write(file, speech, rate, format=form)
        return file.getvalue()

    return compute
