"""What is trained: presets with changes, or a trained model, and what can be neither is refused."""

import shutil
from pathlib import Path

import pytest

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.training.arguments import ModelArguments
from crnn_hf.training.models import build_model


def test_presets_and_their_changes() -> None:
    model, extractor = build_model(ModelArguments())
    assert model.config.to_dict() | {"dtype": None} == CRNNConfig().to_dict() | {"dtype": None}
    assert extractor.to_dict() == CRNNFeatureExtractor().to_dict()
    model, extractor = build_model(ModelArguments(preset="reference", features='{"num_mel_bins": 64}'))
    assert (model.config.num_mel_bins, extractor.num_mel_bins, extractor.max_frames) == (64, 64, 200)
    assert model.config.num_hidden_layers == 2


def test_going_on_from_a_trained_model(tiny_detector: Path, tmp_path: Path) -> None:
    calibrated = shutil.copytree(tiny_detector, tmp_path / "calibrated")
    config = CRNNConfig.from_pretrained(tiny_detector)
    config.calibration = {"scale": 2.0, "offset": 0.5}
    config.save_pretrained(calibrated)
    model, extractor = build_model(ModelArguments(model=str(calibrated)))
    assert model.config.hidden_size == 8
    assert extractor.num_mel_bins == 80
    assert model.config.calibration is None
    with pytest.raises(ValueError, match="cannot be changed"):
        build_model(ModelArguments(model=str(tiny_detector), architecture='{"hidden_size": 4}'))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"architecture": '{"hiden_size": 4}'}, "CRNNConfig has no field hiden_size"),
        ({"features": '{"window": 4}'}, "CRNNFeatureExtractor has no field window"),
        ({"architecture": '{"hidden_size": 0}'}, "hidden_size must be an integer of at least 1"),
        ({"architecture": '{"num_mel_bins": 64}'}, "num_mel_bins is 64 in the architecture and 80 in the features"),
    ],
)
def test_models_that_cannot_be_are_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_model(ModelArguments(**arguments))
