"""Many clips in, a score each out."""

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.data import ClipReader, Collator
from crnn_hf.metrics import real_scores


def score_clips(
    model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor, clips: Dataset, batch_size: int = 32
) -> NDArray[np.float64]:
    """Score every clip, in order, with a progress bar.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        clips: a split of a corpus, with the columns of `crnn_hf.data.columns`.
        batch_size: clips at a time. It does not change a score by more than rounding does.

    Returns:
        `logit(real) - logit(fake)`, (clips,).

    Raises:
        AudioReadError: a clip cannot be read whole; the message names it.
    """
    clips = clips.with_transform(ClipReader(feature_extractor.sampling_rate))
    batches = DataLoader(clips, batch_size, collate_fn=Collator(feature_extractor))
    scores = []
    with torch.inference_mode(), tqdm(total=len(clips), desc="Scoring", unit="clip") as progress:
        for batch in batches:
            labels = batch.pop("labels")
            inputs = {name: tensor.to(model.device) for name, tensor in batch.items()}
            scores.append(real_scores(model(**inputs).logits.float().cpu(), model.config.label2id))
            progress.update(len(labels))
    return np.concatenate(scores)
