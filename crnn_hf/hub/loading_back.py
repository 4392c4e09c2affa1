"""Is what is published what is here? Both are asked about the same waveform."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.hub.faults import HubError
from crnn_hf.metrics import real_scores

SECONDS = 2.0
TOLERANCE = 1e-5
ONNX_TOLERANCE = 1e-3  # other kernels round otherwise
ONNX_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
PROGRAM = Path(__file__).with_name("afresh.py")


def probe_waveform(sampling_rate: int) -> NDArray[np.float32]:
    """A voice-like sound, always the same: harmonics of 120 Hz that swell and fade, in a little noise.

    Args:
        sampling_rate: in Hz.

    Returns:
        (samples,), in [-1, 1].
    """
    time = np.arange(round(SECONDS * sampling_rate)) / sampling_rate
    voice = sum(np.sin(2 * np.pi * 120 * harmonic * time) / harmonic for harmonic in range(1, 20))
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.1 * voice * (1 + np.sin(2 * np.pi * 3 * time)) + 0.01 * noise).clip(-1, 1).astype(np.float32)


def score_here(detector: tuple[PreTrainedModel, SequenceFeatureExtractor]) -> float:
    """The score of `probe_waveform` by a model in this process."""
    model, extractor = detector
    waveform = probe_waveform(extractor.sampling_rate)
    features = extractor(waveform, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    with torch.no_grad():
        logits = model(**features.to(model.device)).logits
    return float(real_scores(logits.cpu().numpy(), model.config.label2id)[0])


def refuse_unlike(
    detector: tuple[PreTrainedModel, SequenceFeatureExtractor],
    model: str | Path,
    revision: str = "",
    environment: Mapping[str, str] | None = None,
) -> float:
    """Raise HubError unless a fresh process loads a model by its own code and gives the score that is given here.

    Args:
        detector: the model here.
        model: a folder, or a name on the Hub.
        revision: the latter's commit.
        environment: variables for the process, beside those here.

    Returns:
        How far apart the scores are.
    """
    expected = score_here(detector)
    with TemporaryDirectory() as scratch:
        waveform = Path(scratch) / "waveform.npy"
        np.save(waveform, probe_waveform(detector[1].sampling_rate))
        finished = subprocess.run(
            # -P: the program's folder, which is this package's, is no place to import from.
            [sys.executable, "-P", str(PROGRAM), str(model), revision, str(waveform)],
            capture_output=True,
            text=True,
            check=False,
            cwd=scratch,
            # A home of its own, so that nothing is found there that others would not find on the Hub.
            env={**os.environ, "HF_HOME": scratch, **_caches(scratch), **(environment or {})},
        )
    if finished.returncode:
        reason = (finished.stderr.strip().splitlines() or ["no message"])[-1].rstrip(".")
        raise HubError(f"{model} does not load afresh: {reason}")
    difference = abs(json.loads(finished.stdout.splitlines()[-1]) - expected)
    if not difference <= TOLERANCE:
        raise HubError(f"{model} loads afresh, but its score differs from that of the model here by {difference:.3g}")
    return difference


def refuse_unlike_onnx(detector: tuple[PreTrainedModel, SequenceFeatureExtractor], file: Path) -> None:
    """Raise HubError unless an ONNX file gives about the score that is given here: it may be of an older model.

    Args:
        detector: the model here.
        file: takes features and gives logits.
    """
    try:
        from onnxruntime import InferenceSession
    except ImportError as error:
        raise HubError(f"{file.name} cannot be checked here: pip install onnxruntime, or remove onnx/") from error
    model, extractor = detector
    waveform = probe_waveform(extractor.sampling_rate)
    features = extractor(waveform, sampling_rate=extractor.sampling_rate, return_tensors="np")
    session = InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    inputs = {entry.name: features[entry.name].astype(ONNX_TYPES[entry.type]) for entry in session.get_inputs()}
    difference = abs(float(real_scores(session.run(None, inputs)[0], model.config.label2id)[0]) - score_here(detector))
    if not difference <= ONNX_TOLERANCE:
        raise HubError(
            f"{file.name} is not of this model: its score differs by {difference:.3g}; run crnn-hf export again, or "
            "remove onnx/"
        )


def _caches(folder: str) -> dict[str, str]:
    """Those variables that would lead past a home of one's own."""
    names = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_MODULES_CACHE", "TRANSFORMERS_CACHE")
    return {name: str(Path(folder) / name.lower()) for name in names if name in os.environ}
