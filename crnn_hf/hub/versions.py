"""Versions v1, v2, ... of a model: tags of its repository, each compared with the one before."""

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from huggingface_hub import HfApi
from huggingface_hub.errors import RemoteEntryNotFoundError

from crnn_hf.hub.card import REPORT_FOLDER
from crnn_hf.hub.records import REPORT, Report, read_report
from crnn_hf.metrics import compare
from crnn_hf.metrics.report.comparing import comparison_as_text, summary
from crnn_hf.metrics.report.pages import escaped_for_markdown
from crnn_hf.metrics.trials import Trials

PAGE = "COMPARISON.md"
FILES = (REPORT, "scores.tsv", "keys.tsv")


class NotComparable(ValueError):
    """Two versions were not measured on the same clips."""


class Progress(NamedTuple):
    """What became of a model from one version to the next: as a page, in short as Markdown, and as plain text."""

    page: str
    in_short: str
    message: str


def latest_version(tags: Iterable[str]) -> str | None:
    """The tag with the highest number among those named v1, v2 and so on; None where there is none."""
    number = _highest(tags)
    return f"v{number}" if number else None


def next_version(tags: Iterable[str]) -> str:
    """The tag after the latest, or v1."""
    return f"v{_highest(tags) + 1}"


def report_of(api: HfApi, repo_id: str, revision: str) -> Report:
    """The report that was published with a version.

    Raises:
        NotComparable: none was.
    """
    with TemporaryDirectory() as scratch:
        try:
            for name in FILES:
                api.hf_hub_download(repo_id, f"{REPORT_FOLDER}/{name}", revision=revision, local_dir=scratch)
        except RemoteEntryNotFoundError as error:
            raise NotComparable(f"{revision} was published without a report") from error
        return read_report(Path(scratch) / REPORT_FOLDER)


def compared(old: Report, new: Report, names: tuple[str, str]) -> Progress:
    """What a version does better and worse than another on the same clips.

    Args:
        old, new: of both versions.
        names: of the old version and of the new one.

    Raises:
        NotComparable: the reports are on different clips.
    """
    before = _in_order(old.trials, new.trials)
    found = compare(before, new.trials, (_threshold(old), _threshold(new)))
    fakes = int(new.trials.is_fake.sum())
    real = len(new.trials) - fakes
    title = f"{names[1]} against {names[0]}, on the same {len(new.trials):,} clips ({real:,} real, {fakes:,} fake)"
    gist = summary(found)
    # Two spaces: hard line breaks, as the terminal has them.
    quoted = "\n".join(f"> {line}  " for line in map(escaped_for_markdown, gist.splitlines()))
    return Progress(
        page=f"# {title}\n\n```\n{comparison_as_text(found)}\n```\n",
        in_short=f"{title}; all of it in [{PAGE}]({PAGE}):\n\n{quoted}",
        message=f"{title}:\n{gist}",
    )


def _highest(tags: Iterable[str]) -> int:
    found = [re.fullmatch(r"v([1-9]\d*)", tag) for tag in tags]
    return max((int(match[1]) for match in found if match), default=0)


def _in_order(trials: Trials, other: Trials) -> Trials:
    """The clips in the order of those of another report on them."""
    place_of = {utterance: place for place, utterance in enumerate(trials.utterances)}
    if set(place_of) != set(other.utterances):
        common = len(set(place_of) & set(other.utterances))
        raise NotComparable(
            f"the reports are on different clips: {len(trials):,} and {len(other):,}, of which {common:,} are in both"
        )
    order = [place_of[utterance] for utterance in other.utterances]
    if (trials.is_fake[order] != other.is_fake).any():
        raise NotComparable("the reports do not agree on which clips are fake")
    return Trials(other.utterances, trials.scores[order], other.is_fake, other.columns)


def _threshold(report: Report) -> float:
    """Below which score the detector says fake: its calibration's, or 0."""
    return report.figures["abstention"]["lower"] if report.figures["calibration"] else 0.0
