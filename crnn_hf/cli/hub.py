"""`crnn-hf push` and `crnn-hf card`: a model on the Hub, and what is written on it."""

import argparse
import os
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    command = commands.add_parser(
        "push",
        help="publish a model on the Hub, with its card, results and code",
        description="Publish a model on the Hub in one commit, as the next version, after a fresh process has loaded "
        "it back. With a report, the names and scores of its clips are published too.",
        allow_abbrev=False,
    )
    command.set_defaults(command=publish)
    _add_shared(command)
    command.add_argument("repo_id", metavar="user/name", help="the model on the Hub; is made if it is not there")
    command.add_argument("--private", action="store_true", help="let nobody else see it")
    command.add_argument("--revision-tag", metavar="TAG", help="name of the version; default: v1, v2, ...")
    command.add_argument(
        "--compare-with-previous",
        action="store_true",
        help="refuse to publish where the report is not on the clips of the version before; without this, they are "
        "compared if they can be",
    )
    command.add_argument("--space", metavar="user/name", help="publish the demo too, as a Space that asks this model")

    command = commands.add_parser(
        "card",
        help="write a model's card, to read before it is published",
        description="Write the card that crnn-hf push would publish.",
        allow_abbrev=False,
    )
    command.set_defaults(command=write_card)
    _add_shared(command)
    command.add_argument("--repo-id", metavar="user/name", help="the model's name on the Hub; default: user/FOLDER")
    command.add_argument("--output", type=Path, metavar="FILE", help="where to; default: the terminal")


def publish(options: argparse.Namespace) -> int:
    """Publish a model, and the Space that asks it."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.hub import push, push_space
    from crnn_hf.hub.faults import check_name
    from crnn_hf.hub.shipped import shipped

    disable_progress_bar()
    space = None
    if options.space is not None:  # comes first: half of it is not what was asked for
        check_name(options.space)
        space = shipped("space")
    found = push(
        options.model,
        options.repo_id,
        report=options.report,
        private=options.private,
        licence=options.license,
        dataset=options.dataset,
        version=options.revision_tag,
        must_compare=options.compare_with_previous,
    )
    print(f"{found.version}: {found.url}" if found.is_new else f"{found.version} is there already: {found.url}")
    if space is not None:
        print(f"Space: {push_space(space, options.space, options.repo_id, private=options.private)}")
    return 0


def write_card(options: argparse.Namespace) -> int:
    """Write a model's card."""
    from transformers.utils.logging import disable_progress_bar

    from crnn_hf.hub import model_card, read_report, read_run
    from crnn_hf.hub.faults import check_name
    from crnn_hf.hub.markdown import pictures_of
    from crnn_hf.hub.records import refuse_report_of_another
    from crnn_hf.loading import load_detector

    disable_progress_bar()
    repo_id = options.repo_id or f"user/{options.model.resolve().name}"
    check_name(repo_id)
    detector = load_detector(options.model, device="cpu")
    report, folder, pictures = None, "report", {}
    if options.report is not None:
        report = read_report(options.report)
        refuse_report_of_another(report.figures, detector[0].config, options.report)
        folder = Path(os.path.relpath(options.report, options.output.parent if options.output else ".")).as_posix()
        pictures = pictures_of(options.report, folder)
    card = model_card(
        detector,
        read_run(options.model),
        report,
        repo_id=repo_id,
        licence=options.license,
        dataset=options.dataset,
        pictures=pictures,
        report_folder=folder,
    )
    if options.output is None:
        print(card)
    else:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(str(card).strip() + "\n", encoding="utf-8")
        print(options.output)
    return 0


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="folder of a detector, as crnn-hf train left it")
    command.add_argument("--report", type=Path, metavar="FOLDER", help="what crnn-hf evaluate wrote of the model")
    command.add_argument("--license", default="apache-2.0", help="of the weights; default: apache-2.0")
    command.add_argument("--dataset", metavar="OWNER/NAME", help="the benchmark on the Hub that the report is on")
