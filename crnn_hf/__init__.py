"""A speech-deepfake detector that is a real transformers model.

Importing this package teaches transformers' Auto classes the model type "crnn", so that
`AutoModelForAudioClassification.from_pretrained` and `pipeline` load it without remote code; and models saved from
then on carry the three files that load them where this package is not installed.
"""

from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification

from crnn_hf.configuration_crnn import CRNNConfig
from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor
from crnn_hf.modeling_crnn import CRNNForAudioClassification, CRNNModel

__all__ = ["CRNNConfig", "CRNNFeatureExtractor", "CRNNForAudioClassification", "CRNNModel"]

AutoConfig.register(CRNNConfig.model_type, CRNNConfig)
AutoFeatureExtractor.register(CRNNConfig, CRNNFeatureExtractor)
AutoModel.register(CRNNConfig, CRNNModel)
AutoModelForAudioClassification.register(CRNNConfig, CRNNForAudioClassification)

CRNNConfig.register_for_auto_class()
CRNNFeatureExtractor.register_for_auto_class("AutoFeatureExtractor")
CRNNModel.register_for_auto_class("AutoModel")
CRNNForAudioClassification.register_for_auto_class("AutoModelForAudioClassification")
