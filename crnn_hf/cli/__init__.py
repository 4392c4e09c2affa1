"""`crnn-hf`: one thin command a job. Packages are imported by the command that needs them, so that help is quick."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version

from crnn_hf.cli import (
    augmenting,
    calibrating,
    comparing,
    corpora,
    demo,
    detecting,
    evaluating,
    exporting,
    hub,
    listening,
    probing,
    publishing,
    scoring,
    training,
    vocoding,
)

COMMANDS = (
    training,
    calibrating,
    evaluating,
    scoring,
    comparing,
    probing,
    publishing,
    detecting,
    listening,
    exporting,
    hub,
    demo,
    augmenting,
    vocoding,
    corpora,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0 if all went well, 1 if a file could not be judged, 2 if nothing was done."""
    parser = argparse.ArgumentParser(
        prog="crnn-hf", description="A speech-deepfake detector: train it, measure it, ask it.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"crnn-hf {version('crnn-hf')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command is not training.train:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.overrides = rest
    options.command_line = shlex.join(["crnn-hf", *(sys.argv[1:] if arguments is None else arguments)])
    try:
        return options.command(options)
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does. What is left of it shall not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, ImportError) as error:
        # Bad input, or an extra that is not installed: its message is written for people. Anything else is a fault of
        # ours and keeps its traceback.
        print(f"crnn-hf: {error}", file=sys.stderr)
        return 2
