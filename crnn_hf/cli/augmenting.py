"""`crnn-hf augment`."""

import argparse
import json
from pathlib import Path
from typing import Any

RATE = 16_000  # in Hz, of what augmentations are tried on


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "augment",
        help="hear and see what augmentations do to a recording",
        description="Write what each augmentation makes of a recording, as FLAC and as a picture of its spectrogram.",
        allow_abbrev=False,
    )
    command.set_defaults(command=augment)
    command.add_argument("file", type=Path, help="a recording, of any format; its first ten seconds are used")
    command.add_argument("--output", type=Path, default=Path("examples"), help="where to; default: examples")
    command.add_argument("--recipe", help="the augmentations of this recipe; by default all, with their defaults")
    command.add_argument("--seed", type=int, default=0, help="another one draws otherwise; default: 0")


def augment(options: argparse.Namespace) -> int:
    """Write what augmentations make of a recording, to be heard and seen."""
    from crnn_hf.audio import read_audio
    from crnn_hf.augmentation import KINDS, SPECTROGRAM_KINDS, chain
    from crnn_hf.augmentation.examples import needs_no_files, write_examples
    from crnn_hf.training import read_recipe

    if options.recipe is None:
        examples = {name: kind() for name, kind in KINDS.items() if needs_no_files(kind)}
    else:
        settings = json.loads(read_recipe(options.recipe, ["--data", "-"])[1].augmentation)
        for name in SPECTROGRAM_KINDS:
            settings.pop(name, None)  # which changes no sound
        examples = dict(zip(settings, chain(settings, KINDS, RATE).augmentations, strict=True))
    waveform = read_audio(options.file, RATE)
    print(*write_examples(waveform, RATE, examples, options.output, options.seed), sep="\n")
    return 0
