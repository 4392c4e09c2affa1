"""A saved detector: a model and its feature extractor."""

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
    model: str | Path, device: str | torch.device | None = None, *, any_head: bool = False
) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """Load a model for audio classification and its feature extractor, ready for inference, in float32.

    Args:
        model: folder or Hub name.
        device: where the model goes; by default to the GPU if there is one.
        any_head: accept other labels, and a model without a trained head, for one whose head is to be replaced.

    Raises:
        OSError: there is no such folder, or no such model on the Hub, or no way to reach it.
        ValueError: it has no labels named "real" and "fake", or some of its weights are missing.
    """
    refuse_missing(model)
    detector, loading = AutoModelForAudioClassification.from_pretrained(
        model, dtype=torch.float32, output_loading_info=True
    )
    labels = sorted(detector.config.label2id)
    if not any_head and not {"real", "fake"} <= set(labels):
        raise ValueError(f"{model}: expected a model with the labels 'real' and 'fake'; found {labels}")
    needed = f"{detector.base_model_prefix}." if any_head else ""
    missing = sorted(name for name in loading["missing_keys"] if name.startswith(needed))
    if missing:
        raise ValueError(f"{model}: not a trained detector: it lacks the weights {missing}")
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return detector.eval().to(device), AutoFeatureExtractor.from_pretrained(model)


def refuse_missing(model: str | Path) -> None:
    """Raise FileNotFoundError for what is neither a folder nor a name that a model on the Hub could have."""
    if not Path(model).is_dir() and (str(model).count("/") != 1 or Path(model).parent.is_dir()):
        raise FileNotFoundError(f"{model}: no such folder, and no name of a model on the Hub, which is user/model")
