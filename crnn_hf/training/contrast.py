"""The second opinion of a CRNN is fitted before the rest is trained, without it: few numbers, found exactly."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from crnn_hf.contrast_crnn import CRNNContrast
from crnn_hf.data import Collator
from crnn_hf.data.columns import LABELS
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.figures import labels_of
from crnn_hf.training.sampling import EpochSampler

# Over the clips of an epoch, for augmentation draws otherwise each time: with 2 passes the opinion's EER was higher by
# 1.5 points, and moved by one with the seed.
PASSES = 6
MOST_CLIPS = 20_000  # more do not make so few numbers better
SHRINKAGE = 0.001  # of the weights, relative to the mean loss of a clip; 0.0003 to 0.003 make little difference
LEAST_DEVIATION = 1e-3  # nepers, of a statistic that is the same in all clips
NEWTON_STEPS = 50
CONVERGED = 1e-6
SMALLEST = 1e-9


def fit_contrast(
    contrast: CRNNContrast,
    clips: TrainingClips,
    collate: Collator,
    *,
    seed: int,
    weights: NDArray[np.float64] | None = None,
    epoch_clips: int | None = None,
    seconds: tuple[float, float] | None = None,
    batch_size: int = 32,
    workers: int = 0,
    quiet: bool = False,
) -> None:
    """Fit the second opinion to the clips of training, augmented, in place; each class counts one half.

    What vocoders make of real clips while training goes on is left out, unless there are no other fakes: of crude
    vocoders the contrast says too much, and less of the others then. A model that has an opinion already keeps it as
    far as the new clips do not contradict it.

    Args:
        contrast: of the model.
        clips, weights, epoch_clips, seconds: what an epoch hears, as `DetectorTrainer` takes it.
        collate: of the model's features and labels.
        seed: of the draws.
        batch_size, workers: of the loading, in which all the work is.
        quiet: show no progress bar.

    Raises:
        AudioReadError: a clip cannot be read; the message names it.
    """
    if len(set(labels_of(clips.rows))) > 1:
        clips = replace(clips, vocoding=None)
    length = min(PASSES * (len(clips) if epoch_clips is None else epoch_clips), MOST_CLIPS)
    sampler = EpochSampler(len(clips), batch_size, seed, weights=weights, seconds=seconds, length=length)
    # With a generator of its own, so that whatever the network draws later does not depend on all this.
    own = torch.Generator()
    loader = DataLoader(clips, batch_size, sampler=sampler, num_workers=workers, collate_fn=collate, generator=own)
    progress = tqdm(loader, desc="Fitting the second opinion", unit="batch", disable=quiet)
    label2id = dict(zip(LABELS, collate.label_ids, strict=True))
    statistics, is_fake = statistics_of(progress, label2id["fake"])
    if len(np.unique(is_fake)) > 1:
        set_opinion(contrast, statistics, is_fake, label2id)


def of_network_alone(collate: Collator) -> Collator:
    """A collator of the same batches, but for what the second opinion alone hears, which takes long to measure."""
    if not getattr(collate.feature_extractor, "return_contrast", False):
        return collate
    alone = copy.copy(collate)
    alone.feature_extractor = copy.copy(collate.feature_extractor)
    alone.feature_extractor.return_contrast = False
    return alone


@contextmanager
def network_alone(model: nn.Module) -> Iterator[None]:
    """A model without its second opinion, if it has one, to evaluate batches `of_network_alone`."""
    opinion = getattr(model, "contrast", None)
    if opinion is None:
        yield
        return
    model.contrast = None
    try:
        yield
    finally:
        model.contrast = opinion


def statistics_of(
    batches: Iterable[Mapping[str, torch.Tensor]], fake: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The statistics of each clip of some batches, (clips, statistics), and whether its label is `fake`, (clips,)."""
    heard = [(batch["contrast"].double().numpy(), batch["labels"].numpy() == fake) for batch in batches]
    statistics, is_fake = zip(*heard, strict=True)
    return np.concatenate(statistics), np.concatenate(is_fake)


@torch.no_grad()
def set_opinion(
    contrast: CRNNContrast, statistics: NDArray[np.float64], is_fake: NDArray[np.bool_], label2id: Mapping[str, int]
) -> None:
    """Fit the second opinion to statistics, (clips, statistics), of real clips and fakes, (clips,), in place."""
    real, fake = label2id["real"], label2id["fake"]
    if not contrast.weight.any():
        contrast.mean.copy_(torch.from_numpy(statistics.mean(0)))
        contrast.deviation.copy_(torch.from_numpy(statistics.std(0).clip(min=LEAST_DEVIATION)))
    device = contrast.mean.device
    inputs = contrast.normalise(torch.from_numpy(statistics).to(device)).cpu().double().numpy()
    ratio = torch.cat(
        [contrast.weight[fake] - contrast.weight[real], (contrast.bias[fake] - contrast.bias[real])[None]]
    )
    found = torch.from_numpy(logistic_regression(inputs, is_fake, ratio.cpu().double().numpy()))
    for label, sign in ((real, -0.5), (fake, 0.5)):
        contrast.weight[label] = sign * found[:-1].to(contrast.weight)
        contrast.bias[label] = sign * found[-1].to(contrast.bias)


def logistic_regression(
    inputs: NDArray[np.float64], is_fake: NDArray[np.bool_], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The weights with which a linear layer gives the log odds of fake to real, the bias last, (inputs + 1,).

    Newton's method on the cross-entropy, in which each class counts one half, plus `SHRINKAGE / 2` times the squared
    distance of the weights, but not of the bias, to those at the start.

    Args:
        inputs: (clips, inputs), of mean 0 and deviation 1 or so.
        is_fake: (clips,), of both kinds.
        start: (inputs + 1,).
    """
    rows = np.hstack([inputs, np.ones((len(inputs), 1))])
    shares = np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())
    signs = np.where(is_fake, -1.0, 1.0)
    pull = np.full(rows.shape[1], SHRINKAGE)
    pull[-1] = 0

    def cost(weights: NDArray[np.float64]) -> float:
        return shares @ np.logaddexp(0, signs * (rows @ weights)) + pull @ (weights - start) ** 2 / 2

    weights, lowest = start, cost(start)
    for _ in range(NEWTON_STEPS):
        chance = 0.5 * (1 + np.tanh(rows @ weights / 2))
        slope = rows.T @ (shares * (chance - is_fake)) + pull * (weights - start)
        # The smallest number that keeps the bias in bounds where all clips are beyond doubt.
        curvature = (rows * (shares * chance * (1 - chance))[:, None]).T @ rows + np.diag(pull + SMALLEST)
        step = np.linalg.solve(curvature, slope)
        # Where the curve flattens, Newton's step is too long; a shorter one in its direction always lowers the cost.
        while (found := cost(weights - step)) > lowest and np.abs(step).max() > CONVERGED:
            step = step / 2
        weights, lowest = weights - step, found
        if np.abs(step).max() <= CONVERGED:
            break
    return weights
