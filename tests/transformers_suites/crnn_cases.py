"""Our classes under transformers' common test suites.

Not collected from here: `test_suites.py` lays this file out as a module of transformers' own package of tests, where
the relative imports resolve.
"""

import copy
import unittest
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import torch
from transformers.models.auto import modeling_auto
from transformers.testing_utils import torch_device

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, CRNNModel
from crnn_hf.backbone_configuration_crnn import complete_backbone
from crnn_hf.contrast_crnn import NUM_STATISTICS

from . import test_pipeline_mixin
from .test_configuration_common import ConfigTester
from .test_modeling_common import ModelTesterMixin, floats_tensor
from .test_pipeline_mixin import PipelineTesterMixin
from .test_sequence_feature_extraction_common import SequenceFeatureExtractionTestMixin

# The suites look classes up by name here, to know which of them take labels and which have no head. Classes that are
# registered with the Auto classes from outside of transformers are not on these lists.
modeling_auto.MODEL_MAPPING_NAMES[CRNNConfig.model_type] = "CRNNModel"
modeling_auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES[CRNNConfig.model_type] = "CRNNForAudioClassification"

TINY_WAVE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
TINY_WHISPER = {
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 20,
    "max_source_positions": 40,
}
SMALL = {"num_mel_bins": 16, "conv_channels": [4, 8], "hidden_size": 8, "num_hidden_layers": 2, "attention_size": 6}


