"""The gist of a report as a few lines for the terminal."""

from collections.abc import Mapping
from typing import Any

from crnn_hf.metrics.confidence import Difference
from crnn_hf.metrics.report.wording import printable, shortened

MOST_GROUPS = 8
CALIBRATION = {
    True: "The scores are calibrated: they are natural-log likelihood ratios.",
    False: "The scores are not calibrated: act_dcf and cllr say how far they are from likelihood ratios.",
    None: "Whether the scores are calibrated is not known: act_dcf and cllr take them for likelihood ratios.",
}


def as_text(figures: Mapping[str, Any]) -> str:
    """The headline metrics with their intervals, where the detector is worst, and whether its scores are calibrated.

    Names from data are printed without control characters, which a terminal would obey, and on one line.

    Args:
        figures: from `crnn_hf.metrics.report.measure`.
    """
    return "\n\n".join([_headline(figures), *_breakdowns(figures), _notes(figures)])


def differences_as_text(differences: Mapping[str, Difference]) -> str:
    """How two detectors differ in each metric, as a table.

    Args:
        differences: from `crnn_hf.metrics.paired_differences`.
    """
    lines = [f"{'':10} {'first':>8} {'second':>8} {'second - first':>15}   95 % over clips      p"]
    lines += [
        f"{name:10} {found.first:8.4f} {found.second:8.4f} {found.difference:+15.4f}   "
        f"{found.lower:+.4f} to {found.upper:+.4f}  {found.p_value:.3f}"
        for name, found in differences.items()
    ]
    return "\n".join(lines)


def _headline(figures: Mapping[str, Any]) -> str:
    by_clip, by_speaker = figures["intervals"]["by_clip"], figures["intervals"]["by_speaker"]
    percent = f"{figures['intervals']['confidence'] * 100:g} %"
    heading = f"{'':10} {'value':>7}   {percent} over clips"
    lines = [heading + (f"    {percent} over speakers" if by_speaker else "")]
    for name, value in figures["metrics"].items():
        line = f"{name:10} {value:7.4f}   {_interval(by_clip[name])}"
        lines.append(line + (f"  {_interval(by_speaker[name])}" if by_speaker else ""))
    return "\n".join(lines)


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.4f} to {ends[1]:.4f}"


def _breakdowns(figures: Mapping[str, Any]) -> list[str]:
    return [_breakdown(name, table) for name, table in figures["breakdowns"].items() if table["macro"]["groups"] > 1]


def _breakdown(name: str, table: Mapping[str, Any]) -> str:
    measured = [group for group in table["groups"] if group["metrics"] is not None]
    worst_first = sorted(measured, key=lambda group: -group["metrics"]["eer"])
    listed = ", ".join(
        f"{shortened(group['name'])} {group['metrics']['eer']:.1%}" for group in worst_first[:MOST_GROUPS]
    )
    more = f", and {len(measured) - MOST_GROUPS} more" if len(measured) > MOST_GROUPS else ""
    left_out = len(table["groups"]) - len(measured)
    omitted = f"; {left_out} of one class alone" if left_out else ""
    average = f"{table['macro']['eer']:.1%} on average over {len(measured)}"
    return f"EER by {shortened(name)}, {average}, worst first: {listed}{more}{omitted}"


def _notes(figures: Mapping[str, Any]) -> str:
    notes = [
        "eer, min_dcf, act_dcf and cllr are ASVspoof 5's. accuracy, precision, recall and f1 call fake what is below",
        f"a score of {figures['thresholds']['decision']:g}, and take fake for the positive class.",
    ]
    notes.append(CALIBRATION[figures["is_calibrated"]])
    if figures["calibration"] and "data" in figures["calibration"]:
        notes[-1] += f" They were calibrated on {printable(figures['calibration']['data'])}."
    return "\n".join([*notes, *(f"Warning: {printable(warning)}" for warning in figures["warnings"])])
