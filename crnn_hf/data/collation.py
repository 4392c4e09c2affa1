"""From clips to what the model takes."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from transformers import SequenceFeatureExtractor

from crnn_hf.data.columns import LABELS
from crnn_hf.data.reading import Clip


class Collator:
    """Turn clips into a batch: features, mask and labels. Training, evaluation and scoring all use this one.

    Args:
        feature_extractor: the model's own.
        label2id: the model's labels, which may be numbered otherwise than the corpus's.
    """

    def __init__(self, feature_extractor: SequenceFeatureExtractor, label2id: Mapping[str, int]) -> None:
        self.feature_extractor = feature_extractor
        self.label_ids = [label2id[label] for label in LABELS]

    def __call__(self, clips: Sequence[Clip]) -> dict[str, torch.Tensor]:
        """`input_features` (clips, frames, mel), `attention_mask` (clips, frames), the model's `labels` (clips,).

        Raises:
            ValueError: a clip is too short, or otherwise nothing to compute features of; the message names it.
        """
        try:
            batch = self._features([clip["waveform"] for clip in clips])
        except ValueError:
            for clip in clips:
                self._blame(clip)
            raise
        return {**batch, "labels": torch.tensor([self.label_ids[clip["label"]] for clip in clips])}

    def _features(self, waveforms: list[np.ndarray]) -> Mapping[str, torch.Tensor]:
        sampling_rate = self.feature_extractor.sampling_rate
        # Not every extractor pads unasked, as ours does.
        return self.feature_extractor(waveforms, sampling_rate=sampling_rate, padding=True, return_tensors="pt")

    def _blame(self, clip: Clip) -> None:
        """Raise what is wrong with a clip, by its name in the corpus instead of its number in the batch."""
        try:
            self._features([clip["waveform"]])
        except ValueError as error:
            raise ValueError(f"{clip['utterance']}: {str(error).removeprefix('clip 0 ')}") from error
