"""On a GPU features and logits are those of the CPU. Where there is one: scripts/test -m slow tests/test_gpu.py"""

from typing import Any

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")]

KINDS: dict[str, tuple[CRNNConfig, dict[str, Any]]] = {
    "default": (CRNNConfig(contrast=True), {"return_contrast": True}),
    "reference": (CRNNConfig.reference(), CRNNFeatureExtractor.reference().to_dict()),
    "hybrid": (CRNNConfig(backbone={"config": {"model_type": "wavlm"}}), {"return_waveform": True}),
}


@pytest.fixture(autouse=True)
def _exact_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.mark.parametrize("kind", KINDS)
@torch.inference_mode()
def test_the_same_as_on_the_cpu(kind: str) -> None:
    config, options = KINDS[kind]
    torch.manual_seed(0)
    model, extractor = CRNNForAudioClassification(config).eval(), CRNNFeatureExtractor(**options)
    if model.contrast is not None:
        model.contrast.hidden_weight.normal_(std=0.03)
        model.contrast.weight.normal_(std=0.05)
    rng = np.random.default_rng(0)
    clips = [rng.normal(0, 0.1, length).astype(np.float32) for length in (16_000, 40_000, 64_000, 160_000)]
    here = extractor(clips, sampling_rate=16_000, return_tensors="pt")
    there = extractor(clips, sampling_rate=16_000, return_tensors="pt", device="cuda")
    for name, expected in here.items():
        torch.testing.assert_close(there[name], expected, atol=1e-3, rtol=0)
    logits = model(**here).logits
    on_gpu = model.cuda()(**{name: tensor.cuda() for name, tensor in here.items()}).logits
    torch.testing.assert_close(on_gpu.cpu(), logits, atol=1e-4, rtol=0)
