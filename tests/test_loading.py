"""What is no detector is refused when it is loaded."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, CRNNModel
from crnn_hf.inference import load_detector


def test_a_model_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    CRNNModel(CRNNConfig(conv_channels=[4])).save_pretrained(tmp_path)
    CRNNFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"lacks the weights \['classifier.bias', 'classifier.weight'\]"):
        load_detector(tmp_path)


def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    CRNNForAudioClassification(CRNNConfig(conv_channels=[4], num_labels=3)).save_pretrained(tmp_path)
    CRNNFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"expected a model with the labels 'real' and 'fake'; found \['LABEL_0'"):
        load_detector(tmp_path)


def test_a_model_that_lacks_its_second_opinion_is_refused(tmp_path: Path) -> None:
    CRNNForAudioClassification(CRNNConfig(conv_channels=[4], hidden_size=4, contrast=True)).save_pretrained(tmp_path)
    CRNNFeatureExtractor(return_contrast=True).save_pretrained(tmp_path)
    assert load_detector(tmp_path, "cpu")[0].contrast is not None
    file = tmp_path / "model.safetensors"
    weights = {name: weight for name, weight in load_file(file).items() if name != "contrast.weight"}
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"it lacks the weights \['contrast.weight'\]"):
        load_detector(tmp_path, "cpu")


def test_no_such_model(tmp_path: Path) -> None:
    for name in (tmp_path / "nowhere", "nowhere", "tests/nowhere"):
        with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
            load_detector(name)
