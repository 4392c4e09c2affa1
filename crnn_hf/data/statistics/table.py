"""A corpus's figures as a table for people."""

from collections.abc import Iterable, Iterator, Sequence

from crnn_hf.data.columns import LABELS
from crnn_hf.data.statistics.describing import QUANTILES, Statistics
from crnn_hf.data.statistics.measuring import MEASURES
from crnn_hf.data.statistics.separation import Separation, SeparationTogether


def as_table(statistics: Statistics) -> str:
    """The figures as Markdown that can be read as it is: a row a measure and class, then the counts."""
    lines = [
        f"{statistics.clips:,} clips, {statistics.hours:.2f} hours, {statistics.speakers:,} known speakers",
        *_unreadable_lines(statistics.unreadable),
        "",
        *_markdown(
            ["measure", "class", "clips", *(f"{quantile:.0%}" for quantile in QUANTILES)],
            [_measure_row(statistics, name, label) for name in MEASURES for label in statistics.by_class],
            text_columns=2,
        ),
        "",
        *separation_lines(statistics),
        "",
        *_markdown(
            ["column", "value", *LABELS],
            [
                [name, value, *(f"{number:,}" for number in numbers)]
                for name, values in statistics.counts.items()
                for value, numbers in values.items()
            ],
            text_columns=2,
        ),
    ]
    return "\n".join(lines) + "\n"


def separation_lines(statistics: Statistics) -> list[str]:
    """How well each measure alone tells the classes apart, and all together, as a table, the worst shortcut first."""
    if not statistics.separation:
        return ["Where there is but one class, nothing tells classes apart."]
    worst_first = sorted(statistics.separation.items(), key=lambda found: found[1].eer)
    rows = [[MEASURES[name].title, *_figures(alone), alone.higher] for name, alone in worst_first]
    if statistics.together is not None:
        rows.append(["all together", *_figures(statistics.together), ""])
    explanation = [
        "EER alone: how well the measure by itself tells real from fake, taken in the better of its two directions.",
        "50 % tells nothing, 0 % tells all: the lower, the more a detector can learn from it instead of the voice.",
        "It sees what is higher or lower, but not what varies more; the quantiles show that.",
    ]
    if statistics.together is not None:
        others = "speakers" if statistics.together.held_out == "speaker" else "clips"
        explanation.append(
            f"All together: by logistic regression, each clip by one that was fitted to other {others}."
        )
    table = _markdown(["measure", "EER alone", "95 % over clips", "more of it"], rows, text_columns=1)
    return [*table, "", *explanation]


def _figures(found: Separation | SeparationTogether) -> list[str]:
    lower, upper = found.interval
    return [f"{100 * found.eer:.1f} %", f"{100 * lower:.1f} to {100 * upper:.1f} %"]


def _measure_row(statistics: Statistics, name: str, label: str) -> list[str]:
    """A row of the table; what both classes have in common stands in the first of them."""
    measure = MEASURES[name]
    found = statistics.by_class[label]
    return [
        f"{measure.title} [{measure.unit}]" if label == next(iter(statistics.by_class)) else "",
        label,
        f"{found.clips:,}",
        *(f"{measure.factor * value:.{measure.decimals}f}" for value in found.quantiles(name)),
    ]


def _unreadable_lines(unreadable: Sequence[tuple[str, str]], most: int = 10) -> Iterator[str]:
    """Which clips could not be read, the first of them by name."""
    if unreadable:
        yield f"{len(unreadable):,} more could not be read, and are counted nowhere:"
        yield ""
        yield from (f"- {name}: {reason}" for name, reason in unreadable[:most])
        if len(unreadable) > most:
            yield f"- and {len(unreadable) - most:,} more"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int) -> Iterator[str]:
    """A table whose columns are padded to one width: text to the left, numbers to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * width if column < text_columns else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    for row in (header, rule, *rows):
        cells = [
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"| {' | '.join(cells)} |"
