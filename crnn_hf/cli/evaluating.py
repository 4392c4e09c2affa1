"""`crnn-hf evaluate` and `crnn-hf metrics`: scores, and what they are worth."""

import argparse
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import about, add_corpus, add_split, corpus_name, corpus_scored, faults_told, loaded


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    command = commands.add_parser(
        "evaluate",
        help="score a corpus and print the metrics",
        description="Score a split of a corpus, print the metrics, and write a report on them.",
        allow_abbrev=False,
    )
    command.set_defaults(command=evaluate)
    command.add_argument("model", help="folder or Hub name of a detector")
    add_corpus(command)
    add_split(command)
    command.add_argument("--output", type=Path, default=Path("report"), help="folder for the report; default: report")

    command = commands.add_parser(
        "metrics",
        help="print the metrics of any system's scores",
        description="Print the metrics of any system's score file and, with --output, write a report on it.",
        allow_abbrev=False,
    )
    command.set_defaults(command=measure)
    command.add_argument("scores", type=Path, help="a file of names and scores, higher for real")
    command.add_argument(
        "keys", type=Path, help="a file of names and labels, bonafide or spoof, or one of ASVspoof's protocols"
    )
    command.add_argument("--output", type=Path, help="folder for the report; by default none is written")
    command.add_argument("--compare", type=Path, metavar="SCORES", help="another system's scores of the same clips")
    command.add_argument("--partial", action="store_true", help="allow for keys that have no score; they are counted")
    command.add_argument(
        "--threshold", type=float, default=0.0, help="score below which a clip is called fake; default: 0"
    )


def evaluate(options: argparse.Namespace) -> int:
    """Score a split of a corpus, print the metrics, and write the score file and the report."""
    from crnn_hf.inference import calibration_of, is_calibrated_on

    model, feature_extractor = loaded(options.model)
    options.output.mkdir(parents=True, exist_ok=True)
    scored, summary = corpus_scored(options, model, feature_extractor)
    trials = scored.trials
    if trials.is_fake.any() and not trials.is_fake.all():
        of_report = about(
            options,
            model=options.model,
            data=f"{options.data}, {options.split}",
            clips=summary,
            not_scored=len(scored.faults),
        )
        warnings = []
        calibration = calibration_of(model.config)
        if is_calibrated_on(model.config, trials.utterances):
            warnings.append("the calibration was fitted to these very clips: act_dcf and cllr flatter")
        elif calibration is not None and calibration.get("data") == corpus_name(options):
            warnings.append("the calibration was fitted to clips of the same name: act_dcf and cllr may flatter")
        _report(options.output, trials, of_report, calibration=calibration, warnings=warnings)
    else:
        for name in ("metrics.json", "report.html", "report.md"):
            (options.output / name).unlink(missing_ok=True)  # an earlier report's, on other clips
        _write_trials(options.output, trials)
        print("\nNo metrics: they need clips that are real and clips that are fake.")
        print(f"Scores, higher for real: {options.output / 'scores.tsv'}")
    return faults_told(scored.faults, len(trials) + len(scored.faults), "clips could not be scored")


def measure(options: argparse.Namespace) -> int:
    """Print the metrics of any system's score file, and write a report."""
    from crnn_hf.metrics import match, paired_differences, read_keys, read_scores
    from crnn_hf.metrics.report import differences_as_text

    if options.output is not None and {options.scores.resolve(), options.keys.resolve()} & {
        (options.output / name).resolve() for name in ("scores.tsv", "keys.tsv")
    }:
        raise ValueError(f"a report in {options.output} would overwrite what it is on; expected another --output")
    keys = read_keys(options.keys)
    trials = match(*read_scores(options.scores), keys, partial=options.partial)
    other = None
    if options.compare is not None:
        other = match(*read_scores(options.compare), keys, partial=options.partial)
        if other.utterances != trials.utterances:
            raise ValueError(
                f"{options.scores} and {options.compare} do not score the same clips: found {len(trials)} and "
                f"{len(other)}, of which {len(set(trials.utterances) & set(other.utterances))} are in both"
            )
    not_scored = len(keys.utterances) - len(trials)
    of_report = about(options, scores=str(options.scores), keys=str(options.keys), not_scored=not_scored)
    _report(options.output, trials, of_report, is_calibrated=None, threshold=options.threshold)
    if not_scored:
        print(f"{not_scored} of {len(keys.utterances)} keys have no score, and were left out.")
    if other is not None:
        differences = paired_differences(trials.scores, other.scores, trials.is_fake, threshold=options.threshold)
        print(f"\n{differences_as_text(differences)}")
        print(f"first: {options.scores}, second: {options.compare}; both drawn on the same clips each time.")
    return 0


def _report(folder: Path | None, trials: Any, of_report: dict[str, Any], **measuring: Any) -> None:
    """Measure scored clips, print the gist, and write the report if there is a folder for it."""
    from crnn_hf.metrics.report import as_text, measure, write_report

    figures = measure(trials, of_report, **measuring)
    print(f"\n{as_text(figures)}")
    if folder is not None:
        _write_trials(folder, trials)
        write_report(folder, trials, figures)
        print(f"Report: {folder / 'report.html'}; beside it report.md, metrics.json, scores.tsv and keys.tsv.")


def _write_trials(folder: Path, trials: Any) -> None:
    """Write scored clips as a score file and a key file, from which all else can be had again."""
    from crnn_hf.metrics import write_keys, write_scores

    write_scores(folder / "scores.tsv", trials.utterances, trials.scores)
    write_keys(folder / "keys.tsv", trials.utterances, trials.is_fake, trials.columns)
