"""`crnn-hf detect`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import add_backend, add_judging, faults_told

STDIN = "-"


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "detect",
        help="tell whether recordings are real or fake, and where",
        description="Tell whether recordings of any format and length are real or fake, and which stretches are.",
        allow_abbrev=False,
    )
    command.set_defaults(command=detect)
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a recording, a folder of them, an address, or - for standard input"
    )
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")
    add_backend(command)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print all that was found, a JSON object a line")
    form.add_argument("--csv", action="store_true", help="print a table with a header")
    command.add_argument(
        "--timeline",
        type=Path,
        metavar="PNG",
        help="draw waveform, spectrogram and scores over time; of several recordings, one picture each in this folder",
    )
    add_judging(command)
    command.add_argument("--batch-size", type=int, default=16, help="windows at a time; default: 16")


def detect(options: argparse.Namespace) -> int:
    """Judge recordings; one that cannot be read is named and does not stop the others."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.cli.verdicts import writer_of
    from crnn_hf.inference import DeepfakeDetectionPipeline

    disable_progress_bar()  # of loading, which a model as small as this has no need of
    detector = DeepfakeDetectionPipeline.from_pretrained(
        options.model,
        backend=options.backend,
        threshold=options.threshold,
        prior_of_fake=options.prior_of_fake,
        batch_size=options.batch_size,
    )
    files, left_out = recordings_of(options.files)
    if options.timeline is not None and (len(files) > 1) == (options.timeline.suffix.lower() == ".png"):
        raise ValueError(
            f"--timeline: expected {'a folder, for several recordings' if len(files) > 1 else 'a .png'}; "
            f"found {options.timeline}"
        )
    writer = writer_of(options, files)
    faults = []
    for file, found in zip(files, detector(_contents(files), on_error="return"), strict=True):
        if "error" in found:
            faults.append(found["error"] if file in found["error"] else f"{file}: {found['error']}")
        writer.write(file, found)
        if options.timeline is not None and "error" not in found:
            _draw(file, found, options.timeline)
    if left_out:
        print(f"crnn-hf: left out {left_out} files of the folders: hidden, or no recordings by name", file=sys.stderr)
    if not detector.model.config.calibration:
        print("The detector is not calibrated: its scores are no chances. See crnn-hf calibrate.", file=sys.stderr)
    return faults_told(faults, len(files), "files could not be judged")


def recordings_of(files: list[str]) -> tuple[list[str], int]:
    """The recordings that are meant, folders opened, and how many files of the folders were left out.

    Raises:
        ValueError: there is none in a folder, or standard input is named more than once.
    """
    from crnn_hf.data.own.folders import skipped_as

    if files.count(STDIN) > 1:
        raise ValueError("expected standard input, -, no more than once")
    found: list[str] = []
    left_out = 0
    for file in files:
        if file == STDIN or not Path(file).is_dir():
            found.append(file)
            continue
        inside = sorted(path for path in Path(file).rglob("*") if path.is_file())
        recordings = [str(path) for path in inside if skipped_as(path.relative_to(file)) is None]
        if not recordings:
            raise ValueError(f"{file}: no recordings in this folder; found {len(inside)} files of other kinds")
        found.extend(recordings)
        left_out += len(inside) - len(recordings)
    return found, left_out


def _contents(files: list[str]) -> Iterator[Any]:
    """What the detector is to read; standard input is read when its turn is."""
    for file in files:
        yield sys.stdin.buffer if file == STDIN else file


def _draw(file: str, found: dict[str, Any], target: Path) -> None:
    from crnn_hf.inference.recordings.overview import overview
    from crnn_hf.inference.recordings.picture import draw_verdict

    if file == STDIN:
        raise ValueError("--timeline reads a recording twice, which standard input does not allow")
    path = target if target.suffix.lower() == ".png" else target / f"{Path(file).name}.png"
    draw_verdict(found, overview(file, found["duration"]), path, Path(file).name)
