"""A saved detector, ready to be asked."""

from pathlib import Path

import torch
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    PreTrainedModel,
    SequenceFeatureExtractor,
)

import crnn_hf  # noqa: F401 - teaches the Auto classes the model type


def load_detector(
    model: str | Path, device: str | torch.device | None = None
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """Load a model for audio classification and its feature extractor, ready for inference.

    Args:
        model: folder or Hub name.
        device: where the model goes; by default to the GPU if there is one.

    Raises:
        OSError: there is no such folder, or no such model on the Hub, or no way to reach it.
        ValueError: it has no labels named "real" and "fake".
    """
    if not Path(model).is_dir() and str(model).count("/") != 1:
        raise FileNotFoundError(f"{model}: no such folder, and no name of a model on the Hub, which is user/model")
    detector = AutoModelForAudioClassification.from_pretrained(model)
    labels = sorted(detector.config.label2id)
    if not {"real", "fake"} <= set(labels):
        raise ValueError(f"{model}: expected a model with the labels 'real' and 'fake'; found {labels}")
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return detector.eval().to(device), AutoFeatureExtractor.from_pretrained(model)
