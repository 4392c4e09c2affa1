"""Scoring gives every clip the score that it has alone, in order, and names those that have none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
)

from crnn_hf.data import load_asvspoof5, waveform_of
from crnn_hf.inference import load_detector, score_clips
from crnn_hf.metrics import length_buckets


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_scores_of_a_corpus(tiny_detector: Path, tiny_corpus: Path, batch_size: int, logits_of: Callable) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    scored = score_clips(*load_detector(tiny_detector), clips, batch_size)
    alone = [logits_of(tiny_detector, waveform_of(clip["audio"])) for clip in clips]
    assert scored.faults == []
    assert scored.trials.utterances == list(clips["utterance"])
    assert scored.trials.is_fake.tolist() == [label == 1 for label in clips["label"]]
    assert scored.trials.columns["attack"] == list(clips["attack"])
    np.testing.assert_allclose(scored.trials.scores, [float(logits[0] - logits[1]) for logits in alone], atol=1e-5)


def test_clips_that_cannot_be_scored_are_named_and_the_others_scored(
    tiny_detector: Path, tiny_corpus: Path, encoded: Callable
) -> None:
    def damage(row: dict, index: int) -> dict:
        content = {2: row["audio"]["bytes"][:9_000], 5: encoded(np.zeros(100), "FLAC")}.get(
            index, row["audio"]["bytes"]
        )
        return {"audio": {**row["audio"], "bytes": content}}

    whole = load_asvspoof5(tiny_corpus, "validation")
    damaged = whole.map(damage, with_indices=True)
    detector = load_detector(tiny_detector)
    scored = score_clips(*detector, damaged, batch_size=3)
    kept = [0, 1, 3, 4, 6, 7]
    assert scored.trials.utterances == [whole[index]["utterance"] for index in kept]
    np.testing.assert_allclose(scored.trials.scores, score_clips(*detector, whole).trials.scores[kept], atol=1e-5)
    cut, short = scored.faults
    assert "D_0000000002.flac: cut off or damaged" in cut
    assert short.startswith("D_0000000005: has 100 samples, less than one frame")
    assert scored.trials.columns["speaker"] == [whole[index]["speaker"] for index in kept]


def test_a_clip_is_told_apart_by_its_length(tiny_detector: Path, tiny_corpus: Path) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    seconds = [len(waveform_of(clip["audio"])) / 16_000 for clip in clips]
    assert score_clips(*load_detector(tiny_detector), clips).trials.columns["length"] == length_buckets(seconds)


def test_damaged_weights_give_no_scores(tiny_detector: Path, tiny_corpus: Path) -> None:
    model, extractor = load_detector(tiny_detector)
    model.classifier.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="not finite numbers"):
        score_clips(model, extractor, load_asvspoof5(tiny_corpus, "validation"))


def test_a_model_of_another_kind_gives_each_clip_the_score_that_it_has_alone(tiny_corpus: Path) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = Wav2Vec2Config(
        **sizes,
        conv_dim=[8, 8],
        conv_stride=[20, 16],
        conv_kernel=[20, 16],
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=8,
        id2label={0: "real", 1: "fake"},
        label2id={"real": 0, "fake": 1},
    )
    model, extractor = Wav2Vec2ForSequenceClassification(config).eval(), Wav2Vec2FeatureExtractor()
    clips = load_asvspoof5(tiny_corpus, "validation")
    scored = score_clips(model, extractor, clips, batch_size=4)
    assert scored.faults == []
    with torch.no_grad():
        inputs = extractor(waveform_of(clips[3]["audio"]), sampling_rate=16_000, return_tensors="pt")
        (logits,) = model(**inputs).logits
    assert scored.trials.scores[3] == pytest.approx(float(logits[0] - logits[1]), abs=1e-5)
