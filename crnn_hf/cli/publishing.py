"""`crnn-hf results`: what a report found, as others read it."""

import argparse
import json
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "results",
        help="write a report's results as the Hub and the Arena read them",
        description="Write the results of a report into a model's folder: .eval_results/*.yaml, the model index in "
        "README.md if there is one, and, with --system, a submission to the Speech Anti-Spoofing Arena.",
        allow_abbrev=False,
    )
    command.set_defaults(command=share_results)
    command.add_argument("report", type=Path, help="folder of a report, by crnn-hf evaluate or crnn-hf metrics")
    command.add_argument("repository", type=Path, help="folder of the model's files, where the results go")
    command.add_argument("--dataset", required=True, metavar="OWNER/NAME", help="the dataset on the Hub")
    command.add_argument("--split", default="test", help="of the dataset; default: test")
    command.add_argument("--metric", default="eer", help="the one that .eval_results states; default: eer")
    command.add_argument("--task", help="the benchmark's task; default: the Arena's")
    arena = command.add_argument_group("Speech Anti-Spoofing Arena")
    arena.add_argument("--system", type=Path, metavar="YAML", help="what you say of the system; see the README")
    arena.add_argument("--scores-url", help="where the uploaded scores.txt lies, with the commit in it")
    arena.add_argument("--revision", help="commit of the dataset that was scored")
    arena.add_argument("--hf-username", help="who submits")
    arena.add_argument("--contact", help="how to reach them")


def share_results(options: argparse.Namespace) -> int:
    """Write a report's results in the forms that the Hub and the Speech Anti-Spoofing Arena read."""
    from crnn_hf.metrics.exchange.arena import TASK_ID, Pinned, read_system, trials_of_report, write_arena_submission
    from crnn_hf.metrics.exchange.hub_results import eval_results, write_eval_results, write_model_index

    pins = (options.scores_url, options.revision, options.hf_username, options.contact)
    if any(pins) and not (all(pins) and options.system):
        raise ValueError("--scores-url, --revision, --hf-username and --contact go together, and with --system")
    try:
        figures = json.loads((options.report / "metrics.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{options.report / 'metrics.json'}: expected what a report writes: {error}") from error
    if options.metric != "eer" and options.task is None:
        raise ValueError(f"the Arena's task is the EER; expected --task, a benchmark's task that has {options.metric}")
    if not options.repository.is_dir():
        raise FileNotFoundError(f"{options.repository}: no such folder; expected that of the model's files")
    entries = eval_results(figures, dataset_id=options.dataset, task_id=options.task or TASK_ID, metric=options.metric)
    submission = []
    if options.system is not None:  # comes first, for it refuses what the Arena would not take
        trials, skipped = trials_of_report(options.report)
        submission = write_arena_submission(
            options.repository,
            trials,
            read_system(options.system),
            dataset_id=options.dataset,
            skipped=skipped,
            pinned=Pinned(*pins, split=options.split) if all(pins) else None,
        )
    written = [write_eval_results(options.repository, entries)]
    card = options.repository / "README.md"
    if card.is_file():
        write_model_index(card, figures, dataset_id=options.dataset, split=options.split)
        written.append(card)
    print(*written, *submission, sep="\n")
    return 0
