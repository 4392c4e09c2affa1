"""One door to a saved detector, whatever is to run it."""

from pathlib import Path

import torch
from transformers import AutoFeatureExtractor, PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.inference.backends.files import MODEL_FILE, QUANTIZED_FILE
from crnn_hf.inference.backends.onnx_detector import OnnxDetector
from crnn_hf.inference.backends.tuning import tuned
from crnn_hf.loading import load_detector

ONNX_FILES = {"onnx": MODEL_FILE, "onnx-int8": QUANTIZED_FILE}
BACKENDS = ("torch", *ONNX_FILES)


def load_backend(
    model: str | Path,
    backend: str = "torch",
    device: str | torch.device | None = None,
    threads: int | None = None,
) -> tuple[PreTrainedModel | OnnxDetector, SequenceFeatureExtractor]:
    """Load a detector and its feature extractor for inference, to be run by a backend.

    Args:
        model: folder or Hub name.
        backend: "torch"; "onnx", ONNX Runtime with the file that `crnn-hf export` writes; or "onnx-int8", with that of
            `crnn-hf export --int8`.
        device: where the model goes; by default to the GPU if there is one. ONNX Runtime runs on the CPU alone.
        threads: how many ONNX Runtime uses for a batch; by default as many as PyTorch, which has a number of its own.

    Returns:
        The detector, which takes what the feature extractor gives; with "torch" a model for inference alone, see
        `tuned`. All of them give the same logits: "torch" and "onnx" but for rounding.

    Raises:
        ValueError: no such backend, or not on this device; or as `load_detector`.
        OSError: there is no such model, or it has no such ONNX file.
        ImportError: ONNX Runtime is not installed.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {BACKENDS}; found {backend!r}")
    if backend == "torch":
        detector, feature_extractor = load_detector(model, device)
        return tuned(detector), feature_extractor
    if device is not None and torch.device(device).type != "cpu":
        raise ValueError(f"the backend {backend!r} runs on the CPU; found device {str(device)!r}")
    detector = OnnxDetector.from_pretrained(model, ONNX_FILES[backend], threads=threads)
    return detector, AutoFeatureExtractor.from_pretrained(model)
