"""One door to a detector, whatever runs it."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.contrast_crnn import NUM_STATISTICS
from crnn_hf.data import load_corpus
from crnn_hf.inference import score_clips
from crnn_hf.inference.backends import BACKENDS, OnnxDetector, load_backend, tuned
from crnn_hf.loading import load_detector


@pytest.mark.parametrize("backend", BACKENDS)
def test_they_all_say_the_same_wherever_a_model_is_used(backend: str, exported: Path, tiny_corpus: Path) -> None:
    detector, feature_extractor = load_backend(exported, backend, device="cpu")
    reference, _ = load_detector(exported, "cpu")
    tolerance = 0.05 if backend == "onnx-int8" else 1e-5
    corpus = load_corpus(str(tiny_corpus), "validation")
    found, expected = (score_clips(model, feature_extractor, corpus, 3) for model in (detector, reference))
    np.testing.assert_allclose(found.trials.scores, expected.trials.scores, atol=tolerance)
    assert found.faults == expected.faults == []
    assert np.ptp(expected.trials.scores) > 0.05  # clips differ, and by more than the tolerance
    assert detector.eval() is detector
    assert detector.device == torch.device("cpu")


@pytest.mark.parametrize("preset", [CRNNConfig, CRNNConfig.reference])
@torch.no_grad()
def test_a_tuned_model_gives_the_same_logits(preset: Any, make_model: Any, clips: list[np.ndarray]) -> None:
    model = make_model(preset(conv_channels=[8, 16], hidden_size=8))
    extractor = CRNNFeatureExtractor(num_mel_bins=model.config.num_mel_bins)
    batches = [extractor(chosen, sampling_rate=16_000, return_tensors="pt") for chosen in (clips, clips[:1])]
    expected = [model(**batch).logits for batch in batches]
    assert tuned(tuned(model.train())) is model
    for batch, logits in zip(batches, expected, strict=True):
        torch.testing.assert_close(model(**batch).logits, logits, atol=1e-5, rtol=0)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_model_that_was_not_exported(tiny_detector: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"it has no onnx/model.onnx; write it: crnn-hf export MODEL OUT$"):
        load_backend(tiny_detector, "onnx")
    with pytest.raises(FileNotFoundError, match=r"no onnx/model_quantized.onnx; write it: .* OUT --int8$"):
        load_backend(tiny_detector, "onnx-int8")
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        load_backend("nowhere", "onnx")


def test_a_calibration_that_came_later_is_noticed(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["calibration"]["offset"] = 0.5
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"has the calibration .*-0\.4.*config.json .*0\.5.*write it again"):
        load_backend(tmp_path / "model", "onnx")


def test_what_is_no_graph_or_no_backend_or_no_device(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "model")
    (tmp_path / "model" / "onnx" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ValueError, match=r"model.onnx: expected an ONNX graph; ONNX Runtime says"):
        load_backend(tmp_path / "model", "onnx")
    with pytest.raises(ValueError, match=r"backend must be one of \('torch', 'onnx', 'onnx-int8'\); found 'jax'"):
        load_backend(exported, "jax")
    with pytest.raises(ValueError, match="the backend 'onnx' runs on the CPU; found device 'cuda'"):
        load_backend(exported, "onnx", device="cuda")


def test_inputs_of_another_shape(exported: Path) -> None:
    detector = OnnxDetector.from_pretrained(exported)
    with pytest.raises(ValueError, match=r"does not take inputs of the shapes .*\(1, 50, 33\)"):
        detector(torch.zeros(1, 50, 33), contrast=torch.zeros(1, NUM_STATISTICS))
    wanted = r"takes the inputs \['attention_mask', 'contrast', 'input_features'\]; found"
    with pytest.raises(ValueError, match=wanted):
        detector(torch.zeros(1, 50, 80))
    with pytest.raises(ValueError, match=f"{wanted} .*input_values"):
        detector(torch.zeros(1, 50, 80), input_values=torch.zeros(1, 8000), contrast=torch.zeros(1, NUM_STATISTICS))


def test_without_onnx_runtime(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install crnn-hf\[onnx\]"):
        load_backend(exported, "onnx")


def test_as_many_threads_as_are_asked_for(exported: Path) -> None:
    detector = OnnxDetector.from_pretrained(exported, threads=2)
    assert detector.session.get_session_options().intra_op_num_threads == 2
    default = OnnxDetector.from_pretrained(exported).session.get_session_options().intra_op_num_threads
    assert default == torch.get_num_threads()
