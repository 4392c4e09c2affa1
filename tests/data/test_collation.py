"""Clips become a batch in one way."""

import numpy as np
import pytest
import torch

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.data import Clip, Collator


def test_a_batch_holds_features_mask_and_labels(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor()
    clips = [Clip(waveform=speech, label=1, utterance="a"), Clip(waveform=speech[:8_000], label=0, utterance="b")]
    batch = Collator(extractor, {"real": 0, "fake": 1})(clips)
    expected = extractor([speech, speech[:8_000]], sampling_rate=16_000, return_tensors="pt")
    assert set(batch) == {"input_features", "attention_mask", "labels"}
    torch.testing.assert_close(batch["input_features"], expected["input_features"])
    torch.testing.assert_close(batch["attention_mask"], expected["attention_mask"])
    assert batch["labels"].tolist() == [1, 0]


def test_a_clip_that_is_too_short_is_named(speech: np.ndarray) -> None:
    clips = [Clip(waveform=speech, label=1, utterance="a"), Clip(waveform=speech[:80], label=0, utterance="T_17")]
    with pytest.raises(ValueError, match=r"^T_17: has 80 samples, less than one frame"):
        Collator(CRNNFeatureExtractor(), {"real": 0, "fake": 1})(clips)


def test_labels_are_the_models(speech: np.ndarray) -> None:
    clips = [Clip(waveform=speech, label=label, utterance="a") for label in (1, 0, 0)]
    assert Collator(CRNNFeatureExtractor(), {"fake": 0, "real": 1})(clips)["labels"].tolist() == [0, 1, 1]
