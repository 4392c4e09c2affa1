"""What the tests of the backends share: a detector whose every part leaves a trace, and its ONNX files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.inference.backends import export_onnx

CALIBRATION = {"scale": 1.7, "offset": -0.4}


def lively(config: CRNNConfig) -> CRNNForAudioClassification:
    """A model whose batch norms shift and scale and which has a second opinion, as a trained one does."""
    torch.manual_seed(0)
    model = CRNNForAudioClassification(config).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.bias.data.normal_()
    if model.contrast is not None:
        model.contrast.mean.normal_()
        model.contrast.hidden_weight.normal_(std=0.03)
        model.contrast.weight.normal_(std=0.05)
    return model


@pytest.fixture(scope="session")
def make_model():
    """`lively`, as a fixture."""
    return lively


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved detector, calibrated, with all ONNX files."""
    folder = tmp_path_factory.mktemp("exported")
    config = CRNNConfig(conv_channels=[16, 32], hidden_size=8, contrast=True, calibration=CALIBRATION)
    lively(config).save_pretrained(folder)
    CRNNFeatureExtractor(return_contrast=True).save_pretrained(folder)
    export_onnx(folder, folder, quantized=True, with_features=True)
    return folder


@pytest.fixture
def clips() -> list[np.ndarray]:
    """Eight clips of noise, of 0.1 to 6 seconds; float32."""
    rng = np.random.default_rng(1)
    seconds = (2.0, 6.0, 0.1, 3.3, 1.0, 1.01, 4.7, 0.5)
    return [rng.normal(0.01, 0.1, round(16_000 * length)).astype(np.float32) for length in seconds]
