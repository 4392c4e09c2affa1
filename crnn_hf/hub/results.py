"""What a model card says of a report: results, thresholds and what they cost, and limits that were measured."""

from collections.abc import Mapping
from typing import Any

from crnn_hf.hub.markdown import table
from crnn_hf.metrics.report import wording
from crnn_hf.metrics.report.pages import escaped_for_markdown
from crnn_hf.metrics.report.pictures import MATRIX_NAME
from crnn_hf.metrics.trials import UNKNOWN

GROUPED_BY = ("attack", "codec")  # of which a card has tables; report.md has the other breakdowns too
OF_GROUPS = ("min_dcf", "act_dcf")  # beside the EER
MAIN_PICTURES = ("det", "scores", "calibration")


def results(figures: Mapping[str, Any], pictures: Mapping[str, str], folder: str) -> str:
    """The results of a report as Markdown.

    Args:
        figures: what metrics.json holds.
        pictures: from `pictures_of`.
        folder: of the report, as it is seen from the card.
    """
    about, counts = figures["about"], figures["counts"]
    data = f" of {escaped_for_markdown(wording.plain(about['data']))}" if about.get("data") else ""
    parts = [
        f"On {counts['real'] + counts['fake']:,} clips{data}: {counts['real']:,} real, {counts['fake']:,} fake. "
        + wording.headline(figures),
        *(f"> **Warning:** {escaped_for_markdown(warning)}." for warning in figures["warnings"]),
        _headline_table(figures),
        wording.intervals(figures),
        *(pictures[name] for name in MAIN_PICTURES if name in pictures),
    ]
    for column in GROUPED_BY:
        if column in figures["breakdowns"]:
            parts += _breakdown(column, figures, pictures)
    parts += [pictures[MATRIX_NAME]] if MATRIX_NAME in pictures else []
    parts.append(_files(figures, folder))
    return "\n\n".join(parts)


def thresholds(
    calibration: Mapping[str, Any] | None, figures: Mapping[str, Any] | None, repo_id: str = "MODEL"
) -> str | None:
    """The thresholds by name, with what each costs on the report's clips and on those it was found on; or None."""
    points, note = _points(calibration, figures)
    if not points:
        return None
    header = ["threshold", "score", *(label for rate, label in _RATES.items() if rate in points[0])]
    rows = [
        [point["name"], wording.score(point["threshold"])]
        + [wording.share(point[rate]) for rate in _RATES if rate in point]
        for point in points
    ]
    parts = [note, table(header, rows)]
    if figures is not None:
        parts.append(wording.abstention(figures))
    if calibration is not None:
        command = f"crnn-hf detect FILE --model {repo_id} --threshold {points[0]['name']}"
        parts.append(f"`{command}` decides at one of them.")
    return "\n\n".join(parts)


def calibration_in_words(calibration: Mapping[str, Any]) -> str:
    """What the calibration is, and on what it was fitted."""
    clips = calibration.get("clips")
    on = f"on {escaped_for_markdown(calibration['data'])}" if "data" in calibration else ""
    counted = f"({clips['real']:,} real clips, {clips['fake']:,} fakes)" if clips else ""
    fitted = f", fitted {' '.join(filter(None, [on, counted]))}" if on or counted else ""
    return f"the score is a natural-log likelihood ratio of real to fake{fitted}"


def measured_limits(figures: Mapping[str, Any] | None) -> list[str]:
    """Sentences on how unevenly the model does, or that nobody measured it."""
    if figures is None:
        return ["No measurement comes with this model. Do not rely on it before you have made one."]
    return [said for column in GROUPED_BY if column in figures["breakdowns"] for said in _unevenness(column, figures)]


_RATES = {
    "frr": "real clips flagged",
    "far": "fakes missed",
    "frr_when_fitted": "real flagged where it was found",
    "far_when_fitted": "fakes missed there",
}


def _points(
    calibration: Mapping[str, Any] | None, figures: Mapping[str, Any] | None
) -> tuple[list[Mapping[str, Any]], str]:
    if figures is not None:
        return figures["operating_points"], wording.points(figures)
    note = (
        "Below its score, a threshold calls a clip fake. What each costs was found on the clips of the calibration; "
        "on others it will be more."
    )
    return list((calibration or {}).get("thresholds", [])), note


def _headline_table(figures: Mapping[str, Any]) -> str:
    kinds = {"over clips": "by_clip", "over speakers": "by_speaker"}
    intervals = {label: figures["intervals"][kind] for label, kind in kinds.items() if figures["intervals"][kind]}
    confidence = f"{100 * figures['intervals']['confidence']:g} %"
    rows = [
        [
            wording.METRICS[name].label,
            wording.figure(name, value),
            *(wording.interval(name, ends.get(name)) for ends in intervals.values()),
        ]
        for name, value in figures["metrics"].items()
    ]
    return table(["", "value", *(f"{confidence} interval {label}" for label in intervals)], rows)


def _breakdown(column: str, figures: Mapping[str, Any], pictures: Mapping[str, str]) -> list[str]:
    found = figures["breakdowns"][column]
    rows = [_group(group) for group in found["groups"]]
    macro = found["macro"]
    if macro["groups"]:
        means = [wording.figure(name, macro[name]) for name in ("eer", *OF_GROUPS)]
        rows.append([f"mean of {macro['groups']}", "", "", means[0], "", *means[1:]])
    labels = [wording.METRICS[name].label for name in ("eer", *OF_GROUPS)]
    picture = pictures.get(f"eer_by_{column}")
    return [
        f"### By {column}",
        " ".join(wording.remarks(column, found, figures["counts"])),
        *([picture] if picture else []),
        table([column, "real", "fake", labels[0], "95 % interval", *labels[1:]], rows),
    ]


def _group(group: Mapping[str, Any]) -> list[str]:
    clips = [group["name"], f"{group['real']:,}", f"{group['fake']:,}"]
    if group["metrics"] is None:
        return [*clips, *[wording.UNMEASURED] * (2 + len(OF_GROUPS))]
    eer, *others = (wording.figure(name, group["metrics"][name]) for name in ("eer", *OF_GROUPS))
    return [*clips, eer, wording.interval("eer", group["eer_interval"]), *others]


def _unevenness(column: str, figures: Mapping[str, Any]) -> list[str]:
    groups = [group for group in figures["breakdowns"][column]["groups"] if group["metrics"] is not None]
    if len(groups) < 2:
        return []
    best, worst = (pick(groups, key=lambda group: group["metrics"]["eer"]) for pick in (min, max))
    ends = [f"{wording.share(group['metrics']['eer'])} ({_named(group['name'])})" for group in (best, worst)]
    return [f"One {column} is not like another: their EERs go from {ends[0]} to {ends[1]}."]


def _named(group: str) -> str:
    return "none known" if group == UNKNOWN else escaped_for_markdown(group)


def _files(figures: Mapping[str, Any], folder: str) -> str:
    about = figures["about"]
    made = f" on {about['date']}" if about.get("date") else ""
    by = f", with {about['software']}" if about.get("software") else ""
    return (
        f"Measured{made}{by}. The score of every clip is in [scores.tsv]({folder}/scores.tsv), its label in "
        f"[keys.tsv]({folder}/keys.tsv); `crnn-hf metrics {folder}/scores.tsv {folder}/keys.tsv` gives these figures "
        f"again. All of them are in [metrics.json]({folder}/metrics.json), told in [report.md]({folder}/report.md)."
    )
