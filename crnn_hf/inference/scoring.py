"""Many clips in, a score each out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.audio import AudioReadError
from crnn_hf.data import Clip, ClipReader, Collator
from crnn_hf.data.columns import DESCRIPTIONS
from crnn_hf.metrics import length_buckets, real_scores
from crnn_hf.metrics.trials import Trials

# What a report tells clips apart by. A codec's seed is a clip's name, and the label is known anyway.
COLUMNS = tuple(name for name in DESCRIPTIONS if name not in ("utterance", "codec_seed"))


@dataclass(frozen=True)
class Scores:
    """The scores of a corpus, in its order, and the clips that have none.

    Attributes:
        trials: the scored clips, with the columns in `COLUMNS` and "length".
        faults: why each clip that could not be scored could not, beginning with its name.
    """

    trials: Trials
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
    if not getattr(feature_extractor, "return_attention_mask", True):
        batch_size = 1  # a model that is not told what is padding would take it for the clip
    collate = Collator(feature_extractor, model.config.label2id)
    described = dataset.with_format(None)
    rows: list[int] = []
    seconds: list[float] = []
    scores: list[NDArray[np.float64]] = []
    faults: list[str] = []
    clips_of = dataset.with_transform(ClipReader(feature_extractor.sampling_rate))
    with torch.inference_mode(), tqdm(total=len(dataset), desc="Scoring", unit="clip") as progress:
        for start in range(0, len(dataset), batch_size):
            indices = range(start, min(start + batch_size, len(dataset)))
            clips, batch = _collected(clips_of, indices, collate, faults)
            if batch is not None:
                inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if name != "labels"}
                scores.append(real_scores(model(**inputs).logits.float().cpu(), model.config.label2id))
                rows.extend(clips)
                seconds.extend(len(clip["waveform"]) / feature_extractor.sampling_rate for clip in clips.values())
            progress.update(len(indices))
    columns = {name: _column(described, name, rows) for name in COLUMNS}
    return Scores(
        Trials(
            utterances=_column(described, "utterance", rows),
            scores=np.concatenate([np.zeros(0), *scores]),
            is_fake=np.array(_column(described, "label", rows)) == 1,
            columns={**columns, "length": length_buckets(seconds)},
        ),
        faults,
    )


def _column(dataset: Dataset, name: str, rows: list[int]) -> list[Any]:
    values = dataset.select_columns([name])[:][name]
    return [values[row] for row in rows]


def _collected(
    dataset: Dataset, indices: Iterable[int], collate: Collator, faults: list[str]
) -> tuple[dict[int, Clip], dict[str, torch.Tensor] | None]:
    """The batch, and its clips by their row; what is wrong with clips that cannot be scored is added to `faults`."""
    clips: dict[int, Clip] = {}
    for index in indices:
        try:
            clips[index] = dataset[index]
        except (AudioReadError, OSError) as error:
            faults.append(str(error))
    try:
        return clips, collate(list(clips.values())) if clips else None
    except ValueError:
        # Some clip gives no features: they are tried one by one, once it is known that one of them will not do.
        sound = {index: clip for index, clip in clips.items() if _has_features(clip, collate, faults)}
        return sound, collate(list(sound.values())) if sound else None


def _has_features(clip: Clip, collate: Collator, faults: list[str]) -> bool:
    try:
        collate([clip])
    except ValueError as error:
        faults.append(str(error))
        return False
    return True
