#!/usr/bin/env python
"""What each part of the default recipe is worth: from the reference recipe to the default one, a step a row.

All rows hear as many clips an epoch for as many epochs, and are measured after the last one: the validation split is
what is reported, so nothing is chosen by it. The steps up to `+ sampling`, which is the default recipe without
augmentation and second opinion, are each on top of the one before. Each augmentation, the vocoded fakes and the second
opinion are on top of `+ sampling` alone; `all` has them all, and is the default recipe. Balanced sampling is a step of
its own: before it, each clip is heard once an epoch and the loss balances the classes. Rows with a second opinion are
measured without it too, for the training of the rest does not depend on it.

    OMP_NUM_THREADS=1 .venv/bin/python scripts/ablation.py DATA runs/ablation

A run that is finished is kept in OUT/figures.tsv and is not made again. The rows that matter most come first, so that
what there is after an interruption is a table. Where DATA holds a sources.tsv (columns file and repository), the EER
within each repository that has both classes is averaged too.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from folds import pages_in
from transformers import PreTrainedModel, SequenceFeatureExtractor
from transformers.utils.logging import disable_progress_bar

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.data import load_corpus
from crnn_hf.feature_extraction_crnn import REFERENCE
from crnn_hf.inference import score_clips
from crnn_hf.loading import load_detector
from crnn_hf.metrics import breakdown, compute_cm_metrics, macro_average, write_scores
from crnn_hf.metrics.trials import UNKNOWN, Trials
from crnn_hf.training import read_recipe, train

RECIPE = "crnn-asvspoof5"
FIRST, PLAIN, LAST = "reference", "+ sampling", "all"
# The same for all rows: no evaluation before the end, so no choice among epochs.
BUDGET = {
    "crop_seconds": 4.0,
    "eval_strategy": "no",
    "save_strategy": "no",
    "load_best_model_at_end": "no",
    "disable_tqdm": "yes",
}
# The reference's 200 frames are 6.4 seconds. What they pad a crop with the mask leaves out: without them it learns the
# same weights in half the time.
TRIMMED = {"max_frames": None}
# The columns of the table, and what each is called in it.
FIGURES = {
    "eer_macro": "EER, over systems",
    "eer_pages": "EER, over pages",
    "eer": "EER, pooled",
    "min_dcf_macro": "minDCF, over systems",
    "min_dcf": "minDCF, pooled",
    "alone_eer_macro": "EER, over systems, CRNN alone",
    "alone_eer_pages": "EER, over pages, CRNN alone",
}

Settings = dict[str, Any]
Run = dict[str, str]


def rows() -> dict[str, Settings]:
    """The settings of each row, by its name, on top of the recipe `reference`."""
    model, data, training = read_recipe(RECIPE, ["--data="])
    extractor = CRNNFeatureExtractor(**json.loads(model.features))
    features = {"features": {name: getattr(extractor, name) for name in REFERENCE}}
    # The reference's learning rate suits its network alone.
    network = features | {"preset": model.preset, "learning_rate": training.learning_rate}
    plain = network | {"sampling": data.sampling, "group_evenness": data.group_evenness}
    augmentation, vocoding = json.loads(data.augmentation), json.loads(data.vocoding)
    opinion = {"architecture": json.loads(model.architecture)}
    return {
        FIRST: {"features": TRIMMED},
        "+ features": features,
        "+ network and pooling": network,
        PLAIN: plain,
        **{f"+ {name}": plain | {"augmentation": {name: one}} for name, one in augmentation.items()},
        "+ vocoded fakes": plain | {"vocoding": vocoding},
        "+ second opinion": plain | opinion,
        LAST: plain | opinion | {"augmentation": augmentation, "vocoding": vocoding},
    }


def plan(names: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The runs to make, the most telling first: all rows with the first seed, three of them with the others too."""
    telling = [name for name in (LAST, PLAIN, FIRST) if name in names]
    single = [name for name in names if name not in telling]
    # The steps before PLAIN are the longest, and the least doubted.
    steps = [name for name in single if name in ("+ features", "+ network and pooling")]
    order = [*telling, *(name for name in single if name not in steps), *steps]
    yield from ((name, seeds[0]) for name in order)
    yield from ((name, seed) for seed in seeds[1:] for name in telling)


def overrides(settings: Settings) -> list[str]:
    """Settings as on the command line."""
    return [f"--{name}={json.dumps(value) if isinstance(value, dict) else value}" for name, value in settings.items()]


