"""The second opinion of a CRNN is fitted before the rest is trained, without it, to statistics of the clips."""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from crnn_hf.contrast_crnn import HIDDEN_UNITS, NUM_STATISTICS, CRNNContrast
from crnn_hf.data import Collator
from crnn_hf.data.columns import LABELS
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.figures import labels_of
from crnn_hf.training.sampling import EpochSampler

# Over the clips of an epoch, for augmentation draws otherwise each time: with 6 passes the EER of the whole was higher
# by a quarter of a point, and with 2 that of an opinion without hidden layer by 1.5.
PASSES = 12
MOST_CLIPS = 30_000  # whose statistics take 140 MB, and minutes to measure
LEAST_DEVIATION = 1e-3  # nepers, of a statistic that is the same in all clips
# Of the fit to all those draws, which takes seconds: passes over them, more where they are few.
EPOCHS = 10
LEAST_STEPS = 200
BATCH_SIZE = 128
LEARNING_RATE = 1e-3  # Adam's, at the start; it falls to 0 along a cosine
# Standard deviations of what is added to each statistic whenever it is heard.
NOISE = 0.3
# Of the weights to what they were in an opinion that is gone on from, relative to the mean loss of a clip: half of it
# times their squared distance is added. After ten clips of something else, others' scores still go with the former
# ones by a correlation of 0.94; without it by 0.73.
PULL = 0.1


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
        seed: of the draws, and of the fit.
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
        set_opinion(contrast, statistics, is_fake, label2id, seed)


def of_network_alone(collate: Collator) -> Collator:
    """A collator of the same batches, but for what the second opinion alone hears, which takes long to measure."""
    if not getattr(collate.feature_extractor, "return_contrast", False):
        return collate
    alone = copy.copy(collate)
    alone.feature_extractor = copy.copy(collate.feature_extractor)
    alone.feature_extractor.return_contrast = False
    return alone


@contextmanager
def without_opinion(model: nn.Module) -> Iterator[None]:
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
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The statistics of each clip of some batches, (clips, statistics), and whether its label is `fake`, (clips,)."""
    heard = [(batch["contrast"].numpy(), batch["labels"].numpy() == fake) for batch in batches]
    statistics, is_fake = zip(*heard, strict=True)
    return np.concatenate(statistics), np.concatenate(is_fake)


def set_opinion(
    contrast: CRNNContrast,
    statistics: NDArray[np.float32],
    is_fake: NDArray[np.bool_],
    label2id: Mapping[str, int],
    seed: int,
) -> None:
    """Fit the second opinion to statistics, (clips, statistics), of real clips and fakes, (clips,), in place."""
    real, fake = label2id["real"], label2id["fake"]
    inputs = torch.from_numpy(statistics).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden, last = nn.Linear(NUM_STATISTICS, HIDDEN_UNITS), nn.Linear(HIDDEN_UNITS, 1)
        is_new = not contrast.weight.any()
        if is_new:
            contrast.mean.copy_(inputs.mean(0))
            contrast.deviation.copy_(inputs.std(0).clamp(min=LEAST_DEVIATION))
        else:
            hidden.load_state_dict({"weight": contrast.hidden_weight, "bias": contrast.hidden_bias})
            ratio = {name: (part[fake] - part[real])[None] for name, part in _last_layer(contrast).items()}
            last.load_state_dict(ratio)
        normalised = contrast.normalise(inputs.to(contrast.mean.device)).cpu()
        network = nn.Sequential(hidden, nn.ReLU(), last)
        learn(network, normalised, torch.from_numpy(is_fake).float(), pull=0.0 if is_new else PULL)
    contrast.hidden_weight.copy_(hidden.weight.detach())
    contrast.hidden_bias.copy_(hidden.bias.detach())
    for name, part in _last_layer(contrast).items():
        ratio = getattr(last, name)[0].detach()
        part[real], part[fake] = -ratio / 2, ratio / 2


def _last_layer(contrast: CRNNContrast) -> dict[str, torch.Tensor]:
    return {"weight": contrast.weight, "bias": contrast.bias}


def learn(network: nn.Module, inputs: torch.Tensor, is_fake: torch.Tensor, pull: float) -> None:
    """Teach a network to tell the log odds of fake to real, by cross-entropy in which each class counts one half.

    Args:
        network: from (clips, inputs) to (clips, 1).
        inputs: (clips, inputs), of mean 0 and deviation 1 or so, float32.
        is_fake: (clips,), of both kinds, 0 or 1, float32.
        pull: of its weights to those that it begins with, as `PULL`.
    """
    parts = list(network.parameters())
    start = [part.detach().clone() for part in parts]
    shares = torch.where(is_fake > 0, 0.5 / is_fake.mean(), 0.5 / (1 - is_fake.mean()))
    optimizer = torch.optim.Adam(parts, lr=LEARNING_RATE)
    batches = math.ceil(len(inputs) / BATCH_SIZE)
    epochs = max(EPOCHS, math.ceil(LEAST_STEPS / batches))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(BATCH_SIZE):
            noisy = inputs[rows] + NOISE * torch.randn(len(rows), inputs.shape[1])
            loss = F.binary_cross_entropy_with_logits(network(noisy)[:, 0], is_fake[rows], shares[rows])
            if pull:
                moved = sum((part - was).square().sum() for part, was in zip(parts, start, strict=True))
                loss = loss + pull / 2 * moved
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
