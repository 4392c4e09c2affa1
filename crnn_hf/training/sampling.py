"""Which clips an epoch of training hears, in which order, and what is drawn for each: decided by seed and epoch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from torch.utils.data import Sampler

from crnn_hf.data.columns import LABELS

REAL, FAKE = range(len(LABELS))
# Clips are ordered by length among those of so many batches, and no more, so that batches vary from epoch to epoch.
MOST_BATCHES_ORDERED = 50


class Draw(NamedTuple):
    """One clip that training is to hear.

    Attributes:
        row: its number in the dataset.
        seed: of whatever is drawn for it.
        seconds: the longest stretch to hear of it; None for all of it.
    """

    row: int
    seed: int
    seconds: float | None


class EpochSampler(Sampler[Draw]):
    """Draws the clips of an epoch.

    What it draws depends on the seed, the epoch and the position in the epoch alone: not on what was drawn elsewhere,
    nor on how many processes or workers share the clips, nor on where a run was resumed. An epoch has as many clips as
    there are, or as it is told, and some more to fill its last batch. Without weights each clip comes once before any
    comes twice; with weights each comes as often as its share of the epoch says, rounded up or down.

    Args:
        clips: how many there are.
        batch_size: clips of a batch, those of all processes together.
        seed: 0 or more; another one draws otherwise.
        weights: (clips,), of which each clip's share is the share of the epoch; by default all are alike.
        sizes: (clips,), which grow with the clips' lengths; with them the clips of a batch are of about one size.
        seconds: the shortest and the longest stretch of a clip that is heard, drawn anew for each batch.
        length: clips of an epoch; by default as many as there are.
        drop_last: shorten the epoch to whole batches instead of filling the last one.
    """

    def __init__(
        self,
        clips: int,
        batch_size: int,
        seed: int,
        *,
        weights: NDArray[np.float64] | None = None,
        sizes: Sequence[int] | None = None,
        seconds: tuple[float, float] | None = None,
        length: int | None = None,
        drop_last: bool = False,
    ) -> None:
        self.clips, self.batch_size, self.seed = clips, batch_size, seed
        self.weights = weights
        self.sizes = None if sizes is None else np.asarray(sizes)
        self.seconds = seconds
        length = clips if length is None else length
        self.batches = length // batch_size if drop_last else -(-length // batch_size)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is drawn next; the first is 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def __iter__(self) -> Iterator[Draw]:
        rng = np.random.default_rng((self.seed, self.epoch))
        rows = self._rows(rng)
        if self.sizes is not None:
            rows = self._grouped_by_size(rows, rng)
        seeds = rng.integers(2**63, size=len(self))
        seconds: list[float | None] = [None] * self.batches
        if self.seconds is not None:
            seconds = rng.uniform(*self.seconds, self.batches).tolist()
        for position, (row, seed) in enumerate(zip(rows.tolist(), seeds.tolist(), strict=True)):
            yield Draw(row, seed, seconds[position // self.batch_size])

    def _rows(self, rng: np.random.Generator) -> NDArray[np.int64]:
        shuffled = rng.permutation(self.clips)
        if self.weights is None:
            return np.resize(shuffled, len(self))
        # Systematic sampling: evenly spaced points on a line on which each clip takes up its weight. Clips of like
        # weight lie together, as those of a group are, so that groups have their shares as exactly as clips have.
        shuffled = shuffled[np.argsort(self.weights[shuffled], kind="stable")]
        ends = np.cumsum(self.weights[shuffled])
        points = (np.arange(len(self)) + rng.random()) * (ends[-1] / max(1, len(self)))
        found = np.searchsorted(ends, points, side="right").clip(max=self.clips - 1)
        return rng.permutation(shuffled[found])

    def _grouped_by_size(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        ordered = self.batch_size * min(MOST_BATCHES_ORDERED, max(1, self.batches // 4))
        parts = []
        for begin in range(0, len(rows), ordered):
            part = rows[begin : begin + ordered]
            batches = part[np.argsort(self.sizes[part], kind="stable")].reshape(-1, self.batch_size)
            parts.append(rng.permutation(batches).ravel())
        return np.concatenate(parts) if parts else rows


def sampling_weights(dataset: Dataset, balanced: bool, evenness: float) -> NDArray[np.float64] | None:
    """The share of each clip in what training hears, (clips,), which sum up to 1; None where all are alike.

    Within its class a clip's weight is `n ** -evenness`, where n clips are of its group: of its attack if it is fake,
    of its speaker if it is real. Clips of unknown attack or speaker pass for one group.

    Args:
        dataset: rows with the columns `label`, `attack` and `speaker`; no transform is applied.
        balanced: real clips and fakes get one half each, instead of the shares that they have.
        evenness: in [0, 1]. With 0 each clip of a class counts the same, with 1 each group does, and with 0.5 a group
            counts as the square root of its clips.

    Raises:
        ValueError: `evenness` is outside of its range, or there is nothing to balance, for a class has no clip.
    """
    if not 0 <= evenness <= 1:
        raise ValueError(f"group_evenness must be a number in [0, 1]; found {evenness}")
    if not balanced and evenness == 0:
        return None
    columns = dataset.select_columns(["label", "attack", "speaker"]).with_format("numpy")[:]
    is_fake = np.asarray(columns["label"]) == FAKE
    weights = np.zeros(len(is_fake))
    for of_class, names in ((~is_fake, columns["speaker"]), (is_fake, columns["attack"])):
        if not of_class.any():
            if balanced:
                missing = LABELS[FAKE if of_class is is_fake else REAL]
                raise ValueError(f"no clip is {missing}, all {len(is_fake)} are not; cannot balance them")
            continue
        _, group, sizes = np.unique(np.asarray(names)[of_class], return_inverse=True, return_counts=True)
        within = sizes[group] ** -float(evenness)
        weights[of_class] = within / within.sum() * (0.5 if balanced else of_class.mean())
    return weights


def balanced_weights(
    labels: Sequence[int],
    label2id: Mapping[str, int],
    shares: NDArray[np.float64] | None = None,
    vocoded: float = 0.0,
) -> list[float]:
    """A weight for each of the model's labels with which real and fake count the same in a loss.

    Args:
        labels: the corpus's, 0 for real and 1 for fake.
        label2id: the model's labels; others than real and fake weigh nothing.
        shares: (clips,), how often each clip is heard, as `sampling_weights` gives it.
        vocoded: share of the real clips that become fakes.

    Returns:
        As many weights as the model has labels; a clip weighs 1 on average.

    Raises:
        ValueError: a class has no clip, or all real clips become fakes.
    """
    if vocoded == 1:
        raise ValueError("vocoding makes fakes of all real clips; its probability must be below 1")
    counts = np.bincount(labels, weights=shares, minlength=len(LABELS))
    if not counts.all():
        raise ValueError(f"no clip is {LABELS[int(counts.argmin())]}, all {len(labels)} are not; cannot balance them")
    real, fake = counts
    counts = real * (1 - vocoded), fake + real * vocoded
    weights = [0.0] * len(label2id)
    for label, count in zip(LABELS, counts, strict=True):
        weights[label2id[label]] = float(sum(counts) / (len(LABELS) * count))
    return weights
