"""`crnn-hf compare`: is the new revision better than the old one, and on what is it worse?"""

import argparse
import json
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import about, add_corpus, add_split, corpus_name, faults_told, loaded


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "compare",
        help="say what a new model does better and worse than an old one",
        description="Score a split of a corpus with two models, and say of each attack and codec what got better and "
        "worse, with a paired test.",
        allow_abbrev=False,
    )
    command.set_defaults(command=compare)
    command.add_argument("old", help="folder or Hub name of the detector as it was")
    command.add_argument("new", help="folder or Hub name of the detector that is to take its place")
    add_corpus(command)
    add_split(command)
    command.add_argument("--output", type=Path, metavar="FILE", help="write all of it to a JSON file too")
    command.add_argument(
        "--fail-if-worse",
        action="store_true",
        help="exit with status 1 where a pooled figure or an attack is shown to be worse, for scripts",
    )


def compare(options: argparse.Namespace) -> int:
    """Score a split with two models, print what got better and worse, and write it to a file."""
    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference import doubts, score_pair
    from crnn_hf.metrics import compare as compare_trials
    from crnn_hf.metrics.report.comparing import comparison_as_text, summary

    if options.output is not None and options.output.is_dir():
        raise ValueError(f"{options.output} is a folder; expected the name of a JSON file for --output")
    old, new = loaded(options.old), loaded(options.new)
    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    about_clips = overview(clips, options.data, options.split)
    print(about_clips)
    pair = score_pair(old, new, clips, options.batch_size)
    comparison = compare_trials(pair.old, pair.new, pair.thresholds)
    warnings = doubts(old, new, pair)
    print(f"\n{comparison_as_text(comparison)}")
    for warning in warnings:
        print(f"Warning: {warning}.")
    if options.output is not None:
        found = {
            "about": about(
                options,
                old=options.old,
                new=options.new,
                data=corpus_name(options),
                clips=about_clips,
                not_scored=len(pair.faults),
                thresholds=dict(zip(("old", "new"), pair.thresholds, strict=True)),
            ),
            "warnings": warnings,
            "summary": summary(comparison),
            **comparison.as_dict(),
        }
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        print(f"All of it, with the names of the clips: {options.output}")
    status = faults_told(pair.faults, len(pair.old) + len(pair.faults), "clips could not be scored by both models")
    return 1 if options.fail_if_worse and comparison.is_worse else status
