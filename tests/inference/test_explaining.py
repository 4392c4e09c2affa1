"""What moved a score: by gradients in PyTorch, by occlusion elsewhere, on the spectrogram of the whole recording."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import ASTFeatureExtractor

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.contrast_crnn import KIND_OF_STATISTIC, KINDS, PHASE
from crnn_hf.inference import DeepfakeDetectionPipeline
from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.explaining import explain
from crnn_hf.inference.recordings import Listening

LABELS = {"real": 0, "fake": 1}


class LowBandsAreReal(torch.nn.Module):
    """A detector whose score is known: the mean of the lowest 10 bands, less that of the highest 10, over the frames
    of the second half alone."""

    device = torch.device("cpu")
    config = SimpleNamespace(label2id=LABELS)

    def forward(self, input_features: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        heard = input_features[:, input_features.shape[1] // 2 :]
        score = heard[..., :10].mean((1, 2)) - heard[..., -10:].mean((1, 2))
        return SimpleNamespace(logits=torch.stack([score, torch.zeros_like(score)], 1))


class Opaque:
    """The same without gradients, as an ONNX graph is."""

    device = torch.device("cpu")
    config = SimpleNamespace(label2id=LABELS)

    def __call__(self, **batch: torch.Tensor) -> SimpleNamespace:
        return LowBandsAreReal()(**batch)


@pytest.fixture
def changing() -> np.ndarray:
    """Two seconds whose second half is lower in pitch and louder at its end."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(32_000).astype(np.float32) * 0.01
    noise[24_000:] += np.sin(np.arange(8_000) * 0.05).astype(np.float32) * 0.5
    return noise


@pytest.mark.parametrize(("detector", "method"), [(LowBandsAreReal(), "gradient x input"), (Opaque(), "occlusion")])
def test_cells_have_the_effect_that_they_had(detector: object, method: str, changing: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor()
    found = explain(detector, extractor, changing)
    assert found.method == method
    assert found.effects.shape == (extractor.num_frames(len(changing)), 80)
    # Of a linear detector both methods are exact: the effects add up to the score, less that of the bands' means.
    batch = extractor(changing, sampling_rate=16_000, return_tensors="pt")
    logits = detector(**batch).logits[0]
    assert found.effects.sum() == pytest.approx(float(logits[0] - logits[1]), abs=1e-3)
    assert np.abs(found.effects[:, 20:60]).max() < 1e-6
    assert found.effects[-40:, :10].sum() > 0.1
    assert np.abs(found.effects[:40]).max() < 1e-6


def test_a_long_recording_is_heard_window_by_window(tiny_detector: Path, changing: np.ndarray) -> None:
    detector, extractor = load_backend(tiny_detector, device="cpu")
    alone = explain(detector, extractor, changing).effects
    recording, listening = np.concatenate([changing, changing, changing[:8_000]]), Listening(whole_window=2.0)
    longer = explain(detector, extractor, recording, listening).effects
    assert longer.shape[0] == extractor.num_frames(72_000)
    # The second window begins in the middle of the first.
    second = explain(detector, extractor, recording[16_000:48_000]).effects
    half = 16_000 // extractor.hop_length
    np.testing.assert_allclose(longer[: half - 4], alone[: half - 4], rtol=1e-4, atol=1e-7)
    both = (alone[half : 2 * half - 4] + second[: half - 4]) / 2
    np.testing.assert_allclose(longer[half : 2 * half - 4], both, rtol=1e-4, atol=1e-7)
    assert np.isfinite(longer).all()
    assert np.abs(longer[-40:]).max() > 0


@pytest.mark.parametrize("silence", [0, 200_000])
def test_the_score_is_the_pipelines(tiny_detector: Path, speech: np.ndarray, silence: int) -> None:
    recording = np.concatenate([np.resize(speech, 150_000), np.zeros(silence, np.float32)])
    expected = DeepfakeDetectionPipeline.from_pretrained(tiny_detector, device="cpu")(recording)
    found = explain(*load_backend(tiny_detector, device="cpu"), recording)
    assert found.score == pytest.approx(expected["score"], abs=1e-4)
    if silence:
        # Windows that do not sound are not counted, and so nothing in them had an effect.
        assert np.abs(found.effects[-300:]).max() == 0


@pytest.mark.parametrize("calibration", [None, {"scale": 0.4, "offset": 1.5}])
def test_kinds_of_fine_structure_add_up_to_what_the_second_opinion_says(
    calibration: dict[str, float] | None, tiny_detector: Path, changing: np.ndarray
) -> None:
    detector, extractor = load_backend(tiny_detector, device="cpu")
    detector.config.calibration = calibration
    detector.contrast.weight.mul_(400)
    found = explain(detector, extractor, changing)
    batch = extractor(changing, sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        own, usual = (
            float(logits[0] - logits[1])
            for contrast in (batch["contrast"], detector.contrast.mean[None])
            for logits in detector(**{**batch, "contrast": contrast}).logits
        )
    assert found.score == pytest.approx(own, abs=1e-4)
    assert abs(own - usual) > 0.2
    assert sum(found.fine_structure.values()) == pytest.approx(own - usual, rel=0.02)


def test_a_kind_that_the_second_opinion_does_not_hear_has_no_effect(tiny_detector: Path, changing: np.ndarray) -> None:
    detector, extractor = load_backend(tiny_detector, device="cpu")
    is_phase = torch.tensor([kind == PHASE for kind in KIND_OF_STATISTIC])
    detector.contrast.hidden_weight[:, ~is_phase] = 0
    found = explain(detector, extractor, changing).fine_structure
    assert list(found) == list(KINDS)
    assert found[PHASE] != 0
    assert {effect for kind, effect in found.items() if kind != PHASE} == {0.0}


def test_without_a_second_opinion_there_is_no_fine_structure(changing: np.ndarray) -> None:
    found = explain(LowBandsAreReal(), CRNNFeatureExtractor(), changing)
    assert found.fine_structure is None


def test_onnx_is_explained_by_occlusion(tiny_detector: Path, tmp_path: Path, speech: np.ndarray) -> None:
    pytest.importorskip("onnxruntime", reason="needs crnn-hf[onnx]")
    from crnn_hf.inference.backends import export_onnx

    export_onnx(tiny_detector, tmp_path / "onnx")
    found = explain(*load_backend(tmp_path / "onnx", "onnx"), speech)
    assert found.method == "occlusion"
    assert np.abs(found.effects).max() > 0
    assert found.fine_structure is None


def test_bad_input(tiny_detector: Path, speech: np.ndarray) -> None:
    detector, extractor = load_backend(tiny_detector, device="cpu")
    with pytest.raises(ValueError, match="expected at least 512 samples, a frame; found 100"):
        explain(detector, extractor, speech[:100])
    with pytest.raises(ValueError, match="found ASTFeatureExtractor"):
        explain(detector, ASTFeatureExtractor(), speech)
