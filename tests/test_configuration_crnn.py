"""The config holds what a model can have, refuses what it cannot, and comes back from a file as it was."""

from pathlib import Path
from typing import Any

import pytest

from crnn_hf import CRNNConfig


def test_labels_are_real_and_fake() -> None:
    config = CRNNConfig()
    assert config.id2label == {0: "real", 1: "fake"}
    assert config.label2id == {"real": 0, "fake": 1}
    assert CRNNConfig(num_labels=2).id2label == config.id2label


def test_other_labels_win() -> None:
    assert CRNNConfig(num_labels=5).num_labels == 5
    named = CRNNConfig(id2label={0: "bona fide", 1: "replayed", 2: "synthetic"})
    assert named.label2id == {"bona fide": 0, "replayed": 1, "synthetic": 2}


def test_labels_may_come_in_the_other_order(tmp_path: Path) -> None:
    for config in (
        CRNNConfig(id2label={0: "fake", 1: "real"}),
        CRNNConfig(label2id={"fake": 0, "real": 1}),
        CRNNConfig(id2label={0: "fake", 1: "real"}, label2id={"real": 0, "fake": 1}),
    ):
        assert config.id2label == {0: "fake", 1: "real"}
        assert config.label2id == {"fake": 0, "real": 1}
        config.save_pretrained(tmp_path)
        assert CRNNConfig.from_pretrained(tmp_path).id2label == config.id2label


def test_reference_is_the_recipe_of_the_literature() -> None:
    config = CRNNConfig.reference()
    assert config.num_mel_bins == 128
    assert config.conv_channels == [32, 64, 128]
    assert (config.hidden_size, config.num_hidden_layers, config.bidirectional) == (256, 2, True)
    assert (config.classifier_proj_size, config.dropout) == (128, 0.3)
    assert CRNNConfig.reference(dropout=0.1).dropout == 0.1


def test_a_saved_config_comes_back(tmp_path: Path) -> None:
    config = CRNNConfig(conv_channels=(8, 16), class_weights=[1.0, 2.0], pooling="mean")
    config.save_pretrained(tmp_path)
    again = CRNNConfig.from_pretrained(tmp_path)
    assert again.to_dict() == config.to_dict()
    assert again.conv_channels == [8, 16]


@pytest.mark.parametrize(("halvings", "reduction"), [(0, 1), (1, 2), (3, 4)])
def test_time_reduction_is_at_most_two_a_block(halvings: int, reduction: int) -> None:
    assert CRNNConfig(conv_channels=[4, 4], num_time_halvings=halvings).time_reduction == reduction


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_mel_bins", 0),
        ("num_mel_bins", 80.0),
        ("conv_channels", []),
        ("conv_channels", [32, 0]),
        ("conv_channels", 32),
        ("conv_kernel_size", 4),
        ("num_time_halvings", -1),
        ("downsampling", "average"),
        ("hidden_size", True),
        ("num_hidden_layers", 0),
        ("bidirectional", "yes"),
        ("dropout", 1.0),
        ("dropout", "0.3"),
        ("pooling", "max"),
        ("attention_size", None),
        ("classifier_proj_size", 0),
        ("class_weights", [1.0]),
        ("class_weights", [-1.0, 1.0]),
        ("class_weights", [0.0, 0.0]),
        ("class_weights", [1.0, float("nan")]),
        ("calibration", {}),
        ("calibration", {"scale": 1.0}),
        ("calibration", {"scale": 0.0, "offset": 0.0}),
        ("calibration", {"scale": 1.0, "offset": float("nan")}),
        ("calibration", {"scale": "1", "offset": 0.0}),
    ],
)
def test_impossible_values_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field} must be .*; found "):
        CRNNConfig(**{field: value})


def test_other_labels_have_no_calibration() -> None:
    calibration = {"scale": 2.0, "offset": -1.0}
    assert CRNNConfig(calibration=calibration).calibration == calibration
    with pytest.raises(ValueError, match=r"and no others; found .*LABEL_2.*\. Without it: calibration=None"):
        CRNNConfig(calibration=calibration, num_labels=3)
