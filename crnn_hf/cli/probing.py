"""`crnn-hf probe`."""

import argparse
import json
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import about, add_corpus, add_split, corpus_name, faults_told, loaded


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "probe",
        help="ask whether a model judges by level, silence, length, band width or DC instead of the voice",
        description="Measure how far level, silence, length, band width and a constant offset (DC) alone tell the "
        "classes of a corpus apart, and how far a model's score moves when only they change.",
        allow_abbrev=False,
    )
    command.set_defaults(command=probe)
    command.add_argument("model", help="folder or Hub name of a detector")
    add_corpus(command)
    add_split(command)
    command.add_argument("--output", type=Path, metavar="FILE.json", help="where to write all the figures as JSON")


def probe(options: argparse.Namespace) -> int:
    """Print what tells a corpus's classes apart beside the voice, and how far a model's score follows it."""
    from crnn_hf.data import load_corpus, overview
    from crnn_hf.inference.probing import as_record, as_text
    from crnn_hf.inference.probing import probe as probe_detector

    model, feature_extractor = loaded(options.model)
    clips = load_corpus(options.data, options.split, first=options.first, **dict(options.column))
    print(overview(clips, options.data, options.split))
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
    found = probe_detector(model, feature_extractor, clips, options.batch_size)
    print(f"\n{as_text(found)}")
    if options.output is not None:
        record = {"about": about(options, model=options.model, data=corpus_name(options)), **as_record(found)}
        options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        print(f"All figures: {options.output}")
    return faults_told(found.faults, len(clips), "clips could not be scored, and were left out")
