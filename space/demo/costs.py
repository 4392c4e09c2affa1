"""Thresholds by their names, and what each costs: what the calibration measured, nothing in between."""

from collections.abc import Mapping
from html import escape
from typing import Any

ABSTAIN = "can't tell in between"


def choices(calibration: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """What can be chosen, as pairs of what people read and the threshold's name; from few flagged to many."""
    first = ("Say “can't tell” in between", ABSTAIN)
    points = sorted((calibration or {}).get("thresholds", []), key=lambda point: point["threshold"])
    return [first, *((_sentence(point), point["name"]) for point in points)]


def threshold_of(choice: str | None) -> str | None:
    """The threshold that a choice stands for, as `crnn_hf.inference.verdict` takes it."""
    return None if choice in (None, "", ABSTAIN) else choice


def cost(calibration: Mapping[str, Any] | None, choice: str | None) -> str:
    """What a choice costs, as HTML."""
    if calibration is None:
        return "<p>This detector is not calibrated: it decides at a score of 0, and nobody knows what that costs.</p>"
    named = {point["name"]: point for point in calibration.get("thresholds", [])}
    if threshold_of(choice) is not None:
        point = named[choice]
        return _bars(point["frr"], point["far"], "called fake", "called real") + measured_on(calibration)
    lower, upper = calibration["abstain"]
    flagged = next((point["frr"] for point in named.values() if point["threshold"] == lower), None)
    missed = next((point["far"] for point in named.values() if point["threshold"] == upper), None)
    if flagged is None or missed is None:
        return f"<p>“Can't tell” from a score of {lower:.2f} to one of {upper:.2f}.</p>{measured_on(calibration)}"
    return _bars(flagged, missed, "called fake", "called real") + measured_on(calibration)


def measured_on(calibration: Mapping[str, Any]) -> str:
    """On which clips the shares were measured, as HTML."""
    clips = calibration.get("clips", {})
    counts = f"{clips['real']:,} real and {clips['fake']:,} fake clips" if clips else "the clips"
    changed = [name for name in calibration.get("sets", []) if name != "validation"]
    copies = f", as they are and {' and '.join(map(escape, changed))}" if changed else ""
    # Only a run's own record names its sets, and they chose the run's best checkpoint.
    chosen = " They have chosen the model too, so that the shares flatter it." if "sets" in calibration else ""
    data = f" of “{escape(str(calibration['data']))}”" if calibration.get("data") else ""
    return (
        f'<p class="fine">Measured on {counts}{data}{copies}: those that the detector was calibrated on, and not '
        f"trained on.{chosen} On other recordings the shares differ, and are often worse.</p>"
    )


def _sentence(point: Mapping[str, Any]) -> str:
    meaning = str(point["meaning"])
    if meaning.startswith("lowest cost"):
        meaning = "lowest cost by ASVspoof 5's reckoning"
    return meaning[:1].upper() + meaning[1:]


def _bars(flagged: float, missed: float, of_real: str, of_fake: str) -> str:
    return (
        '<dl class="bars">'
        + _bar(flagged, f"of real clips are wrongly {of_real}", "fake")
        + _bar(missed, f"of fakes are wrongly {of_fake}", "real")
        + "</dl>"
    )


def _bar(share: float, words: str, kind: str) -> str:
    return (
        f'<div><dt>{100 * share:.1f} % {words}</dt><dd aria-hidden="true"><span class="{kind}" '
        f'style="width:{100 * share:.1f}%"></span></dd></div>'
    )