class CRNNModelTester:
    """Small configurations and random batches of clips of different lengths, padded on the right."""

    batch_size = 13
    num_frames = 31
    is_training = True

    def __init__(self, parent: unittest.TestCase, **options: Any) -> None:
        self.parent = parent
        self.options = {**SMALL, **options}
        config = self.get_config()
        self.num_hidden_layers = config.num_hidden_layers
        # What the suites expect of the first hidden state, which here is what enters the LSTM.
        self.seq_length = -(-self.num_frames // config.time_reduction)
        self.hidden_size = CRNNModel(config).layers[0].forward_lstm.input_size

    def get_config(self) -> CRNNConfig:
        return CRNNConfig(**copy.deepcopy(self.options))

    def prepare_config_and_inputs_for_common(self) -> tuple[CRNNConfig, dict[str, torch.Tensor]]:
        config = self.get_config()
        features = floats_tensor([self.batch_size, self.num_frames, config.num_mel_bins])
        inputs = {"input_features": features, "attention_mask": self.random_mask()}
        if config.backbone is not None:
            samples = config.backbone["frame_length"] + (self.num_frames - 1) * config.backbone["hop_length"]
            inputs["input_values"] = floats_tensor([self.batch_size, samples])
        if config.contrast:
            inputs["contrast"] = floats_tensor([self.batch_size, NUM_STATISTICS])
        return config, inputs

    def random_mask(self) -> torch.Tensor:
        """Right-padded; lengths go from one frame to all of them."""
        lengths = torch.randint(1, self.num_frames + 1, (self.batch_size, 1))
        lengths[-2:, 0] = torch.tensor([1, self.num_frames])
        return (torch.arange(self.num_frames) < lengths).long().to(torch_device)


class CRNNModelTest(ModelTesterMixin, unittest.TestCase):
    """The default architecture."""

    options: ClassVar[dict[str, Any]] = {}
    all_model_classes = (CRNNModel, CRNNForAudioClassification)
    has_attentions = False
    test_resize_embeddings = False
    # Without it the suite skips the check, as for every class whose source has no year of copyright.
    test_can_init_all_missing_weights_before_2023 = True

    def setUp(self) -> None:
        self.model_tester = CRNNModelTester(self, **self.options)
        self.config_tester = ConfigTester(
            self,
            config_class=CRNNConfig,
            has_text_modality=False,
            common_properties=["hidden_size", "num_hidden_layers", "num_mel_bins"],
            **self.model_tester.options,
        )

    def test_config(self) -> None:
        self.config_tester.run_common_tests()

    @unittest.skip("The input is a spectrogram: there are no token embeddings.")
    def test_model_get_set_embeddings(self) -> None:
        pass

    # What follows the suite checks too, but of models with attention or with generation only.

    def test_half_precision(self) -> None:
        for model, inputs in self._models_and_inputs():
            with torch.no_grad():
                expected = model(**inputs)[0]
                for dtype in (torch.float16, torch.bfloat16):
                    with self.subTest(model=type(model).__name__, dtype=dtype):
                        # With AMX, oneDNN's convolutions of a few channels are far off bfloat16's rounding.
                        with torch.backends.mkldnn.flags(enabled=False):
                            actual = copy.deepcopy(model).to(dtype)(**inputs)[0]
                        assert actual.dtype == dtype
                        torch.testing.assert_close(actual.float(), expected, atol=2e-2, rtol=0)

    def test_torch_compile(self) -> None:
        for model, inputs in self._models_and_inputs():
            with self.subTest(model=type(model).__name__):
                torch.compiler.reset()
                # Without code generation, which needs a C++ compiler.
                actual = torch.compile(copy.deepcopy(model), backend="aot_eager")(**inputs)[0]
                torch.testing.assert_close(actual, model(**inputs)[0])

    def test_torch_export(self) -> None:
        for model, inputs in self._models_and_inputs():
            with self.subTest(model=type(model).__name__), torch.no_grad():
                # The batch only: PyTorch unrolls an LSTM, so the exported graph is of one length.
                shapes = {name: {0: torch.export.Dim("batch", min=2)} for name in inputs}
                program = torch.export.export(model, (), inputs, dynamic_shapes=shapes)
                fewer = {name: value[:4] for name, value in inputs.items()}
                torch.testing.assert_close(program.module()(**fewer)[0], model(**fewer)[0])

    def _models_and_inputs(self) -> Iterator[tuple[CRNNModel | CRNNForAudioClassification, dict[str, torch.Tensor]]]:
        config, inputs = self.model_tester.prepare_config_and_inputs_for_common()
        for model_class in self.all_model_classes:
            yield model_class(config).to(torch_device).eval(), inputs


class CRNNReferenceModelTest(CRNNModelTest):
    """What `CRNNConfig.reference()` chooses, at the size of the other tests."""

    options: ClassVar[dict[str, Any]] = {"downsampling": "max_pool", "pooling": "mean", "classifier_proj_size": 5}


class CRNNUnidirectionalModelTest(CRNNModelTest):
    """The options that neither preset takes, and sizes that halving does not divide."""

    options: ClassVar[dict[str, Any]] = {
        "num_mel_bins": 13,
        "conv_channels": [3, 4, 5],
        "conv_kernel_size": 5,
        "num_time_halvings": 1,
        "bidirectional": False,
        "num_hidden_layers": 1,
    }


class CRNNHybridModelTest(CRNNModelTest):
    """With a transformer that listens along, partly trained."""

    # transformers does not initialise all weights of WavLM and Whisper either.
    test_can_init_all_missing_weights_before_2023 = False
    options: ClassVar[dict[str, Any]] = {
        "backbone": complete_backbone({"config": {"model_type": "wavlm", **TINY_WAVE}, "frozen_layers": 1})
    }

    # These three ask the CRNN for what only the transformer within it can do; it is not asked for through the CRNN.

    @unittest.skip("The CRNN has no attentions to return.")
    def test_capture_outputs_decorator(self) -> None:
        pass

    @unittest.skip("The CRNN returns all of its hidden states or none.")
    def test_can_capture_specific_layers_hidden_states(self) -> None:
        pass

    @unittest.skip("The transformer takes the fastest attention that it has.")
    def test_can_set_attention_dynamically(self) -> None:
        pass


class CRNNWhisperHybridModelTest(CRNNHybridModelTest):
    """With the encoder of Whisper, frozen."""

    options: ClassVar[dict[str, Any]] = {
        "backbone": complete_backbone({"config": {"model_type": "whisper", **TINY_WHISPER}})
    }


class CRNNMarginModelTest(CRNNModelTest):
    """With the head and the loss of AM-Softmax."""

    options: ClassVar[dict[str, Any]] = {"loss": "am_softmax", "margin": 0.4, "cosine_scale": 5.0}


class CRNNContrastModelTest(CRNNModelTest):
    """A second opinion beside it."""

    options: ClassVar[dict[str, Any]] = {"contrast": True}


class CRNNPipelineTest(PipelineTesterMixin, unittest.TestCase):
    """The pipeline for audio classification, loading the checkpoint that `test_suites.py` made."""

    pipeline_model_mapping: ClassVar[dict[str, type]] = {"audio-classification": CRNNForAudioClassification}

    def setUp(self) -> None:
        # The suite knows the feature extractor by name only and looks for it in transformers.
        module = test_pipeline_mixin.transformers_module
        self.enterContext(mock.patch.object(module, "CRNNFeatureExtractor", CRNNFeatureExtractor, create=True))


class CRNNFeatureExtractionTester:
    """Spectrograms of different lengths, as `CRNNFeatureExtractor.pad` takes them."""

    batch_size = 7
    min_seq_length = 40
    max_seq_length = 200
    feature_size = 10
    seq_length_diff = (max_seq_length - min_seq_length) // (batch_size - 1)

    def prepare_feat_extract_dict(self) -> dict[str, Any]:
        # The suite's checks of the padding hold for zeros only.
        return {"num_mel_bins": self.feature_size, "sampling_rate": 8_000, "padding_value": 0.0}

    def prepare_inputs_for_common(
        self, equal_length: bool = False, numpify: bool = False
    ) -> list[np.ndarray] | list[list[list[float]]]:
        lengths = range(self.min_seq_length, self.max_seq_length, self.seq_length_diff)
        if equal_length:
            lengths = [self.max_seq_length] * self.batch_size
        rng = np.random.default_rng(0)
        features = [rng.standard_normal((length, self.feature_size), np.float32) for length in lengths]
        return features if numpify else [clip.tolist() for clip in features]


class CRNNFeatureExtractionTest(SequenceFeatureExtractionTestMixin, unittest.TestCase):
    feature_extraction_class = CRNNFeatureExtractor

    def setUp(self) -> None:
        self.feat_extract_tester = CRNNFeatureExtractionTester()
