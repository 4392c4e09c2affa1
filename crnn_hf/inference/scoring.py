"""Many clips in, a score each out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.data import Clip, ClipReader, Collator
from crnn_hf.data.columns import DESCRIPTIONS
from crnn_hf.inference.batches import Transform, allowed_batch_size, collect, read_clips, scores_of
from crnn_hf.metrics import length_buckets
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
    batch_size = allowed_batch_size(batch_size, [feature_extractor for _, feature_extractor in detectors])
    described = dataset.with_format(None)
    hearings = [_Hearing(model, feature_extractor) for model, feature_extractor in detectors]
    rates = {hearing.sampling_rate for hearing in hearings}
    clips_at = {rate: dataset.with_transform(ClipReader(rate)) for rate in rates}
    with torch.inference_mode(), tqdm(total=len(dataset), desc=title, unit="clip") as progress:
        for start in range(0, len(dataset), batch_size):
            indices = range(start, min(start + batch_size, len(dataset)))
            clips = {rate: read_clips(clips_of, indices, transform) for rate, clips_of in clips_at.items()}
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

    def hear(self, clips: Mapping[int, Clip], unread: Mapping[int, str]) -> None:
        """Score a batch of clips, by their rows; beside it, what is wrong with those that could not be read."""
        clips, batch, without_features = collect(clips, self.collate)
        self.faults.extend([*unread.values(), *without_features.values()])
        if batch is None:
            return
        self.found.append(scores_of(self.model, batch))
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
