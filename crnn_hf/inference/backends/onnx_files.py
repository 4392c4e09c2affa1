"""A model's ONNX files: made, checked against PyTorch, and only then left in place."""

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor
from crnn_hf.inference.backends.files import MODEL_FILE, QUANTIZED_FILE, WITH_FEATURES_FILE
from crnn_hf.inference.backends.onnx_detector import CALIBRATION, OnnxDetector, calibration_note, open_session, run
from crnn_hf.inference.backends.onnx_features import trace_features
from crnn_hf.inference.backends.onnx_joining import chained, either
from crnn_hf.inference.backends.onnx_tracing import trace_model
from crnn_hf.modeling_crnn import CRNNForAudioClassification

# How far a logit may be from PyTorch's, in nats. Rounding alone moves it by a tenth of that at most.
TOLERANCE = 1e-4
# Convolutions take five times as long by integers as by floats in ONNX Runtime 1.32, and lose more; LSTM and linear
# layers, which hold most of the weights, a tenth less.
QUANTIZED_OPERATORS = ("LSTM", "MatMul", "Gemm")
# The clips of a check, in seconds: batches of one and of several, which are padded.
BATCHES = ((1.0,), (4.0,), (60.0,), (2.3, 0.7, 5.1), (1.0, 10.0, 3.3, 3.3, 7.9, 0.6, 4.0, 2.0))


@dataclass(frozen=True)
class Written:
    """An ONNX file that was written.

    Attributes:
        path: where.
        bytes: how large it is.
        difference: how far its logits were from PyTorch's at most, on random clips.
    """

    path: Path
    bytes: int
    difference: float


def write_onnx(
    model: PreTrainedModel,
    feature_extractor: SequenceFeatureExtractor,
    output: Path,
    *,
    quantized: bool = False,
    with_features: bool = False,
) -> list[Written]:
    """Write `onnx/model.onnx` below a folder, and what else is asked for, each checked on random clips.

    Args:
        model: from `load_detector`, on the CPU.
        feature_extractor: the model's own.
        output: the folder.
        quantized: write `onnx/model_quantized.onnx` too, whose LSTM and linear layers have weights of 8 bits.
        with_features: write `onnx/model_with_features.onnx` too, which takes `waveforms`, (batch, samples), float32,
            and `lengths`, (batch,), int64, the samples that are each clip's, at least one frame's.

    Raises:
        ValueError: the model is not a CRNN, or has a backbone and is to take waveforms; or a graph's logits differ
            from PyTorch's by more than `TOLERANCE`, except where it is quantized. No file of that name is left then.
    """
    if not isinstance(model, CRNNForAudioClassification):
        raise ValueError(f"expected a CRNN to be exported; found a model of type {model.config.model_type!r}")
    if with_features and not (isinstance(feature_extractor, CRNNFeatureExtractor) and model.crnn.backbone is None):
        raise ValueError("a graph with features inside is made of a CRNN without a backbone, fed by its own extractor")
    ways = _ways(model)
    graphs = {MODEL_FILE: _joined(ways)}
    if quantized:
        graphs[QUANTIZED_FILE] = _joined([_quantized(way) for way in ways])
    if with_features:
        graphs[WITH_FEATURES_FILE] = chained(trace_features(feature_extractor), graphs[MODEL_FILE])
    (output / MODEL_FILE).parent.mkdir(parents=True, exist_ok=True)
    return [_written(graph, output / name, model, feature_extractor) for name, graph in graphs.items()]


def _ways(model: CRNNForAudioClassification) -> list[onnx.ModelProto]:
    """With masks; and without, unless there is a transformer, beside whose time that of the masks is nothing."""
    masked = trace_model(model, masked=True)
    return [masked] if model.crnn.backbone is not None else [trace_model(model, masked=False), masked]


def _joined(ways: list[onnx.ModelProto]) -> onnx.ModelProto:
    return either(*ways) if len(ways) == 2 else ways[0]


def _quantized(graph: onnx.ModelProto) -> onnx.ModelProto:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises to prepare graphs, of which this one has no need
    try:
        with TemporaryDirectory() as scratch:
            path = Path(scratch) / "quantized.onnx"
            quantize_dynamic(
                graph,
                path,
                list(QUANTIZED_OPERATORS),
                per_channel=True,
                weight_type=QuantType.QInt8,
                reduce_range=True,  # without VNNI, sums of two products with weights of 8 bits overflow 16
                nodes_to_exclude=_second_opinion(graph),
            )
            return onnx.load(path)
    finally:
        root.setLevel(level)


def _second_opinion(graph: onnx.ModelProto) -> list[str]:
    """The layers whose weights are of many sizes, as they are called before and after their preparation."""
    names = [node.name for node in graph.graph.node if "/contrast/" in node.name]
    return [*names, *(f"{name}_MatMul" for name in names)]


def _written(
    graph: onnx.ModelProto, path: Path, model: CRNNForAudioClassification, feature_extractor: SequenceFeatureExtractor
) -> Written:
    onnx.helper.set_model_props(graph, {CALIBRATION: calibration_note(model.config)})
    with TemporaryDirectory(dir=path.parent) as scratch:
        candidate = Path(scratch) / path.name
        onnx.save(graph, candidate)
        difference = greatest_difference(candidate, model, feature_extractor)
        if not difference <= TOLERANCE and path.name != Path(QUANTIZED_FILE).name:
            path.unlink(missing_ok=True)
            raise ValueError(
                f"{path} was not written: its logits differ from PyTorch's by {difference:.2g}; "
                f"expected at most {TOLERANCE:g}"
            )
        candidate.replace(path)
    return Written(path, path.stat().st_size, difference)


@torch.inference_mode()
def greatest_difference(
    path: Path, model: CRNNForAudioClassification, feature_extractor: SequenceFeatureExtractor
) -> float:
    """How far a graph's logits are from PyTorch's at most, on random clips of several lengths, alone and padded."""
    session = open_session(path)
    detector = OnnxDetector(session, model.config)
    takes_waveforms = "waveforms" in {value.name for value in session.get_inputs()}
    rng = np.random.default_rng(0)
    differences = []
    for seconds in BATCHES:
        longest = detector.most_samples or max(seconds) * feature_extractor.sampling_rate
        clips = [_noise(rng, min(round(length * feature_extractor.sampling_rate), longest)) for length in seconds]
        batch = feature_extractor(clips, sampling_rate=feature_extractor.sampling_rate, return_tensors="pt")
        expected = model(**batch).logits.numpy()
        found = run(session, _padded(clips)) if takes_waveforms else detector(**batch).logits.numpy()
        differences.append(float(np.abs(found - expected).max()))
    return max(differences)


def _padded(clips: list[np.ndarray]) -> dict[str, Any]:
    waveforms = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in clips], batch_first=True)
    return {"waveforms": waveforms.numpy(), "lengths": np.array([len(clip) for clip in clips])}


def _noise(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Noise whose level and colour change, as those of speech do; (samples,), float32."""
    colour = np.cumsum(rng.standard_normal(samples)) * 0.002 + rng.standard_normal(samples) * 0.02
    return ((colour - colour.mean()) * (1 + np.sin(np.arange(samples) / 1_500))).astype(np.float32)
