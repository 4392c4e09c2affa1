"""A speech-deepfake detector that is a real transformers model.

Importing this package teaches transformers' Auto classes the model type "crnn", so that
`AutoModelForAudioClassification.from_pretrained` and `pipeline` load it without remote code; and models saved from
then on carry the files that load them where this package is not installed. It also teaches `pipeline` the task
"audio-deepfake-detection".
"""

from importlib import import_module
from typing import Any

from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoModelForAudioClassification
from transformers.pipelines import PIPELINE_REGISTRY

from crnn_hf.configuration_crnn import CRNNConfig
from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor
from crnn_hf.modeling_crnn import CRNNForAudioClassification, CRNNModel

__all__ = [
    "CRNNConfig",
    "CRNNFeatureExtractor",
    "CRNNForAudioClassification",
    "CRNNModel",
    "DeepfakeDetectionPipeline",
]

AutoConfig.register(CRNNConfig.model_type, CRNNConfig)
AutoFeatureExtractor.register(CRNNConfig, CRNNFeatureExtractor)
AutoModel.register(CRNNConfig, CRNNModel)
AutoModelForAudioClassification.register(CRNNConfig, CRNNForAudioClassification)

CRNNConfig.register_for_auto_class()
CRNNFeatureExtractor.register_for_auto_class("AutoFeatureExtractor")
CRNNModel.register_for_auto_class("AutoModel")
CRNNForAudioClassification.register_for_auto_class("AutoModelForAudioClassification")

# By its name, as transformers has its own: what it imports takes a second, and most who load a model never ask for it.
PIPELINE_REGISTRY.supported_tasks["audio-deepfake-detection"] = {
    "impl": "crnn_hf.inference.pipeline.DeepfakeDetectionPipeline",
    "pt": (AutoModelForAudioClassification,),
    "type": "audio",
}


def __getattr__(name: str) -> Any:
    if name == "DeepfakeDetectionPipeline":
        return getattr(import_module("crnn_hf.inference.pipeline"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
