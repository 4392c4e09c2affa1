#!/usr/bin/env python
"""What limits the second opinion: how many clips it learns from, or of how many origins and systems they are.

The second opinion of the default recipe is fitted, as training fits it, to a share of the training clips, and heard
alone. That share is taken of all clips alike; or of whole origins of real speech, drawn one after the other until
there are clips enough; or of whole systems of fakes; or of both: all columns of a line have as many clips. Origins are
the repositories of DATA's sources.tsv, where there is one, else speakers.

What is told is the mean of the EERs, pooled, over systems and over pages, on all of the recipe's evaluation sets: over
several draws of the share, and from the lowest to the highest of them.

    OMP_NUM_THREADS=1 .venv/bin/python scripts/learning_curve.py DATA
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ablation import RECIPE, figures_of
from datasets import Dataset
from folds import pages_in
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from crnn_hf import CRNNConfig
from crnn_hf.augmentation import augmentations
from crnn_hf.contrast_crnn import CRNNContrast
from crnn_hf.data import ClipReader, Collator, load_corpus
from crnn_hf.metrics.trials import Trials
from crnn_hf.training import read_recipe
from crnn_hf.training.clips import TrainingClips
from crnn_hf.training.contrast import PASSES, set_opinion, statistics_of
from crnn_hf.training.evaluation_sets import evaluation_corpora, load_evaluation_sets
from crnn_hf.training.models import build_model
from crnn_hf.training.sampling import EpochSampler

BATCH_SIZE = 32
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
# Whether whole groups are drawn of real clips, and of fakes.
WAYS = {
    "of all origins and systems": (False, False),
    "of some origins of real speech": (True, False),
    "of some systems": (False, True),
    "of some of both": (True, True),
}
EERS = ("eer", "eer_macro", "eer_pages")


@dataclass(frozen=True)
class Heard:
    """Statistics of a corpus's clips, each heard once or several times.

    Attributes:
        clips: with the columns of `crnn_hf.data.columns`.
        rows: (times,), which clip each is of.
        statistics: (times, statistics).
    """

    clips: Dataset
    rows: NDArray[np.int64]
    statistics: NDArray[np.float32]

    @property
    def is_fake(self) -> NDArray[np.bool_]:
        return np.asarray(self.clips["label"], dtype=bool)

    def groups(self, page_of: Mapping[str, str]) -> NDArray[np.str_]:
        """The system of each fake clip and the origin of each real one."""
        columns = self.clips.select_columns(["utterance", "attack", "speaker", "label"])
        return np.array(
            [row["attack"] if row["label"] else page_of.get(row["utterance"], row["speaker"]) for row in columns]
        )


def hear(data: str, draws: int, workers: int) -> tuple[Heard, list[Heard], Mapping[str, int]]:
    """The training clips, so many times each as the recipe augments them, the evaluation sets, and the labels' ids."""
    model_arguments, data_arguments, _ = read_recipe(RECIPE, [f"--data={data}"])
    model, extractor = build_model(model_arguments)
    label2id, rate = model.config.label2id, extractor.sampling_rate
    collate = Collator(extractor, label2id)
    of_waveforms, _ = augmentations(json.loads(data_arguments.augmentation), rate)
    rows, crop = load_corpus(data, "train"), data_arguments.crop_seconds
    sampler = EpochSampler(len(rows), BATCH_SIZE, 0, seconds=(crop[0], crop[-1]), length=draws * len(rows))
    clips = TrainingClips(rows, rate, None, of_waveforms)
    loader = DataLoader(clips, BATCH_SIZE, sampler=sampler, num_workers=workers, collate_fn=collate)
    training = Heard(rows, np.array([draw.row for draw in sampler]), _statistics(loader, label2id))
    evaluated = []
    for rows in load_evaluation_sets(evaluation_corpora(data_arguments), None, rate).values():
        loader = DataLoader(rows.with_transform(ClipReader(rate)), BATCH_SIZE, collate_fn=collate)
        evaluated.append(Heard(rows, np.arange(len(rows)), _statistics(loader, label2id)))
    return training, evaluated, label2id


