"""A comparison of two detectors as text for the terminal."""

from collections.abc import Sequence

from crnn_hf.metrics.comparison import BETTER, TOO_FEW, UNDECIDED, WORSE, Comparison, Flips, Row, Table
from crnn_hf.metrics.report.wording import METRICS, figure, printable, share, shortened

MOST_ROWS = 40
MOST_NAMES = 5
NAME_WIDTH = 24


def comparison_as_text(comparison: Comparison) -> str:
    """Tables of the pooled figures and of the EER of each attack and codec, then what they come to.

    Names from data are printed without control characters, which a terminal would obey, and on one line.
    """
    parts = [_lines("pooled", comparison.pooled, of_metrics=True)]
    parts += [_table(column, table) for column, table in comparison.tables.items()]
    parts += [_notes(), summary(comparison)]
    return "\n\n".join(parts)


def summary(comparison: Comparison) -> str:
    """What got better and what got worse, in a few sentences."""
    eer = comparison.pooled[0]
    said = [f"Pooled EER {_change(eer)}: {eer.verdict}."]
    others = [row for row in comparison.pooled[1:] if row.verdict in (BETTER, WORSE)]
    if others:
        said.append("Also " + ", ".join(f"{METRICS[row.name].label} {row.verdict}" for row in others) + ".")
    for column, table in comparison.tables.items():
        said.append(_tally(column, table))
    said.append(_flips(comparison.flips["real"], "real clips", "newly called fake", "no longer"))
    said.append(_flips(comparison.flips["fake"], "fakes", "newly missed", "newly found"))
    return "\n".join(said)


def _table(column: str, table: Table) -> str:
    worst_first = sorted(table.rows, key=lambda row: -row.by_clip.difference)
    shown = worst_first
    if len(worst_first) > MOST_ROWS:
        shown = [row for row in worst_first if row.verdict in (BETTER, WORSE)]
    text = _lines(f"EER by {column}", [*shown, table.mean])
    hidden = len(worst_first) - len(shown)
    return f"{text}\nNot listed: {hidden} of no shown difference." if hidden else text


def _lines(title: str, rows: Sequence[Row], of_metrics: bool = False) -> str:
    width = max(len(title), *(min(NAME_WIDTH, len(row.name)) for row in rows))
    lines = [
        f"{title:{width}} {'real':>7} {'fake':>7} {'old':>9} {'new':>9} {'new - old':>10}   {'95 % interval':19} "
        f"{'over':8} {'p':>5}  verdict"
    ]
    for row in rows:
        metric = row.name if of_metrics else "eer"
        found = row.wider
        ends = f"{_signed(metric, found.lower)} to {_signed(metric, found.upper)}"
        chance = "" if row.p_value is None else f"{row.p_value:.3f}"
        name = METRICS[row.name].label if of_metrics else shortened(row.name, NAME_WIDTH)
        lines.append(
            f"{name:{width}} {row.real:7,} {row.fake:7,} {figure(metric, found.first):>9} "
            f"{figure(metric, found.second):>9} {_signed(metric, found.difference):>10}   {ends:19} "
            f"{'speakers' if found is row.by_speaker else 'clips':8} {chance:>5}  {row.verdict}"
        )
    return "\n".join(lines)


def _signed(metric: str, difference: float) -> str:
    return f"{100 * difference + 0.0:+.2f}" if METRICS[metric].is_share else f"{difference + 0.0:+.4f}"


def _change(row: Row) -> str:
    return f"{share(row.by_clip.first)} -> {share(row.by_clip.second)}"


def _tally(column: str, table: Table) -> str:
    """How many rows are better and worse, and which."""
    by_verdict = {verdict: [row for row in table.rows if row.verdict == verdict] for verdict in (BETTER, WORSE)}
    plural = f"{column}s"
    said = []
    for verdict, rows in by_verdict.items():
        of = f" of {len(table.rows)} {plural}" if not said else ""
        rows = sorted(rows, key=lambda row: -abs(row.by_clip.difference))
        listed = ", ".join(f"{shortened(row.name)}: {_change(row)}" for row in rows[:MOST_NAMES])
        more = f" and {len(rows) - MOST_NAMES} more" if len(rows) > MOST_NAMES else ""
        said.append(f"{verdict} on {len(rows)}{of}" + (f" ({listed}{more})" if rows else ""))
    for verdict in (UNDECIDED, TOO_FEW):
        if number := sum(row.verdict == verdict for row in table.rows):
            said.append(f"{verdict} on {number}")
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}; the mean EER over {plural} {_change(table.mean)}: {table.mean.verdict}."


def _flips(flips: Flips, clips: str, wrong: str, right: str) -> str:
    listed = ", ".join(map(printable, flips.newly_wrong[:MOST_NAMES]))
    more = f" and {len(flips.newly_wrong) - MOST_NAMES} more" if len(flips.newly_wrong) > MOST_NAMES else ""
    names = f" ({listed}{more})" if listed else ""
    return (
        f"Of the {clips}, {len(flips.newly_wrong)} are {wrong}{names} and {len(flips.newly_right)} {right} "
        f"(McNemar's exact test: p = {flips.p_value:.3f})."
    )


def _notes() -> str:
    return (
        "EERs differ in percentage points; below 0 the new model is better. Each interval is over clips or speakers,\n"
        "whichever is wider, and p is of the same draws, corrected for the rows of its table (Holm): below 0.05 the\n"
        "verdict is better or worse. None of it speaks of other attacks, codecs or rooms."
    )
