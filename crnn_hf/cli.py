"""`crnn-hf`: one thin command a job. Packages are imported by the command that needs them, so that help is quick."""

import argparse
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

    from crnn_hf.data import load_asvspoof5, overview
    from crnn_hf.inference import load_detector, score_clips
    from crnn_hf.metrics import bootstrap_intervals, compute_metrics, write_scores

    disable_progress_bar()
    model, feature_extractor = load_detector(options.model)
    clips = load_asvspoof5(options.data, options.split)
    print(overview(clips, options.data, options.split))
    scores = score_clips(model, feature_extractor, clips, options.batch_size)
    path = options.output / "scores.tsv"
    write_scores(path, clips["utterance"], scores)

    metrics = compute_metrics(scores, clips["label"])
    intervals = bootstrap_intervals(compute_metrics, scores, clips["label"])
    print(f"\n{'':10} {'value':>8}   95 % interval, over clips")
    for name, value in metrics.items():
        lower, upper = intervals[name]
        print(f"{name:10} {value:8.4f}   {lower:.4f} to {upper:.4f}")
    print(
        "\neer and min_dcf as ASVspoof 5 defines them; the others at a score of 0, with fake as the positive class."
        f"\nScores, higher for real: {path}"
    )
    return 0


def detect(options: argparse.Namespace) -> int:
    """Judge recordings, each on its own line; one that cannot be read is named and does not stop the others."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.audio import AudioReadError
    from crnn_hf.inference import detect as judge
    from crnn_hf.inference import load_detector

    disable_progress_bar()
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


def make_embedded_corpus(options: argparse.Namespace) -> int:
    """Write the artificial corpus that the package makes itself."""
    from crnn_hf.data.embedded import write_embedded_corpus

    directory = write_embedded_corpus(
        options.directory, train_clips=options.train_clips, dev_clips=options.dev_clips, seed=options.seed
    )
    print(f"The embedded corpus is in {directory}. Artificial voices: its figures say nothing about ASVspoof 5.")
    return 0


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
    command.add_argument("data", help="directory or address of a corpus in ASVspoof 5's layout")
    command.add_argument("--split", default="validation", help="train, validation (the default) or test")
    command.add_argument("--output", type=Path, default=Path("report"), help="folder for scores.tsv; default: report")
    command.add_argument("--batch-size", type=int, default=32, help="clips at a time; default: 32")

    command = commands.add_parser("detect", help="tell whether recordings are real or fake", allow_abbrev=False)
    command.set_defaults(command=detect)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording, of any format and length")
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")

    data = commands.add_parser("data", help="make a corpus", allow_abbrev=False)
    data_commands = data.add_subparsers(required=True, metavar="COMMAND")
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