def trained_and_scored(
    data: str, folder: Path, settings: Settings, page_of: Mapping[str, str]
) -> tuple[dict[str, float], Settings]:
    """Train as a row says, measure what came out on the validation split, and note what it took."""
    begin = time.process_time()
    train(*read_recipe("reference", overrides({"data": data, "output_dir": str(folder), **settings})))
    minutes = (time.process_time() - begin) / 60
    model, extractor = load_detector(folder)
    taken = {"cpu_minutes": f"{minutes:.2f}", "parameters": model.num_parameters()}
    trials = _scored(model, extractor, data)
    write_scores(folder / "scores.tsv", trials.utterances, trials.scores)
    figures = figures_of(trials, page_of)
    alone = trials
    if model.contrast is not None:
        model.contrast, extractor.return_contrast = None, False
        alone = _scored(model, extractor, data)
        write_scores(folder / "scores-alone.tsv", alone.utterances, alone.scores)
    return figures | {f"alone_{name}": value for name, value in figures_of(alone, page_of).items()}, taken


def _scored(model: PreTrainedModel, extractor: SequenceFeatureExtractor, data: str) -> Trials:
    scored = score_clips(model, extractor, load_corpus(data, "validation"))
    if scored.faults:
        raise ValueError(f"{len(scored.faults)} clips could not be scored, the first: {scored.faults[0]}")
    return scored.trials


def figures_of(trials: Trials, page_of: Mapping[str, str]) -> dict[str, float]:
    """The columns of the table: pooled, over systems (each against all real clips), and over pages (within each)."""
    scores, is_fake = trials.scores, trials.is_fake
    pooled = compute_cm_metrics(scores, is_fake.astype(int))
    systems = macro_average(breakdown(scores, is_fake.astype(int), trials.columns["attack"]))
    pages = [page_of.get(utterance, UNKNOWN) for utterance in trials.utterances]
    known = [group for group in breakdown(scores, is_fake.astype(int), pages) if group.name != UNKNOWN]
    return {
        "eer": pooled["eer"],
        "min_dcf": pooled["min_dcf"],
        "eer_macro": systems["eer"],
        "min_dcf_macro": systems["min_dcf"],
        "eer_pages": macro_average(known).get("eer", float("nan")),
    }


def finished(path: Path) -> list[Run]:
    """The runs that are noted."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def note(path: Path, run: Run) -> None:
    """Add a run to those that are noted."""
    is_new = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(run), delimiter="\t")
        if is_new:
            writer.writeheader()
        writer.writerow(run)


def table(runs: Sequence[Run], names: Sequence[str]) -> str:
    """The runs as a table in Markdown: the mean over a row's seeds, and from the lowest to the highest of them."""
    shown = {name: title for name, title in FIGURES.items() if any(run[name] != "nan" for run in runs)}
    lines = [["", "seeds", *shown.values(), "CPU minutes a run"]]
    for name in names:
        of_row = [run for run in runs if run["row"] == name]
        if of_row:
            cells = [_spread([float(run[figure]) for run in of_row], "eer" in figure) for figure in shown]
            minutes = sum(float(run["cpu_minutes"]) for run in of_row) / len(of_row)
            lines.append([name, str(len(of_row)), *cells, f"{minutes:.1f}"])
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(values: Sequence[float], is_rate: bool) -> str:
    shown = [f"{100 * value:.1f}" if is_rate else f"{value:.3f}" for value in (min(values), max(values))]
    mean = sum(values) / len(values)
    text = f"{100 * mean:.1f} %" if is_rate else f"{mean:.3f}"
    return text if len(values) == 1 else f"{text} ({shown[0]} to {shown[1]})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a corpus, as crnn-hf train takes it")
    parser.add_argument("out", type=Path, help="folder for the runs and their figures")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="all but the first: three rows alone")
    parser.add_argument("--rows", nargs="+", choices=list(rows()), help="these rows alone")
    options = parser.parse_args(arguments)
    disable_progress_bar()
    settings_of = {name: settings for name, settings in rows().items() if name in (options.rows or rows())}
    options.out.mkdir(parents=True, exist_ok=True)
    path, page_of, wanted = options.out / "figures.tsv", pages_in(options.data), []
    for name, seed in plan(list(settings_of), options.seeds):
        settings = {**settings_of[name], **BUDGET, "num_train_epochs": options.epochs, "seed": seed}
        key = {"row": name, "seed": str(seed), "settings": json.dumps(settings)}
        if not any(key.items() <= run.items() for run in finished(path)):
            print(f"\n{name}, seed {seed}", flush=True)
            folder = options.out / f"{name.removeprefix('+ ').replace(' ', '-')}-{seed}"
            figures, taken = trained_and_scored(options.data, folder, settings, page_of)
            note(path, {**{name: f"{value:.6f}" for name, value in figures.items()}, **taken, **key})
        wanted += [run for run in finished(path) if key.items() <= run.items()]
        print(f"\n{table(wanted, list(settings_of))}", flush=True)


if __name__ == "__main__":
    main()
