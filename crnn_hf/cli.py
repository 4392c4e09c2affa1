"""`crnn-hf`: one thin command a job. Packages are imported by the command that needs them, so that help is quick."""

import argparse
import io
import json
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

SPLITS = ("train", "validation", "test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if all went well, 1 if a file could not be judged, 2 if nothing was done."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command is not train:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    options.overrides = rest
    try:
        return options.command(options)
    except (ValueError, OSError) as error:
        # Bad input: its message is written for people. Anything else is a fault of ours and keeps its traceback.
        print(f"crnn-hf: {error}", file=sys.stderr)
        return 2


def train(options: argparse.Namespace) -> int:
    """Train a detector as a recipe says."""
    from crnn_hf.training import read_recipe
    from crnn_hf.training import train as run
    from crnn_hf.training.recipe import describe_settings

    if options.settings:
        print(describe_settings())
        return 0
    if options.recipe is None:
        raise ValueError("train: expected a recipe: a YAML file, or the name of one that comes with the package")
    arguments = read_recipe(options.recipe, options.overrides)
    metrics = run(*arguments)
    print(f"The best model is in {arguments[2].output_dir}: EER {metrics['eval_eer']:.2%} on the validation split.")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Score a split of a corpus, print the metrics, and write the score file and the report."""
    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference import calibration_of, is_calibrated_on, score_clips
    from crnn_hf.metrics import write_scores

    model, feature_extractor = _load(options.model)
    options.output.mkdir(parents=True, exist_ok=True)
    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    summary = overview(clips, options.data, options.split)
    print(summary)
    scored = score_clips(model, feature_extractor, clips, options.batch_size)
    trials = scored.trials
    if trials.is_fake.any() and not trials.is_fake.all():
        about = {
            "model": options.model,
            "data": f"{options.data}, {options.split}",
            "clips": summary,
            "not scored": len(scored.faults),
        }
        warnings = []
        if is_calibrated_on(model.config, trials.utterances):
            warnings.append("the calibration was fitted to these very clips: act_dcf and cllr flatter")
        _report(options.output, trials, about, calibration_of(model.config), warnings)
    else:
        write_scores(options.output / "scores.tsv", trials.utterances, trials.scores)
        print("\nNo metrics: they need clips that are real and clips that are fake.")
        print(f"Scores, higher for real: {options.output / 'scores.tsv'}")
    return _faults(scored.faults, len(clips), "clips could not be scored")


def measure(options: argparse.Namespace) -> int:
    """Print the metrics of any system's score file, and write a report."""
    from crnn_hf.metrics import HEADLINE, match, paired_differences, read_keys, read_scores

    keys = read_keys(options.keys)
    trials = match(*read_scores(options.scores), keys, partial=options.partial)
    about = {
        "scores": str(options.scores),
        "keys": str(options.keys),
        "not scored": len(keys.utterances) - len(trials),
    }
    _report(options.output, trials, about, None, [], options.threshold)
    if options.compare is not None:
        other = match(*read_scores(options.compare), keys, partial=options.partial)
        if other.utterances != trials.utterances:
            raise ValueError(f"{options.scores} and {options.compare} do not score the same clips")
        differences = paired_differences(trials.scores, other.scores, trials.is_fake, threshold=options.threshold)
        print(f"\n{'':10} {'first':>8} {'second':>8} {'second - first':>15}   95 % over clips      p")
        for name in HEADLINE:
            found = differences[name]
            print(
                f"{name:10} {found.first:8.4f} {found.second:8.4f} {found.difference:+15.4f}   "
                f"{found.lower:+.4f} to {found.upper:+.4f}  {found.p_value:.3f}"
            )
        print(f"first: {options.scores}, second: {options.compare}; both drawn on the same clips each time.")
    return 0


def share_results(options: argparse.Namespace) -> int:
    """Write a report's results in the forms that the Hub and the Speech Anti-Spoofing Arena read."""
    from crnn_hf.metrics.exchange.arena import TASK_ID, Pinned, read_system, trials_of_report, write_arena_submission
    from crnn_hf.metrics.exchange.hub_results import eval_results, write_eval_results, write_model_index

    figures = json.loads((options.report / "metrics.json").read_text(encoding="utf-8"))
    entries = eval_results(figures, dataset_id=options.dataset, task_id=options.task or TASK_ID, metric=options.metric)
    written = [write_eval_results(options.repository, entries)]
    card = options.repository / "README.md"
    if card.is_file():
        write_model_index(card, figures, dataset_id=options.dataset, split=options.split)
        written.append(card)
    if options.system is not None:
        pins = (options.scores_url, options.revision, options.hf_username, options.contact)
        if any(pins) and not all(pins):
            raise ValueError("--scores-url, --revision, --hf-username and --contact go together")
        trials, skipped = trials_of_report(options.report)
        written += write_arena_submission(
            options.repository,
            trials,
            read_system(options.system),
            dataset_id=options.dataset,
            skipped=skipped,
            pinned=Pinned(*pins, split=options.split) if all(pins) else None,
        )
    print(*written, sep="\n")
    return 0


def calibrate(options: argparse.Namespace) -> int:
    """Fit a calibration to clips that training has not heard, and store it and its thresholds with the model."""
    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference import calibration_record, save_calibration, score_clips
    from crnn_hf.metrics import compute_cm_metrics, cross_calibrated
    from crnn_hf.metrics.detection_cost import EFFECTIVE_PRIOR_OF_REAL

    if options.output is None and not Path(options.model).is_dir():
        raise ValueError(f"{options.model} is not a folder that a calibration can be stored in; expected --output")
    prior = EFFECTIVE_PRIOR_OF_REAL if options.prior_of_real is None else options.prior_of_real
    model, feature_extractor = _load(options.model)
    model.config.calibration = None
    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    print(overview(clips, options.data, options.split))
    scored = score_clips(model, feature_extractor, clips, options.batch_size)
    trials = scored.trials
    # The config may be published: it says which corpus, not where it lay.
    record = calibration_record(trials, f"{Path(options.data).name}, {options.split}", prior)
    before = compute_cm_metrics(trials.scores, trials.is_fake)
    after = compute_cm_metrics(cross_calibrated(trials.scores, trials.is_fake, prior), trials.is_fake)
    folder = save_calibration(record, options.model, options.output)

    print(f"\nlog-likelihood ratio = {record['scale']:.4g} * score {record['offset']:+.4g}")
    print(f"\n{'':8}  before   after   (after: each clip by a calibration that was fitted without it)")
    for name in ("act_dcf", "min_dcf", "cllr"):
        print(f"{name:8} {before[name]:7.4f} {after[name]:7.4f}")
    print(f"\n{'threshold':20} {'value':>7}  {'real flagged':>12}  {'fakes missed':>12}")
    for point in record["thresholds"]:
        print(f"{point['name']:20} {point['threshold']:+7.2f}  {point['frr']:12.1%}  {point['far']:12.1%}")
    lower, upper = record["abstain"]
    print(f"Between {lower:+.2f} and {upper:+.2f} the verdict is unsure.")
    print(f"The calibration is stored in {folder / 'config.json'}.")
    return _faults(scored.faults, len(clips), "clips could not be scored, and were left out")


def detect(options: argparse.Namespace) -> int:
    """Judge recordings, each on its own line; one that cannot be read is named and does not stop the others."""
    from crnn_hf.audio import AudioReadError
    from crnn_hf.inference import calibration_of, decision_band
    from crnn_hf.inference import detect as judge

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that the terminal cannot show
    model, feature_extractor = _load(options.model)
    settings = {"threshold": options.threshold, "prior_of_fake": options.prior_of_fake}
    decision_band(model.config, options.threshold)  # a threshold that does not exist is an error before any file
    width = max(len("file"), *(len(str(file)) for file in options.files))
    print(f"{'file':{width}}  label   P(fake)    score")
    faults = []
    for file in options.files:
        try:
            verdict = judge(model, feature_extractor, file, **settings)
        except (AudioReadError, OSError) as error:
            faults.append(str(error))
            continue
        chance = "-" if verdict.probability_of_fake is None else f"{verdict.probability_of_fake:.3f}"
        print(f"{file!s:{width}}  {verdict.label:6}  {chance:>7}  {verdict.score:+7.2f}")
    if calibration_of(model.config) is None:
        print("The detector is not calibrated: its scores are no chances. See crnn-hf calibrate.", file=sys.stderr)
    return _faults(faults, len(options.files), "files could not be judged")


def check_corpus(options: argparse.Namespace) -> int:
    """Check a corpus in ASVspoof 5's layout; the exit status is 1 if anything is wrong with it."""
    from crnn_hf.data.checking import check_split, differing_checksums, splits_in

    is_sound = True
    if options.md5 is not None:
        differing = differing_checksums(options.data, options.md5)
        print(*differing, sep="\n", end="\n" if differing else "")
        print(f"checksums: {len(differing)} files differ from {options.md5} or are not there")
        is_sound = not differing
    splits = options.split or splits_in(options.data)
    if not splits:
        raise ValueError(f"{options.data}: no split of which both protocol and clips are there")
    for split in splits:
        check = check_split(options.data, split, None if options.all else options.sample)
        print(check)
        is_sound &= check.is_sound
    print("The corpus is sound." if is_sound else "The corpus is not sound.")
    return 0 if is_sound else 1


def describe_corpus(options: argparse.Namespace) -> int:
    """Print what a corpus holds and how far level, length and silence alone tell its classes apart."""
    from crnn_hf.data import load_corpus
    from crnn_hf.data.statistics import as_table, describe, draw

    statistics = describe(load_corpus(options.data, options.split, first=options.first, **dict(options.column)))
    print(as_table(statistics))
    if options.picture is not None:
        draw(statistics, options.picture)
        print(f"The same as a picture: {options.picture}")
    return 1 if statistics.unreadable else 0


def extract_clips(options: argparse.Namespace) -> int:
    """Write clips of a corpus to files, to listen to them or to ask a detector about them."""
    from crnn_hf.data import load_asvspoof5
    from crnn_hf.data.columns import LABELS

    options.directory.mkdir(parents=True, exist_ok=True)
    for row in load_asvspoof5(options.data, options.split, streaming=True, first=options.first):
        path = options.directory / Path(row["audio"]["path"]).name
        path.write_bytes(row["audio"]["bytes"])
        print(f"{path}  {LABELS[row['label']]}")
    return 0


def make_embedded_corpus(options: argparse.Namespace) -> int:
    """Write the artificial corpus that the package makes itself."""
    from crnn_hf.data.embedded import write_embedded_corpus

    directory = write_embedded_corpus(
        options.directory,
        train_clips=options.train_clips,
        dev_clips=options.dev_clips,
        eval_clips=options.eval_clips,
        seed=options.seed,
    )
    print(f"The embedded corpus is in {directory}. Artificial voices: its figures say nothing about ASVspoof 5.")
    return 0


def _load(model: str) -> tuple[Any, Any]:
    """A detector, without transformers' progress bar, which a model as small as this has no need of."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.inference import load_detector

    disable_progress_bar()
    return load_detector(model)


def _report(
    folder: Path | None,
    trials: Any,
    about: dict[str, Any],
    calibration: dict[str, Any] | None,
    warnings: Sequence[str],
    threshold: float = 0.0,
) -> None:
    """Measure scored clips, print the gist, and write the report if there is a folder for it."""
    from crnn_hf.metrics import write_keys, write_scores
    from crnn_hf.metrics.report import as_text, measure, write_report

    about = {**about, "command": shlex.join(["crnn-hf", *sys.argv[1:]]), "date": str(date.today())}
    figures = measure(
        trials,
        {**about, "software": f"crnn-hf {version('crnn-hf')}"},
        calibration=calibration,
        warnings=warnings,
        threshold=threshold,
    )
    print(f"\n{as_text(figures)}")
    if folder is not None:
        write_scores(folder / "scores.tsv", trials.utterances, trials.scores)
        write_keys(folder / "keys.tsv", trials.utterances, trials.is_fake, trials.columns)
        write_report(folder, trials, figures)
        print(f"Report: {folder / 'report.html'}; beside it report.md, metrics.json, scores.tsv and keys.tsv.")


def _faults(faults: Sequence[str], total: int, what: str) -> int:
    """Name what went wrong, and give the exit status that says so."""
    for fault in faults:
        print(f"crnn-hf: {fault}", file=sys.stderr)
    if faults:
        print(f"crnn-hf: {len(faults)} of {total} {what}", file=sys.stderr)
    return 1 if faults else 0


def _threshold(argument: str) -> float | str:
    """A number, or the name of a threshold."""
    try:
        return float(argument)
    except ValueError:
        return argument


def _name_and_column(argument: str) -> tuple[str, str]:
    name, equals, column = argument.partition("=")
    if not (name and equals and column):
        raise argparse.ArgumentTypeError(f"expected NAME=COLUMN, such as label=is_fake; found {argument!r}")
    return name, column


def add_corpus(command: argparse.ArgumentParser) -> None:
    """The arguments that say which corpus."""
    command.add_argument(
        "data",
        help="a corpus in ASVspoof 5's layout, as a directory or an address, or hub; or recordings of your own: a "
        "folder with real/ and fake/, a table (.csv, .tsv, .jsonl, .parquet) or a dataset on the Hub, user/name",
    )
    command.add_argument(
        "--column",
        type=_name_and_column,
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="what a column of your table is called, such as label=is_fake",
    )


def add_split(command: argparse.ArgumentParser) -> None:
    """The arguments that say which of its clips are scored, and how many at a time."""
    command.add_argument("--split", default="validation", choices=SPLITS, help="default: validation")
    command.add_argument(
        "--first", type=int, help="score the first so many clips alone; the others stay where they are"
    )
    command.add_argument("--batch-size", type=int, default=32, help="clips at a time; default: 32")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crnn-hf", description="A speech-deepfake detector: train it, measure it, ask it.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "train",
        help="train a detector as a recipe says",
        description="Train a detector as a recipe says. Any setting of the recipe can be changed: --name value.",
        allow_abbrev=False,
    )
    command.set_defaults(command=train)
    command.add_argument("recipe", nargs="?", help="a YAML file, or the name of a recipe that comes with the package")
    command.add_argument("--settings", action="store_true", help="list all settings and stop")

    command = commands.add_parser("evaluate", help="score a corpus and print the metrics", allow_abbrev=False)
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

    command = commands.add_parser(
        "results",
        help="write a report's results as the Hub and the Arena read them",
        description="Write the results of a report into a model's folder: .eval_results/*.yaml, the model index in "
        "README.md if there is one, and, with --system, a submission to the Speech Anti-Spoofing Arena.",
        allow_abbrev=False,
    )
    command.set_defaults(command=share_results)
    command.add_argument("report", type=Path, help="folder of a report, by crnn-hf evaluate or crnn-hf metrics")
    command.add_argument("repository", type=Path, help="folder of the model's files, where the results go")
    command.add_argument("--dataset", required=True, metavar="OWNER/NAME", help="the dataset on the Hub")
    command.add_argument("--split", default="test", help="of the dataset; default: test")
    command.add_argument("--metric", default="eer", help="the one that .eval_results states; default: eer")
    command.add_argument("--task", help="the benchmark's task; default: the Arena's")
    arena = command.add_argument_group("Speech Anti-Spoofing Arena")
    arena.add_argument("--system", type=Path, metavar="YAML", help="what you say of the system; see the README")
    arena.add_argument("--scores-url", help="where the uploaded scores.txt lies, with the commit in it")
    arena.add_argument("--revision", help="commit of the dataset that was scored")
    arena.add_argument("--hf-username", help="who submits")
    arena.add_argument("--contact", help="how to reach them")

    command = commands.add_parser(
        "calibrate",
        help="turn a model's scores into likelihood ratios",
        description="Fit a calibration to clips that training has not heard, and store it with the model.",
        allow_abbrev=False,
    )
    command.set_defaults(command=calibrate)
    command.add_argument("model", help="folder or Hub name of a detector")
    add_corpus(command)
    add_split(command)
    command.add_argument("--output", type=Path, help="folder for the calibrated model; default: the model's own")
    command.add_argument(
        "--prior-of-real",
        type=float,
        help="where calibration is to be best; default: 0.655, where ASVspoof 5's costs lie",
    )

    command = commands.add_parser("detect", help="tell whether recordings are real or fake", allow_abbrev=False)
    command.set_defaults(command=detect)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording, of any format and length")
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")
    command.add_argument(
        "--threshold",
        type=_threshold,
        help="call fake what scores below it, and the rest real: a number, or the name of one that crnn-hf calibrate "
        "stored, such as real_flagged_1%%; by default a calibrated detector says unsure in between",
    )
    command.add_argument(
        "--prior-of-fake", type=float, default=0.5, help="how likely a recording is fake beforehand; default: 0.5"
    )

    data = commands.add_parser("data", help="check, describe or make a corpus", allow_abbrev=False)
    data_commands = data.add_subparsers(required=True, metavar="COMMAND")
    command = data_commands.add_parser(
        "check",
        help="count the clips and try to read them",
        description="Count the clips of a corpus and try to read them. The exit status is 1 if anything is wrong.",
        allow_abbrev=False,
    )
    command.set_defaults(command=check_corpus)
    command.add_argument("data", help="directory of a corpus in ASVspoof 5's layout")
    command.add_argument("--split", action="append", choices=SPLITS, help="default: all that are there")
    command.add_argument("--sample", type=int, default=1000, help="clips of each split to read; default: 1000")
    command.add_argument("--all", action="store_true", help="read every clip")
    command.add_argument("--md5", type=Path, help="a list of MD5 sums, as md5sum writes it, to hold the files against")

    command = data_commands.add_parser(
        "stats", help="describe the clips, and what gives their class away without listening", allow_abbrev=False
    )
    command.set_defaults(command=describe_corpus)
    add_corpus(command)
    command.add_argument("--split", default="train", choices=SPLITS, help="default: train")
    command.add_argument("--first", type=int, help="the first so many clips alone")
    command.add_argument("--picture", type=Path, help="where to draw it, such as stats.png")

    command = data_commands.add_parser("extract", help="write clips to files, to listen to them", allow_abbrev=False)
    command.set_defaults(command=extract_clips)
    command.add_argument("data", help="directory or address of a corpus in ASVspoof 5's layout, or hub")
    command.add_argument("directory", type=Path, help="where to")
    command.add_argument("--split", default="validation", choices=SPLITS, help="default: validation")
    command.add_argument("--first", type=int, default=10, help="how many, the first ones; default: 10")

    command = data_commands.add_parser(
        "embedded", help="write the artificial corpus that the package makes itself", allow_abbrev=False
    )
    command.set_defaults(command=make_embedded_corpus)
    command.add_argument("directory", type=Path, help="where to; left alone if it holds the same corpus already")
    command.add_argument("--train-clips", type=int, default=480, help="default: 480")
    command.add_argument("--dev-clips", type=int, default=240, help="default: 240")
    command.add_argument("--eval-clips", type=int, default=240, help="default: 240")
    command.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser


if __name__ == "__main__":
    sys.exit(main())
