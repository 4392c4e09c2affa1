"""The model to train: a preset with changes, or a trained one."""

import json
from typing import Any, TypeVar

from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification
from crnn_hf.backbone_configuration_crnn import SAMPLING_RATE
from crnn_hf.training.arguments import ModelArguments
from crnn_hf.training.finetuning import continued

Preset = TypeVar("Preset", CRNNConfig, CRNNFeatureExtractor)


def build_model(arguments: ModelArguments) -> tuple[PreTrainedModel, SequenceFeatureExtractor]:
    """The model to train and its feature extractor: a trained one, or a preset with changes.

    Raises:
        ValueError: a field that does not exist, or with a value that it cannot have; or changes that a
            trained model cannot have.
        OSError: the backbone's transformer is neither a folder nor on the Hub, or the Hub cannot be reached.
    """
    architecture, features = json.loads(arguments.architecture), json.loads(arguments.features)
    if arguments.model is not None:
        if features:
            raise ValueError("features are those of the model to go on from; they cannot be changed")
        return continued(arguments.model, architecture, arguments.new_head)
    if arguments.new_head:
        raise ValueError("new_head is for a model to go on from; found no model")
    is_reference = arguments.preset == "reference"
    feature_extractor = _with_changes(
        CRNNFeatureExtractor.reference() if is_reference else CRNNFeatureExtractor(), features
    )
    # The number of bands stands in the features, and nowhere else in a recipe.
    architecture = {"num_mel_bins": feature_extractor.num_mel_bins, **architecture}
    config = _with_changes(CRNNConfig.reference() if is_reference else CRNNConfig(), architecture)
    if config.num_mel_bins != feature_extractor.num_mel_bins:
        raise ValueError(
            f"num_mel_bins is {config.num_mel_bins} in the architecture and {feature_extractor.num_mel_bins} in the "
            "features; expected the same number, which the features alone can state"
        )
    return _new_model(config, feature_extractor), feature_extractor


def _new_model(config: CRNNConfig, feature_extractor: CRNNFeatureExtractor) -> CRNNForAudioClassification:
    """A model with random weights, but for its backbone; what the model hears the extractor then returns."""
    feature_extractor.return_contrast = config.contrast
    if config.backbone is None:
        return CRNNForAudioClassification(config)
    if feature_extractor.sampling_rate != SAMPLING_RATE:
        raise ValueError(
            f"a backbone hears {SAMPLING_RATE} Hz; found a sampling_rate of {feature_extractor.sampling_rate} Hz in "
            "the features"
        )
    # As the number of bands, where frames lie in time stands in the features.
    config.backbone |= {"frame_length": feature_extractor.n_fft, "hop_length": feature_extractor.hop_length}
    feature_extractor.return_waveform = True
    if config.backbone["name"] is None:
        return CRNNForAudioClassification(config)
    return CRNNForAudioClassification.with_pretrained_backbone(config)


def _with_changes(preset: Preset, changes: dict[str, Any]) -> Preset:
    """A preset with other values for some of its fields."""
    fields = preset.to_dict()
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        raise ValueError(f"{type(preset).__name__} has no field {', '.join(unknown)}")
    if "num_mel_bins" in changes:
        fields.pop("feature_size", None)
    return type(preset)(**{**fields, **changes})
