"""Many clips in, a score each out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
    found = Scores([], [], np.zeros(0), [])
    scores = []
    with torch.inference_mode(), tqdm(total=len(dataset), desc="Scoring", unit="clip") as progress:
        for start in range(0, len(dataset), batch_size):
            indices = range(start, min(start + batch_size, len(dataset)))
            clips, batch = _collected(dataset, indices, collate, found.faults)
            if batch is not None:
                inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if name != "labels"}
                scores.append(real_scores(model(**inputs).logits.float().cpu(), model.config.label2id))
                found.utterances.extend(clip["utterance"] for clip in clips)
                found.labels.extend(clip["label"] for clip in clips)
            progress.update(len(indices))
    return replace(found, scores=np.concatenate([found.scores, *scores]))


def _collected(
    dataset: Dataset, indices: Iterable[int], collate: Collator, faults: list[str]
) -> tuple[list[Clip], dict[str, torch.Tensor] | None]:
    """The clips of a batch that can be scored, and the batch; what is wrong with the others is added to `faults`."""
    clips = []
    for index in indices:
        try:
            clips.append(dataset[index])
        except (AudioReadError, OSError) as error:
            faults.append(str(error))
    try:
        return clips, collate(clips) if clips else None
    except ValueError:
        # Some clip gives no features: they are tried one by one, once it is known that one of them will not do.
        sound = [clip for clip in clips if _has_features(clip, collate, faults)]
        return sound, collate(sound) if sound else None


def _has_features(clip: Clip, collate: Collator, faults: list[str]) -> bool:
    try:
        collate([clip])
    except ValueError as error:
        faults.append(str(error))
        return False
    return True
