"""`crnn-hf score`: a corpus of any size to a score file."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import add_backend, add_corpus, add_split, corpus_name


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "score",
        help="score a corpus of any size, and go on where it was broken off",
        description="Score a split of a corpus and write a score file. What is finished is kept in a folder beside "
        "it: broken off at any moment, the same command goes on from there. Several processes share the work where "
        "`accelerate launch -m crnn_hf.inference.score` or `torchrun -m crnn_hf.inference.score` starts them.",
        allow_abbrev=False,
    )
    command.set_defaults(command=score)
    add_corpus(command)
    command.add_argument("--model", required=True, help="folder or Hub name of a detector")
    command.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the score file; clips that cannot be scored are named beside it, in scores.errors.tsv for scores.tsv",
    )
    add_split(command)
    add_backend(command)
    command.add_argument(
        "--workers",
        type=int,
        help="threads of each process that read clips, and without a GPU score them; default: as many as there are "
        "cores, with a GPU one less; at most 8",
    )
    command.add_argument("--overwrite", action="store_true", help="replace the score file if there is one")


def score(options: argparse.Namespace) -> int:
    """Score a split and write the score file; the main process says how it went."""
    # The Math Kernel Library rounds some products by where in memory they lie, if it is not told otherwise before the
    # first of them: a file of scores is to be the same to the byte, whoever wrote it.
    os.environ.setdefault("MKL_CBWR", "AUTO")
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference.bulk import errors_beside, processes, score_to_file
    from crnn_hf.memory import keep_freed_memory

    keep_freed_memory()
    disable_progress_bar()  # of the model's loading; that of the scoring is another
    state = processes()
    with state.main_process_first():
        clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    if state.is_main_process:
        print(overview(clips, options.data, options.split), flush=True)
    errors = score_to_file(
        options.model,
        clips,
        options.output,
        data=corpus_name(options),
        batch_size=options.batch_size,
        backend=options.backend,
        workers=options.workers,
        overwrite=options.overwrite,
    )
    if state.is_main_process:
        print(f"Scores, higher for real: {options.output}")
    if errors:  # in a file, for there may be thousands
        where = errors_beside(options.output)
        print(f"crnn-hf: {len(errors)} of {len(clips)} clips could not be scored: see {where}", file=sys.stderr)
    state.destroy_process_group()
    return 1 if errors else 0
