"""Many clips in, a score each out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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

Transform = Callable[[NDArray[np.float32]], NDArray[np.float32]]


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
    model: PreTrainedModel,
    feature_extractor: SequenceFeatureExtractor,
    dataset: Dataset,
    batch_size: int = 32,
    *,
    transform: Transform | None = None,
    title: str = "Scoring",
) -> Scores:
    """Score every clip, in order, with a progress bar.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        dataset: a split of a corpus, with the columns of `crnn_hf.data.columns`.
        batch_size: clips at a time. It does not change a score by more than rounding does.
        transform: what is done to each waveform, (samples,), before it is scored; by default nothing.
        title: what the progress bar is called.

    Raises:
        ValueError: `batch_size` is below 1, or the model gives logits that are not finite numbers.
    """
    (scores,) = score_with([(model, feature_extractor)], dataset, batch_size, transform=transform, title=title)
    return scores


def score_with(
    detectors: Sequence[tuple[PreTrainedModel, SequenceFeatureExtractor]],
    dataset: Dataset,
    batch_size: int = 32,
    *,
    transform: Transform | None = None,
    title: str = "Scoring",
) -> list[Scores]:
    """Score every clip with each of several detectors, which hear one reading of it where they ask for the same rate.

    Args:
        detectors: each a model with its own feature extractor.
        dataset, batch_size, transform, title: as `score_clips`.

    Returns:
        The scores of each detector. A clip that one of them cannot score is missing from that one's alone.

    Raises:
        ValueError: as `score_clips`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; found {batch_size}")
    if not all(getattr(feature_extractor, "return_attention_mask", True) for _, feature_extractor in detectors):
        batch_size = 1  # a model that is not told what is padding would take it for the clip
    described = dataset.with_format(None)
    hearings = [_Hearing(model, feature_extractor) for model, feature_extractor in detectors]
    rates = {hearing.sampling_rate for hearing in hearings}
    clips_at = {rate: dataset.with_transform(ClipReader(rate)) for rate in rates}
    with torch.inference_mode(), tqdm(total=len(dataset), desc=title, unit="clip") as progress:
        for start in range(0, len(dataset), batch_size):
            indices = range(start, min(start + batch_size, len(dataset)))
            clips = {rate: _read(clips_of, indices, transform) for rate, clips_of in clips_at.items()}
            for hearing in hearings:
                hearing.hear(*clips[hearing.sampling_rate])
            progress.update(len(indices))
    return [hearing.scores(described) for hearing in hearings]


class _Hearing:
    """What a detector has made so far of the clips of a corpus."""

    def __init__(self, model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor) -> None:
        self.model = model
        self.sampling_rate = feature_extractor.sampling_rate
        self.collate = Collator(feature_extractor, model.config.label2id)
        self.rows: list[int] = []
        self.seconds: list[float] = []
        self.found: list[NDArray[np.float64]] = []
        self.faults: list[str] = []

    def hear(self, clips: Mapping[int, Clip], unread: Sequence[str]) -> None:
        """Score a batch of clips, by their rows; beside it, what is wrong with those that could not be read."""
        self.faults.extend(unread)
        clips, batch = _collected(clips, self.collate, self.faults)
        if batch is None:
            return
        inputs = {name: tensor.to(self.model.device) for name, tensor in batch.items() if name != "labels"}
        self.found.append(real_scores(self.model(**inputs).logits.float().cpu(), self.model.config.label2id))
        self.rows.extend(clips)
        self.seconds.extend(len(clip["waveform"]) / self.sampling_rate for clip in clips.values())

    def scores(self, described: Dataset) -> Scores:
        columns = {name: _column(described, name, self.rows) for name in COLUMNS}
        return Scores(
            Trials(
                utterances=_column(described, "utterance", self.rows),
                scores=np.concatenate([np.zeros(0), *self.found]),
                is_fake=np.array(_column(described, "label", self.rows)) == 1,
                columns={**columns, "length": length_buckets(self.seconds)},
            ),
            self.faults,
        )


def _column(dataset: Dataset, name: str, rows: list[int]) -> list[Any]:
    values = dataset.select_columns([name])[:][name]
    return [values[row] for row in rows]


def _read(dataset: Dataset, indices: Iterable[int], transform: Transform | None) -> tuple[dict[int, Clip], list[str]]:
    """The clips by their row, transformed, and what is wrong with those that cannot be read."""
    clips: dict[int, Clip] = {}
    faults: list[str] = []
    for index in indices:
        try:
            clip = dataset[index]
        except (AudioReadError, OSError) as error:
            faults.append(str(error))
            continue
        clips[index] = clip if transform is None else {**clip, "waveform": transform(clip["waveform"])}
    return clips, faults


def _collected(
    clips: Mapping[int, Clip], collate: Collator, faults: list[str]
) -> tuple[Mapping[int, Clip], dict[str, torch.Tensor] | None]:
    """The batch, and its clips by their row; what is wrong with clips that cannot be scored is added to `faults`."""
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
