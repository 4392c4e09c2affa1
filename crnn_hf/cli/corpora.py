"""`crnn-hf data ...`: corpora checked, described, taken out of their tars, and made."""

import argparse
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import SPLITS, add_corpus


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
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