def _statistics(loader: DataLoader, label2id: Mapping[str, int]) -> NDArray[np.float32]:
    return statistics_of(tqdm(loader, unit="batch"), label2id["fake"])[0]


def part_of(members: NDArray[np.int64], groups: NDArray[np.str_] | None, share: float, seed: int) -> NDArray[np.int64]:
    """A share of some clips: of all alike, or group after group, each whole but the last.

    Args:
        members: which clips there are, (clips,).
        groups: of each of them; None to take of all alike.
        share: how many are taken of them, of one at least.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(members))
    if groups is not None:
        names, of_member = np.unique(groups, return_inverse=True)
        place = rng.permutation(len(names))
        shuffled = shuffled[np.argsort(place[of_member[shuffled]], kind="stable")]
    return members[np.sort(shuffled[: max(1, round(share * len(members)))])]


def share_of(
    is_fake: NDArray[np.bool_], groups: NDArray[np.str_], way: tuple[bool, bool], share: float, seed: int
) -> NDArray[np.int64]:
    """A share of the real clips and of the fakes, each taken by groups or not, as `WAYS` says."""
    of_class = (np.flatnonzero(~is_fake), np.flatnonzero(is_fake))
    parts = [
        part_of(members, groups[members] if by_group else None, share, seed)
        for members, by_group in zip(of_class, way, strict=True)
    ]
    return np.concatenate(parts)


def mean_eer(
    training: Heard,
    chosen: NDArray[np.int64],
    evaluated: Sequence[Heard],
    page_of: Mapping[str, str],
    label2id: Mapping[str, int],
    seed: int,
) -> float:
    """Fit an opinion to these training clips, and tell the mean of its EERs on the evaluation sets."""
    opinion = CRNNContrast(CRNNConfig(contrast=True))
    taken = np.isin(training.rows, chosen)
    set_opinion(opinion, training.statistics[taken], training.is_fake[training.rows[taken]], label2id, seed)
    eers = []
    for heard in evaluated:
        logits = opinion(torch.from_numpy(heard.statistics)).double().numpy()
        scores = logits[:, label2id["real"]] - logits[:, label2id["fake"]]
        columns = {"attack": list(heard.clips["attack"])}
        figures = figures_of(Trials(list(heard.clips["utterance"]), scores, heard.is_fake, columns), page_of)
        eers += [figures[name] for name in EERS]
    return float(np.nanmean(eers))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a corpus, as crnn-hf train takes it")
    parser.add_argument("--draws", type=int, default=PASSES, help="how often each clip is augmented anew")
    parser.add_argument("--seeds", type=int, default=6, help="draws of each share")
    parser.add_argument("--workers", type=int, default=2, help="that measure the training clips")
    options = parser.parse_args(arguments)
    training, evaluated, label2id = hear(options.data, options.draws, options.workers)
    page_of = pages_in(options.data)
    is_fake, groups = training.is_fake, training.groups(page_of)
    print(f"| clips | {' | '.join(WAYS)} |\n|{' --- |' * (1 + len(WAYS))}", flush=True)
    for share in SHARES:
        cells = []
        # All clips are the same, whichever way they are drawn.
        for way in WAYS.values() if share < 1 else [(False, False)]:
            eers = []
            for seed in range(options.seeds):
                chosen = share_of(is_fake, groups, way, share, seed)
                eers.append(100 * mean_eer(training, chosen, evaluated, page_of, label2id, seed))
            cells.append(f"{np.mean(eers):.1f} % ({min(eers):.1f} to {max(eers):.1f})")
        print(f"| {len(chosen)} | {' | '.join([*cells, *[''] * (len(WAYS) - len(cells))])} |", flush=True)


if __name__ == "__main__":
    main()
