"""The same report as a web page that needs no other file, and as Markdown with pictures beside it."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crnn_hf.metrics.report import wording
from crnn_hf.metrics.report.pictures import Picture, heat_of

MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]|~$])")

_WHEN = {"when fitted": "_when_fitted", "here": ""}


class Section(NamedTuple):
    """A breakdown as a page shows it.

    Attributes:
        column: its name.
        remarks: what to know before one reads the table.
        header: of the table's columns, the first of which is the group.
        rows: a cell a column: the groups'.
        summary: the same, of all clips pooled and of the groups' mean.
        picture: of the EERs; None where there are too few to compare.
    """

    column: str
    remarks: list[str]
    header: list[str]
    rows: list[list[str]]
    summary: list[list[str]]
    picture: Picture | None


def html_page(
    figures: Mapping[str, Any], main: Sequence[Picture], by_group: Mapping[str, Picture], matrix: Picture | None
) -> str:
    """A page with style and pictures inside: it asks for nothing else, and runs no script.

    Args:
        figures: what `crnn_hf.metrics.report.measure` found.
        main: pictures of all clips.
        by_group: pictures of the breakdowns, by column.
        matrix: the EER by attack and codec; the page has it as a table, of whose title and caption it takes.
    """
    return _environment("html").get_template("report.html").render(_content(figures, main, by_group, matrix))


def markdown_page(
    figures: Mapping[str, Any], main: Sequence[Picture], by_group: Mapping[str, Picture], matrix: Picture | None
) -> str:
    """The same in the Markdown of GitHub and of the Hub, which shows each picture as the file "NAME.png" beside it.

    Arguments are those of `html_page`.
    """
    page = _environment("md").get_template("report.md").render(_content(figures, main, by_group, matrix))
    return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"


def escaped_for_markdown(text: str) -> str:
    """Text from data on one line, none of whose signs Markdown or HTML takes for its own."""
    text = wording.printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN_SIGNS.sub(r"\\\1", text)


def _content(
    figures: Mapping[str, Any], main: Sequence[Picture], by_group: Mapping[str, Picture], matrix: Picture | None
) -> dict[str, Any]:
    """What both templates are filled with: text, and tables as rows of it."""
    metrics_header, metrics = _metrics(figures)
    points_header, points = _points(figures)
    return {
        "title": _title(figures["about"]),
        "headline": wording.headline(figures),
        "at_threshold": wording.at_threshold(figures),
        "warnings": figures["warnings"],
        "about": _about(figures),
        "metrics_header": metrics_header,
        "metrics": metrics,
        "metrics_note": wording.intervals(figures),
        "calibration": wording.calibration(figures),
        "points_header": points_header,
        "points": points,
        "points_note": wording.points(figures),
        "abstention": wording.abstention(figures),
        "bands_header": ["class", "called fake", "unsure", "called real"],
        "bands": _bands(figures["abstention"]),
        "pictures": main,
        "sections": [_section(column, figures, by_group.get(column)) for column in figures["breakdowns"]],
        "groups_note": wording.GROUPS,
        "matrix": None if matrix is None else _matrix(figures["matrix"], matrix),
        "questions": wording.QUESTIONS,
    }


def _title(about: Mapping[str, Any]) -> str:
    model, data = about.get("model"), about.get("data")
    return (
        "Evaluation"
        + (f" of {wording.plain(model)}" if model else "")
        + (f" on {wording.plain(data)}" if data else "")
    )


def _about(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    counts = figures["counts"]
    clips = f"{counts['real'] + counts['fake']:,}, of which {counts['real']:,} real and {counts['fake']:,} fake"
    told = [(name.replace("_", " ").capitalize(), wording.plain(value)) for name, value in figures["about"].items()]
    return [*told, ("Clips scored", clips)]


def _metrics(figures: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """A row a metric; and of those that depend on how many clips of each class there are, another one balanced."""
    intervals, counts = figures["intervals"], figures["counts"]
    measured = {"by clip": intervals["by_clip"], "by speaker": intervals["by_speaker"]}
    kinds = {kind: ends for kind, ends in measured.items() if ends is not None}
    fakes = wording.share(counts["fake"] / (counts["real"] + counts["fake"]))
    decision = wording.score(figures["thresholds"]["decision"])
    rows = []
    for name, metric in wording.METRICS.items():
        ends = [wording.interval(name, of_kind.get(name)) for of_kind in kinds.values()]
        of_verdicts = name in figures["balanced"]
        phrase = f"{metric.phrase}, at a threshold of {decision}" if of_verdicts else metric.phrase
        rows.append([metric.label, wording.figure(name, figures["metrics"][name]), *ends, phrase])
        # Recall looks at fakes alone, and is the same.
        if of_verdicts and name != "recall":
            balanced = wording.figure(name, figures["balanced"][name])
            phrase = f"the same if half of the clips were fake; here {fakes} are"
            rows.append([f"{metric.label}, balanced", balanced, *[wording.UNMEASURED] * len(ends), phrase])
    confidence = f"{100 * intervals['confidence']:g} %"
    return ["metric", "value", *(f"{confidence} interval {kind}" for kind in kinds), "what it is"], rows


def _points(figures: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """A row a threshold, with what it costs here and, if it was found elsewhere, what it cost there."""
    points = figures["operating_points"]
    rates = {"real clips flagged": "frr", "fakes missed": "far"}
    if any("frr_when_fitted" in point for point in points):
        rates = {f"{label} {when}": f"{rate}{end}" for label, rate in rates.items() for when, end in _WHEN.items()}
    rows = [
        [point["name"], point["meaning"], wording.score(point["threshold"])]
        + [wording.share(point[rate]) if rate in point else wording.UNMEASURED for rate in rates.values()]
        for point in points
    ]
    return ["threshold", "meaning", "score", *rates], rows


def _bands(band: Mapping[str, float]) -> list[list[str]]:
    """Of each class, the shares that are called fake, neither, and real."""
    return [
        [label, *(wording.share(band[f"{name}_{called}"]) for called in ("called_fake", "unsure", "called_real"))]
        for name, label in (("real", "real clips"), ("fake", "fakes"))
    ]


def _section(column: str, figures: Mapping[str, Any], picture: Picture | None) -> Section:
    found, counts = figures["breakdowns"][column], figures["counts"]
    eer, *others = (wording.METRICS[name].label for name in wording.OF_GROUPS)
    rows = [_row(group["name"], group, group["metrics"], group["eer_interval"]) for group in found["groups"]]
    number = found["macro"]["groups"]
    summary = [
        _row("pooled", counts, figures["metrics"], figures["intervals"]["by_clip"]["eer"]),
        _row(f"macro, mean of {number:,}", None, found["macro"] if number else None, None),
    ]
    header = [column, "real clips", "fakes", eer, "95 % interval", *others]
    return Section(column, wording.remarks(column, found, counts), header, rows, summary, picture)


def _row(
    name: str, counts: Mapping[str, int] | None, metrics: Mapping[str, float] | None, ends: Sequence[float] | None
) -> list[str]:
    """A group's name, its clips of each class, and its metrics, with the EER's interval after the EER."""
    clips = [wording.UNMEASURED if counts is None else f"{counts[label]:,}" for label in ("real", "fake")]
    if metrics is None:
        return [name, *clips, *[wording.UNMEASURED] * (len(wording.OF_GROUPS) + 1)]
    eer, *others = (wording.figure(metric, metrics[metric]) for metric in wording.OF_GROUPS)
    return [name, *clips, eer, wording.interval("eer", ends), *others]


def _matrix(matrix: Mapping[str, Any], picture: Picture) -> dict[str, Any]:
    rows = [
        [name, *("" if value is None else f"{100 * value:.1f}" for value in values)]
        for name, values in zip(matrix["row_names"], matrix["eer"], strict=True)
    ]
    return {
        "header": [f"{matrix['rows']} / {matrix['columns']}", *matrix["column_names"]],
        "rows": rows,
        "heat": [[f"{opacity:.2f}" for opacity in row] for row in heat_of(matrix["eer"])],
        "picture": picture,
    }


@cache
def _environment(kind: str) -> Environment:
    """Templates in which whatever comes from data is escaped, unless it is `Markup`."""
    environment = Environment(
        loader=PackageLoader("crnn_hf.metrics.report"),
        autoescape=kind == "html",
        finalize=_unless_markup(_for_html if kind == "html" else escaped_for_markdown),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["raw"] = Markup
    return environment


def _for_html(text: str) -> str:
    """Printable text in which no line ends between a number and its percent sign; Jinja escapes it."""
    return wording.printable(text).replace(" %", "\N{NO-BREAK SPACE}%")


def _unless_markup(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, Markup) else change(str(value))
