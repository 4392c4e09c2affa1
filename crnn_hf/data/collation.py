"""From clips to what the model takes."""

from collections.abc import Sequence

import torch
from transformers import SequenceFeatureExtractor

from crnn_hf.data.reading import Clip


class Collator:
    """Turn clips into a batch: features, mask and labels. Training, evaluation and scoring all use this one.

    Args:
        feature_extractor: the model's own.
    """

    def __init__(self, feature_extractor: SequenceFeatureExtractor) -> None:
        self.feature_extractor = feature_extractor

    def __call__(self, clips: Sequence[Clip]) -> dict[str, torch.Tensor]:
        """`input_features` (clips, frames, mel), `attention_mask` (clips, frames), `labels` (clips,).

        Raises:
            ValueError: a clip is too short, or otherwise nothing to compute features of; the message names it.
        """
        try:
            batch = self.feature_extractor(
                [clip["waveform"] for clip in clips],
                sampling_rate=self.feature_extractor.sampling_rate,
                return_tensors="pt",
            )
        except ValueError as error:
            raise ValueError(f"{error} (batch: {', '.join(clip['utterance'] for clip in clips)})") from error
        return {**batch, "labels": torch.tensor([clip["label"] for clip in clips])}
