"""From rows of a corpus to their scores, a batch at a time; what cannot be scored is told apart, row by row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from transformers import SequenceFeatureExtractor

from crnn_hf.audio import AudioReadError
from crnn_hf.data import Clip, Collator
from crnn_hf.metrics import real_scores

Transform = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def allowed_batch_size(batch_size: int, feature_extractors: Sequence[SequenceFeatureExtractor]) -> int:
    """The batch size asked for; or 1, where a model is not told what is padding and would take it for the clip.

    Raises:
        ValueError: `batch_size` is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; found {batch_size}")
    has_masks = all(getattr(extractor, "return_attention_mask", True) for extractor in feature_extractors)
    return batch_size if has_masks else 1


def read_clips(
    dataset: Dataset, rows: Iterable[int], transform: Transform | None = None
) -> tuple[dict[int, Clip], dict[int, str]]:
    """Clips by their row, and what is wrong with those that cannot be read.

    Args:
        dataset: with a `ClipReader` as its transform.
        rows: which.
        transform: what is done to each waveform, (samples,); by default nothing.
    """
    clips: dict[int, Clip] = {}
    faults: dict[int, str] = {}
    for row in rows:
        try:
            clip = dataset[row]
        except (AudioReadError, OSError) as error:
            faults[row] = str(error)
            continue
        clips[row] = clip if transform is None else {**clip, "waveform": transform(clip["waveform"])}
    return clips, faults


def collect(
    clips: Mapping[int, Clip], collate: Collator
) -> tuple[Mapping[int, Clip], dict[str, torch.Tensor] | None, dict[int, str]]:
    """The clips that give features, their batch, None if there is no such clip, and what is wrong with the others."""
    try:
        return clips, collate(list(clips.values())) if clips else None, {}
    except ValueError:
        # Some clip gives no features: they are tried one by one, once it is known that one of them will not do.
        faults = {row: fault for row, clip in clips.items() if (fault := _fault_of(clip, collate)) is not None}
        sound = {row: clip for row, clip in clips.items() if row not in faults}
        return sound, collate(list(sound.values())) if sound else None, faults


def scores_of(model: Any, batch: Mapping[str, torch.Tensor]) -> NDArray[np.float64]:
    """The scores of a batch from a `Collator`, (clips,).

    Raises:
        ValueError: the model gives logits that are not finite numbers.
    """
    inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if name != "labels"}
    return real_scores(model(**inputs).logits.float().cpu(), model.config.label2id)


def _fault_of(clip: Clip, collate: Collator) -> str | None:
    try:
        collate([clip])
    except ValueError as error:
        return str(error)
    return None
