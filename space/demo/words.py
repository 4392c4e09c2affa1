"""A verdict in words, as HTML."""

from collections.abc import Mapping
from html import escape
from typing import Any

from demo.models import Served

HEADLINES = {"fake": "Likely fake", "real": "Likely real", "unsure": "Can't tell"}
# At a threshold of somebody's choice, which says what is worth a look, and not what is likelier.
FLAGS = {"fake": "Flagged as fake", "real": "Not flagged", "unsure": "Can't tell"}
SYMBOLS = {"fake": "✕", "real": "✓", "unsure": "?"}  # so that colour is not all there is
LABELS = {"fake": "fake", "real": "real", "unsure": "can't tell", "silence": "silence"}
MOST_NAMED = 4  # stretches; the list below has them all
ARTIFICIAL = (
    "This detector was trained on artificial voices to show that everything works. Decide nothing by what it says."
)


def verdict(result: Mapping[str, Any], served: Served, name: str = "", threshold: str | None = None) -> str:
    """What is said of a whole recording.

    Args:
        result: from the detection pipeline.
        served: the detector.
        name: of the recording.
        threshold: the name of the one that decides, if any.
    """
    label = result["label"]
    headline = (HEADLINES if threshold is None else FLAGS)[label]
    is_too_quiet = label == "unsure" and result["reason"].startswith("too little")
    lines = [] if is_too_quiet else [probability(result["probability"], result["score"])]
    if result["reason"]:
        lines.append(escape(result["reason"][:1].upper() + result["reason"][1:]) + ".")
    fakes = [segment for segment in result["segments"] if segment["label"] == "fake"]
    if fakes and label != "fake":
        where = ", ".join(f"{clock(segment['start'])} to {clock(segment['end'])}" for segment in fakes[:MOST_NAMED])
        more = f", and {len(fakes) - MOST_NAMED} more" if len(fakes) > MOST_NAMED else ""
        lines.append(f"<strong>But parts of it sound fake: {where}{more}.</strong>")
    warning = f'<p class="fine">{ARTIFICIAL}</p>' if served.is_artificial else ""
    return (
        f'<div class="verdict {label}"><span class="symbol" aria-hidden="true">{SYMBOLS[label]}</span><div>'
        f"<h2>{headline}</h2>"
        + "".join(f"<p>{line}</p>" for line in lines)
        + f'<p class="fine">{escape(name)}{" · " if name else ""}{clock(result["duration"])} long</p>{warning}'
        + "</div></div>"
    )


def refused(reason: str) -> str:
    """Why a recording was not judged."""
    return (
        '<div class="verdict unsure"><span class="symbol" aria-hidden="true">!</span><div><h2>Not judged</h2>'
        f"<p>{escape(reason)}</p></div></div>"
    )


def probability(chance: float | None, score: float | None) -> str:
    """How likely a recording is fake, in a sentence."""
    if score is None:
        return "Too little was heard so far."
    if chance is None:
        return f"Score {score:+.2f}; above 0 means real. No probability, for this detector is not calibrated."
    return f"{percent(chance)} likely to be fake, if half of all recordings are. Score {score:+.2f}."


def percent(chance: float) -> str:
    """ "97 %", and never 0 or 100, which no detector knows."""
    return "under 1 %" if chance < 0.01 else "over 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"


def clock(seconds: float) -> str:
    """ "1:02.5" """
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
