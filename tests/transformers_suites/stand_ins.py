"""What transformers' common test suites import from modules that its source distribution leaves out."""

from typing import Any

import numpy as np
from transformers import AudioClassificationPipeline, PreTrainedModel, SequenceFeatureExtractor


class GenerationTesterMixin:
    """Tests of models that generate; none of ours does."""


class ExportTesterMixin:
    """Tests of exporters to other run times."""


# Every field that all configurations have, with another value than its default.
config_common_kwargs: dict[str, Any] = {
    "return_dict": False,
    "output_hidden_states": True,
    "output_attentions": True,
    "dtype": "float16",
    "chunk_size_feed_forward": 5,
    "architectures": ["BertModel"],
    "id2label": {0: "label"},
    "label2id": {"label": 0},
    "problem_type": "regression",
}


class AudioClassificationPipelineTests:
    """What `PipelineTesterMixin` runs for the task "audio-classification"."""

    def get_test_pipeline(
        self, model: PreTrainedModel, tokenizer: None, feature_extractor: SequenceFeatureExtractor, dtype: str
    ) -> tuple[AudioClassificationPipeline, list[np.ndarray]]:
        """The pipeline and examples, noise of different lengths."""
        rng = np.random.default_rng(0)
        examples = [0.1 * rng.standard_normal(length, np.float32) for length in (34_000, 16_000)]
        pipeline = AudioClassificationPipeline(model=model, feature_extractor=feature_extractor, dtype=dtype)
        return pipeline, examples

    def run_pipeline_test(self, pipeline: AudioClassificationPipeline, examples: list[np.ndarray]) -> None:
        """A clip alone, and clips in one batch, give the same label for label."""
        alone = [pipeline(example) for example in examples]
        names = pipeline.model.config.label2id.keys()
        assert all({label["label"] for label in labels} == names for labels in alone)
        assert all(abs(sum(label["score"] for label in labels) - 1) < 1e-2 for labels in alone)
        assert len(pipeline(examples[0], top_k=1)) == 1
        for one, batched in zip(alone, pipeline(examples, batch_size=len(examples)), strict=True):
            np.testing.assert_allclose(_scores(one), _scores(batched), atol=1e-2)


def _scores(labels: list[dict[str, Any]]) -> list[float]:
    return [label["score"] for label in sorted(labels, key=lambda label: label["label"])]
