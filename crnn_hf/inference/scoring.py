"""Many clips in, a score each out."""

from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.audio import AudioReadError
from crnn_hf.data import Clip, ClipReader, Collator
from crnn_hf.metrics import real_scores


@dataclass(frozen=True)
class Scores:
    """The scores of a corpus, in its order, and the clips that have none.

    Attributes:
        utterances: each scored clip's name.
        labels: its label in the corpus, 0 for real and 1 for fake.
        scores: `logit(real) - logit(fake)`, (clips,).
        faults: why each clip that could not be scored could not, beginning with its name.
    """

    utterances: list[str]
    labels: list[int]
    scores: NDArray[np.float64]
    faults: list[str]


def score_clips(
    model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor, dataset: Dataset, batch_size: int = 32
) -> Scores:
    """Score every clip, in order, with a progress bar.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        dataset: a split of a corpus, with the columns of `crnn_hf.data.columns`.
        batch_size: clips at a time. It does not change a score by more than rounding does.

    Raises:
        ValueError: `batch_size` is below 1, or the model gives logits that are not finite numbers.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; found {batch_size}")
    collate = Collator(feature_extractor, model.config.label2id)
    dataset = dataset.with_transform(ClipReader(feature_extractor.sampling_rate))
    scored: list[Clip] = []
    scores, faults = [np.zeros(0)], []
    with torch.inference_mode(), tqdm(total=len(dataset), desc="Scoring", unit="clip") as progress:
        for start in range(0, len(dataset), batch_size):
            clips = []
            for index in range(start, min(start + batch_size, len(dataset))):
                try:
                    clip = dataset[index]
                    collate([clip])
                except (AudioReadError, ValueError, OSError) as error:
                    faults.append(str(error))
                else:
                    clips.append(clip)
                progress.update()
            if clips:
                inputs = {name: tensor.to(model.device) for name, tensor in collate(clips).items() if name != "labels"}
                scores.append(real_scores(model(**inputs).logits.float().cpu(), model.config.label2id))
                scored += [{**clip, "waveform": None} for clip in clips]
    return Scores(
        utterances=[clip["utterance"] for clip in scored],
        labels=[clip["label"] for clip in scored],
        scores=np.concatenate(scores),
        faults=faults,
    )
