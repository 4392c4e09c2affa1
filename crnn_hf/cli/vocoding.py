"""`crnn-hf vocode`."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import SPLITS, add_columns, faults_told


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "vocode",
        help="make fakes of real recordings, to train on",
        description="Send real recordings through vocoders, and write them and the fakes where `crnn-hf train --data` "
        "reads them: same speaker, room, level and length, so that nothing but the vocoder tells them apart. A run "
        "that was interrupted goes on when the same command is given again. The exit status is 1 if a recording could "
        "not be read.",
        allow_abbrev=False,
    )
    command.set_defaults(command=vocode)
    command.add_argument(
        "source",
        help="real recordings: a folder of them, in subfolders too, the first of which names the speaker; a file; or "
        "a table, dataset or corpus as `crnn-hf train` takes them, whose fakes are left out",
    )
    command.add_argument("output", type=Path, help="where to: a folder that is empty or not there")
    command.add_argument("--vocoders", help="names, parted by commas; default: all. `none` leaves the neural ones")
    command.add_argument(
        "--neural",
        action="append",
        default=[],
        metavar="MODEL",
        help="a neural vocoder or codec of transformers, by its name on the Hub or its folder; may be given again",
    )
    command.add_argument("--per-clip", type=int, default=1, help="fakes of a recording, each by another vocoder")
    command.add_argument(
        "--split",
        action="append",
        choices=SPLITS,
        help="may be given again; default: train and validation. Of recordings that nobody has split a fifth is "
        "validation, other speakers than those of train where speakers are known",
    )
    add_columns(command)
    command.add_argument("--seed", type=int, default=0, help="another one draws otherwise; default: 0")
    command.add_argument("--workers", type=int, default=1, help="processes; default: 1")


def vocode(options: argparse.Namespace) -> int:
    """Make fakes of real recordings; the exit status is 1 if one could not be read."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.data.vocoded import Original, load_real_speech, write_fakes
    from crnn_hf.vocoding.on_the_fly import choose

    disable_progress_bar()
    names = None if options.vocoders is None else [name for name in options.vocoders.split(",") if name != "none"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vocoders = choose(names, options.neural, device)
    originals = []
    for split in options.split or ("train", "validation"):
        rows = load_real_speech(options.source, split, **dict(options.column))
        described = rows.select_columns(["utterance", "speaker"]).to_dict()
        originals += [
            Original(name, speaker, split, partial(_audio, rows, row))
            for row, (name, speaker) in enumerate(zip(described["utterance"], described["speaker"], strict=True))
        ]
    run = {"source": options.source, "neural": options.neural, "split": options.split}
    outcome = write_fakes(
        originals,
        options.output,
        vocoders,
        run=run,
        per_clip=options.per_clip,
        seed=options.seed,
        workers=options.workers,
    )
    for (split, kind), count in outcome.counts.items():
        print(f"{split:10}  {kind}  {count}")
    print(f"They are in {options.output}. Train on them: crnn-hf train crnn-asvspoof5 --data {options.output}")
    return faults_told(outcome.faults, len(originals), "recordings could not be read; nothing was made of them")


def _audio(rows: Any, row: int) -> Any:
    return rows[row]["audio"]
