#!/usr/bin/env python
"""Several splits of one corpus, so that a choice does not hang on one: systems and pages are left out in turn.

The train and dev splits of a corpus in ASVspoof 5's layout are thrown together and parted anew, into as many folds:
by `system`, each attack with all its fakes, and each speaker with all their real clips; and, where DATA holds a
sources.tsv (columns file and repository), by `page`, each repository with all its clips, which leaves out rooms and
microphones as well. The largest go first, each to where real clips and fakes are fewest; nothing is drawn.

    .venv/bin/python scripts/folds.py DATA runs/folds
    .venv/bin/crnn-hf train crnn-asvspoof5 --data runs/folds/page-0 --output_dir runs/page-0

OUT/folds.tsv says which fold each clip is left out in. Every OUT/system-K and OUT/page-K is a corpus in the same
layout, whose validation split is what is left out and whose clips are links to those of DATA.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from crnn_hf.data.asvspoof5 import SPLITS, find_containers, find_protocol, read_protocol
from crnn_hf.data.protocol import KEYS, Trial

SOURCES = "sources.tsv"
PARTED = (SPLITS["train"], SPLITS["validation"])


def pages_in(data: str) -> dict[str, str]:
    """The repository that each clip is from, where the corpus says so."""
    path = Path(data) / SOURCES
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {line["file"]: line["repository"] for line in csv.DictReader(file, delimiter="\t")}


def trials_in(data: str) -> list[Trial]:
    """All trials of train and dev.

    Raises:
        FileNotFoundError, ProtocolError: a protocol is not there, or cannot be right.
    """
    return [
        trial for layout in PARTED for trial in read_protocol(find_protocol(data, layout), layout.protocol).values()
    ]


def folds_of(groups: Sequence[str], labels: Sequence[int], folds: int) -> list[int]:
    """The fold of each clip: groups stay whole, and real clips and fakes are spread as evenly as that allows.

    Args:
        groups: of each clip.
        labels: of each clip, 0 for real and 1 for fake.
        folds: how many.

    Raises:
        ValueError: some fold would lack a class.
    """
    clips: dict[str, Counter[int]] = defaultdict(Counter)
    for group, label in zip(groups, labels, strict=True):
        clips[group][label] += 1
    total = Counter(labels)

    def share(counts: Mapping[int, int]) -> float:
        return sum((count / total[label]) ** 2 for label, count in counts.items())

    filled: list[Counter[int]] = [Counter() for _ in range(folds)]
    fold_of: dict[str, int] = {}
    for group in sorted(clips, key=lambda group: (-share(clips[group]), group)):
        fold = min(range(folds), key=lambda fold: share(filled[fold] + clips[group]) - share(filled[fold]))
        fold_of[group] = fold
        filled[fold] += clips[group]
    for fold, counts in enumerate(filled):
        if lacking := [key for label, key in enumerate(KEYS) if not counts[label]]:
            raise ValueError(f"fold {fold} of {folds} would have no {lacking[0]} clip; expected fewer folds")
    return [fold_of[group] for group in groups]


def write_corpus(data: str, folder: Path, trials: Sequence[Trial], left_out: Sequence[bool]) -> None:
    """Write a corpus whose validation split is what is left out: two protocols, and links to the audio of both."""
    folder.mkdir(parents=True, exist_ok=True)
    for layout, is_wanted in zip(PARTED, (False, True), strict=True):
        lines = [_line(trial) for trial, is_out in zip(trials, left_out, strict=True) if is_out == is_wanted]
        (folder / layout.protocol).write_text("".join(lines), encoding="utf-8")
        for number, container in enumerate(path for source in PARTED for path in find_containers(data, source)):
            if Path(container).is_dir():
                raise ValueError(f"{container}: expected tars alone, for an unpacked folder has one split's name")
            link = folder / f"{layout.tars}{number:02d}.tar"
            link.unlink(missing_ok=True)
            link.symlink_to(Path(container).resolve())


def _line(trial: Trial) -> str:
    codec = (trial.codec, trial.codec_quality, trial.codec_seed)
    fields = (trial.speaker, trial.utterance, trial.gender, *codec, trial.attack_tag, trial.attack, KEYS[trial.label])
    return f"{' '.join(fields)} -\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a directory in ASVspoof 5's layout, with tars")
    parser.add_argument("out", type=Path, help="folder for folds.tsv and a corpus a fold")
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args(arguments)
    trials, page_of = trials_in(options.data), pages_in(options.data)
    labels = [trial.label for trial in trials]
    groups = {"system": [trial.attack if trial.label else f"speaker {trial.speaker}" for trial in trials]}
    if page_of:
        if missing := [trial.utterance for trial in trials if trial.utterance not in page_of]:
            raise ValueError(f"{SOURCES}: no line for {len(missing)} of {len(trials)} clips, the first: {missing[0]}")
        groups["page"] = [page_of[trial.utterance] for trial in trials]
    folds = {way: folds_of(of_clips, labels, options.folds) for way, of_clips in groups.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "folds.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["file", *folds])
        writer.writerows(zip([trial.utterance for trial in trials], *folds.values(), strict=True))
    for way, of_clips in folds.items():
        for fold in range(options.folds):
            left_out = [of_clip == fold for of_clip in of_clips]
            write_corpus(options.data, options.out / f"{way}-{fold}", trials, left_out)
            counts = Counter(label for label, is_out in zip(labels, left_out, strict=True) if is_out)
            held = {group for group, is_out in zip(groups[way], left_out, strict=True) if is_out}
            print(f"{way}-{fold}: {counts[0]} real and {counts[1]} fake left out, {len(held)} groups")


if __name__ == "__main__":
    main()
