"""`crnn-hf`: one thin command a job. Packages are imported by the command that needs them, so that help is quick."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path


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
    """Score a split of a corpus, print the metrics and write the score file."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference import load_detector, score_clips
    from crnn_hf.metrics import bootstrap_intervals, compute_metrics, write_scores

    disable_progress_bar()
    model, feature_extractor = load_detector(options.model)
    options.output.mkdir(parents=True, exist_ok=True)
    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    print(overview(clips, options.data, options.split))
    scored = score_clips(model, feature_extractor, clips, options.batch_size)
    path = options.output / "scores.tsv"
    write_scores(path, scored.utterances, scored.scores)

    if len(set(scored.labels)) == 2:
        metrics = compute_metrics(scored.scores, scored.labels)
        intervals = bootstrap_intervals(compute_metrics, scored.scores, scored.labels)
        print(f"\n{'':10} {'value':>8}   95 % interval, over clips")
        for name, value in metrics.items():
            lower, upper = intervals[name]
            print(f"{name:10} {value:8.4f}   {lower:.4f} to {upper:.4f}")
        print("\neer and min_dcf are ASVspoof 5's; the others are at a score of 0, with fake as the positive class.")
    else:
        print("\nNo metrics: they need clips that are real and clips that are fake.")
    print(f"Scores, higher for real: {path}")
    for fault in scored.faults:
        print(f"crnn-hf: {fault}", file=sys.stderr)
    if scored.faults:
        print(f"crnn-hf: {len(scored.faults)} of {len(clips)} clips could not be scored", file=sys.stderr)
    return 1 if scored.faults else 0


def detect(options: argparse.Namespace) -> int:
    """Judge recordings, each on its own line; one that cannot be read is named and does not stop the others."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.audio import AudioReadError
    from crnn_hf.inference import detect as judge
    from crnn_hf.inference import load_detector

    disable_progress_bar()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that the terminal cannot show
    model, feature_extractor = load_detector(options.model)
    width = max(len("file"), *(len(str(file)) for file in options.files))
    print(f"{'file':{width}}  label  probability    score")
    failures = 0
    for file in options.files:
        try:
            verdict = judge(model, feature_extractor, file)
        except (AudioReadError, OSError) as error:
            failures += 1
            print(f"crnn-hf: {error}", file=sys.stderr)
            continue
        print(f"{file!s:{width}}  {verdict.label:5}  {verdict.probability:11.3f}  {verdict.score:+7.2f}")
    if failures:
        print(f"crnn-hf: {failures} of {len(options.files)} files could not be judged", file=sys.stderr)
    return 1 if failures else 0


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
        options.directory, train_clips=options.train_clips, dev_clips=options.dev_clips, seed=options.seed
    )
    print(f"The embedded corpus is in {directory}. Artificial voices: its figures say nothing about ASVspoof 5.")
    return 0


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crnn-hf", description="A speech-deepfake detector: train it, measure it, ask it.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    splits = ("train", "validation", "test")

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
    command.add_argument("--split", default="validation", choices=splits, help="default: validation")
    command.add_argument("--output", type=Path, default=Path("report"), help="folder for scores.tsv; default: report")
    command.add_argument(
        "--first", type=int, help="score the first so many clips alone; the others stay where they are"
    )
    command.add_argument("--batch-size", type=int, default=32, help="clips at a time; default: 32")

    command = commands.add_parser("detect", help="tell whether recordings are real or fake", allow_abbrev=False)
    command.set_defaults(command=detect)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording, of any format and length")
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")

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
    command.add_argument("--split", action="append", choices=splits, help="default: all that are there")
    command.add_argument("--sample", type=int, default=1000, help="clips of each split to read; default: 1000")
    command.add_argument("--all", action="store_true", help="read every clip")
    command.add_argument("--md5", type=Path, help="a list of MD5 sums, as md5sum writes it, to hold the files against")

    command = data_commands.add_parser(
        "stats", help="describe the clips, and what gives their class away without listening", allow_abbrev=False
    )
    command.set_defaults(command=describe_corpus)
    add_corpus(command)
    command.add_argument("--split", default="train", choices=splits, help="default: train")
    command.add_argument("--first", type=int, help="the first so many clips alone")
    command.add_argument("--picture", type=Path, help="where to draw it, such as stats.png")

    command = data_commands.add_parser("extract", help="write clips to files, to listen to them", allow_abbrev=False)
    command.set_defaults(command=extract_clips)
    command.add_argument("data", help="directory or address of a corpus in ASVspoof 5's layout, or hub")
    command.add_argument("directory", type=Path, help="where to")
    command.add_argument("--split", default="validation", choices=splits, help="default: validation")
    command.add_argument("--first", type=int, default=10, help="how many, the first ones; default: 10")

    command = data_commands.add_parser(
        "embedded", help="write the artificial corpus that the package makes itself", allow_abbrev=False
    )
    command.set_defaults(command=make_embedded_corpus)
    command.add_argument("directory", type=Path, help="where to; left alone if it holds the same corpus already")
    command.add_argument("--train-clips", type=int, default=480, help="default: 480")
    command.add_argument("--dev-clips", type=int, default=240, help="default: 240")
    command.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser


if __name__ == "__main__":
    sys.exit(main())
