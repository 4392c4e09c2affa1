"""`crnn-hf detect`."""

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import faults_told, loaded


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "detect",
        help="tell whether recordings are real or fake",
        description="Tell whether recordings are real or fake, each on its own line.",
        allow_abbrev=False,
    )
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


def detect(options: argparse.Namespace) -> int:
    """Judge recordings, each on its own line; one that cannot be read is named and does not stop the others."""
    from crnn_hf.audio import AudioReadError
    from crnn_hf.inference import calibration_of, verdict
    from crnn_hf.inference import detect as judge

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for file names that the terminal cannot show
    model, feature_extractor = loaded(options.model)
    settings = {"threshold": options.threshold, "prior_of_fake": options.prior_of_fake}
    verdict(0.0, model.config, **settings)  # a threshold that does not exist is an error before any file
    width = max(len("file"), *(len(str(file)) for file in options.files))
    print(f"{'file':{width}}  label   P(fake)    score")
    faults = []
    for file in options.files:
        try:
            found = judge(model, feature_extractor, file, **settings)
        except (AudioReadError, OSError) as error:
            faults.append(str(error))
            continue
        chance = "-" if found.probability_of_fake is None else f"{found.probability_of_fake:.3f}"
        print(f"{file!s:{width}}  {found.label:6}  {chance:>7}  {found.score:+7.2f}")
    if calibration_of(model.config) is None:
        print("The detector is not calibrated: its scores are no chances. See crnn-hf calibrate.", file=sys.stderr)
    return faults_told(faults, len(options.files), "files could not be judged")


def _threshold(argument: str) -> float | str:
    """A number, or the name of a threshold."""
    try:
        return float(argument)
    except ValueError:
        return argument
