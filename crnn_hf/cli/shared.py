"""What several commands have in common."""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from typing import Any

SPLITS = ("train", "validation", "test")
# Those of crnn_hf.inference.backends, which takes seconds to import.
BACKENDS = ("torch", "onnx", "onnx-int8")


def add_corpus(command: argparse.ArgumentParser) -> None:
    """The arguments that say which corpus."""
    command.add_argument(
        "data",
        help="a corpus in ASVspoof 5's layout, as a directory or an address, or hub; or recordings of your own: a "
        "folder with real/ and fake/, a table (.csv, .tsv, .jsonl, .parquet) or a dataset on the Hub, user/name",
    )
    add_columns(command)


def add_columns(command: argparse.ArgumentParser) -> None:
    """The argument that says what the columns of a table are called."""
    command.add_argument(
        "--column",
        type=_name_and_column,
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="what a column of your table is called, such as label=is_fake",
    )


def _name_and_column(argument: str) -> tuple[str, str]:
    name, equals, column = argument.partition("=")
    if not (name and equals and column):
        raise argparse.ArgumentTypeError(f"expected NAME=COLUMN, such as label=is_fake; found {argument!r}")
    return name, column


def add_split(command: argparse.ArgumentParser) -> None:
    """The arguments that say which of its clips are scored, and how many at a time."""
    command.add_argument(
        "--split",
        default="validation",
        choices=(*SPLITS, "all"),
        help="default: validation, which of recordings that nobody has split is a fifth; all: every one of those",
    )
    command.add_argument(
        "--first", type=int, help="score the first so many clips alone; the others stay where they are"
    )
    command.add_argument("--batch-size", type=int, default=32, help="clips at a time; default: 32")


def add_backend(command: argparse.ArgumentParser) -> None:
    """The argument that says what runs the model."""
    command.add_argument(
        "--backend",
        default=BACKENDS[0],
        choices=BACKENDS,
        help="what runs the model: PyTorch, or ONNX Runtime with the file that crnn-hf export wrote; default: torch",
    )


def add_judging(command: argparse.ArgumentParser) -> None:
    """The arguments that say how a score becomes a verdict."""
    command.add_argument(
        "--threshold",
        type=_threshold,
        help="call everything below this score fake, and the rest real: a number, or the name of one that crnn-hf "
        "calibrate stored, such as real_flagged_1%%; by default a calibrated detector says unsure in between",
    )
    command.add_argument(
        "--prior-of-fake", type=float, default=0.5, help="how likely a recording is fake beforehand; default: 0.5"
    )


def _threshold(argument: str) -> float | str:
    """A number, or the name of a threshold."""
    try:
        return float(argument)
    except ValueError:
        return argument


def loaded(model: str) -> tuple[Any, Any]:
    """A detector, without transformers' progress bar, which a model as small as this has no need of."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.inference import load_detector

    disable_progress_bar()
    return load_detector(model)


def corpus_scored(options: argparse.Namespace, model: Any, feature_extractor: Any) -> tuple[Any, str]:
    """Score the clips that a command names: the scores, and what the clips are in a line, which is printed."""
    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference import score_clips

    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    summary = overview(clips, options.data, options.split)
    print(summary)
    return score_clips(model, feature_extractor, clips, options.batch_size), summary


def faults_told(faults: Sequence[str], total: int, what: str) -> int:
    """Name what went wrong, and give the exit status that says so."""
    for fault in faults:
        print(f"crnn-hf: {fault}", file=sys.stderr)
    if faults:
        print(f"crnn-hf: {len(faults)} of {total} {what}", file=sys.stderr)
    return 1 if faults else 0


def corpus_name(options: argparse.Namespace) -> str:
    """What the clips of a command are called, without where they lie."""
    from crnn_hf.data.locations import without_folder

    return f"{without_folder(options.data)}, {options.split}"


def about(options: argparse.Namespace, **what: Any) -> dict[str, Any]:
    """What a file of figures says of itself: `what` it is on, the command that made it, when, and with which software.

    A name's underscores become spaces.
    """
    return {
        **{name.replace("_", " "): value for name, value in what.items()},
        "command": options.command_line,
        "date": str(date.today()),
        "software": f"crnn-hf {version('crnn-hf')}",
    }
