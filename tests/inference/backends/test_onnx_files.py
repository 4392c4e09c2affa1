"""ONNX files give PyTorch's logits, whatever the length and the padding, or are not written."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import Wav2Vec2Config, WhisperConfig

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.inference.backends import OnnxDetector, onnx_files
from crnn_hf.inference.backends.files import MODEL_FILE, QUANTIZED_FILE, WITH_FEATURES_FILE
from crnn_hf.inference.backends.onnx_detector import open_session, run
from crnn_hf.inference.backends.onnx_files import write_onnx
from crnn_hf.loading import load_detector

SMALL: dict[str, Any] = {"conv_channels": [16, 16], "hidden_size": 8}
MODELS = {
    "calibrated": {"calibration": {"scale": 1.7, "offset": -0.4}},
    "pooled, two layers, mean, projector": {
        "downsampling": "max_pool",
        "num_hidden_layers": 2,
        "pooling": "mean",
        "classifier_proj_size": 8,
    },
    "one direction, larger kernels, one halving": {
        "bidirectional": False,
        "conv_kernel_size": 5,
        "num_time_halvings": 1,
    },
    "channels that fit no block": {"conv_channels": [3, 5, 7, 9]},
    "cosines": {"loss": "oc_softmax"},
}
EXTRACTORS = {
    "default": {},
    "reference": {
        "mel_scale": "slaney",
        "n_fft": 1024,
        "hop_length": 512,
        "normalization": "clip_mean_std",
        "max_frames": 50,
    },
    "frames of odd length": {"n_fft": 401, "normalization": None},
    "a second opinion": {"return_contrast": True},
    "no limit, no DC removal": {"dynamic_range": None, "remove_dc": False, "mel_scale": "linear"},
}


def batch_of(clips: list[np.ndarray], **options: Any) -> dict[str, torch.Tensor]:
    return CRNNFeatureExtractor(**options)(clips, sampling_rate=16_000, return_tensors="pt")


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_all_kinds_of_model(name: str, make_model: Any, clips: list[np.ndarray], tmp_path: Path) -> None:
    model = make_model(CRNNConfig(**{**SMALL, **MODELS[name]}))
    (written,) = write_onnx(model, CRNNFeatureExtractor(), tmp_path)
    assert written.difference < 1e-5
    assert written.path == tmp_path / MODEL_FILE
    assert written.bytes == written.path.stat().st_size
    detector = OnnxDetector(open_session(written.path), model.config)
    for chosen in (clips, clips[:1], clips[2:4], [clips[3]] * 3):
        batch = batch_of(chosen)
        torch.testing.assert_close(detector(**batch).logits, model(**batch).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_stands_in_the_padding_does_not_matter(exported: Path, clips: list[np.ndarray]) -> None:
    detector = OnnxDetector.from_pretrained(exported)
    batch = batch_of(clips, return_contrast=True)
    expected = detector(**batch).logits
    for content in (1e3, torch.nan):
        batch["input_features"][batch["attention_mask"] == 0] = content
        torch.testing.assert_close(detector(**batch).logits, expected, atol=0, rtol=0)


def test_a_batch_without_padding_takes_the_way_without_masks(exported: Path) -> None:
    graph = onnx.load(exported / MODEL_FILE).graph
    branches = {
        attribute.name: attribute.g for node in graph.node for attribute in node.attribute if node.op_type == "If"
    }
    operators = {name: [node.op_type for node in branch.node] for name, branch in branches.items()}
    for names in operators.values():
        assert names.count("LSTM") == 1  # for both directions, and not unrolled
        assert names.count("Conv") == 2
        assert "BatchNormalization" not in names
    assert "Mul" not in operators["then_branch"][: operators["then_branch"].index("LSTM")]
    assert "Mul" in operators["else_branch"][: operators["else_branch"].index("LSTM")]
    # The LSTM's weights are there once.
    inner = [
        tensor.name for branch in branches.values() for tensor in branch.initializer if len(tensor.raw_data) > 1024
    ]
    assert all("conv" in name or "Conv" in name for name in inner)


@pytest.mark.parametrize("name", EXTRACTORS)
@torch.no_grad()
def test_features_inside(name: str, make_model: Any, clips: list[np.ndarray], tmp_path: Path) -> None:
    extractor = CRNNFeatureExtractor(**EXTRACTORS[name])
    model = make_model(CRNNConfig(**SMALL, contrast=extractor.return_contrast))
    write_onnx(model, extractor, tmp_path, with_features=True)
    session = open_session(tmp_path / WITH_FEATURES_FILE)
    for chosen in (clips, clips[3:4]):
        waveforms = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip) for clip in chosen], batch_first=True)
        lengths = np.array([len(clip) for clip in chosen])
        logits = run(session, {"waveforms": waveforms.numpy(), "lengths": lengths})
        expected = model(**extractor(chosen, sampling_rate=16_000, return_tensors="pt")).logits
        torch.testing.assert_close(torch.from_numpy(logits), expected, atol=2e-5, rtol=0)


@torch.no_grad()
def test_whisper_listens_along(make_model: Any, clips: list[np.ndarray], tmp_path: Path) -> None:
    encoder = WhisperConfig(
        d_model=16,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=20,
        num_mel_bins=8,
        max_source_positions=1500,
    )
    model = make_model(CRNNConfig(**SMALL, backbone={"config": encoder}))
    (written,) = write_onnx(model, CRNNFeatureExtractor(return_waveform=True), tmp_path)
    detector = OnnxDetector(open_session(written.path), model.config)
    batch = batch_of(clips, return_waveform=True)
    torch.testing.assert_close(detector(**batch).logits, model(**batch).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_transformer_that_listens_along(make_model: Any, clips: list[np.ndarray], tmp_path: Path) -> None:
    encoder = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        conv_dim=[8] * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    )
    model = make_model(CRNNConfig(**SMALL, backbone={"config": encoder, "window_seconds": 8}))
    extractor = CRNNFeatureExtractor(return_waveform=True)
    (written,) = write_onnx(model, extractor, tmp_path)
    detector = OnnxDetector(open_session(written.path), model.config)
    batch = batch_of(clips, return_waveform=True)
    torch.testing.assert_close(detector(**batch).logits, model(**batch).logits, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match=r"hears at most 115200 samples at a time; found 1\d{5}: cut the recording"):
        detector(**batch_of([np.tile(clips[1], 2)], return_waveform=True))
    with pytest.raises(ValueError, match=r"takes the inputs \['attention_mask', 'input_features', 'input_values'\]"):
        detector(**batch_of(clips))
    with pytest.raises(ValueError, match="made of a CRNN without a backbone"):
        write_onnx(model, extractor, tmp_path, with_features=True)


@torch.no_grad()
def test_weights_of_eight_bits(exported: Path, clips: list[np.ndarray]) -> None:
    model, _ = load_detector(exported, "cpu")
    batch = batch_of(clips, return_contrast=True)
    found = OnnxDetector.from_pretrained(exported, QUANTIZED_FILE)(**batch).logits
    difference = (found - model(**batch).logits).abs().max()
    assert 1e-6 < difference < 0.05
    assert (exported / QUANTIZED_FILE).stat().st_size < (exported / MODEL_FILE).stat().st_size
    branch = (
        next(node for node in onnx.load(exported / QUANTIZED_FILE).graph.node if node.op_type == "If").attribute[0].g
    )
    assert "DynamicQuantizeLSTM" in [node.op_type for node in branch.node]


def test_a_graph_that_differs_is_not_left(make_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, extractor = make_model(CRNNConfig(**SMALL)), CRNNFeatureExtractor()
    write_onnx(model, extractor, tmp_path)
    wrong = onnx_files.trace_model

    def trace_another(model: Any, **options: Any) -> Any:
        return wrong(make_model(CRNNConfig(**SMALL, calibration={"scale": 2.0, "offset": 0.0})), **options)

    monkeypatch.setattr(onnx_files, "trace_model", trace_another)
    with pytest.raises(ValueError, match=r"model.onnx was not written: its logits differ from PyTorch's by 0\.\d+"):
        write_onnx(model, extractor, tmp_path)
    assert [*(tmp_path / "onnx").iterdir()] == []


def test_a_model_of_another_class_is_refused(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)
    model.config = Wav2Vec2Config()
    with pytest.raises(ValueError, match="expected a CRNN to be exported; found a model of type 'wav2vec2'"):
        write_onnx(model, CRNNFeatureExtractor(), tmp_path)
