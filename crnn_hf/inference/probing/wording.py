"""A probe in plain words."""

from collections.abc import Iterator
from textwrap import fill

from crnn_hf.data.statistics import MEASURES
from crnn_hf.data.statistics.table import separation_lines
from crnn_hf.inference.probing.changes import CHANGES
from crnn_hf.inference.probing.measuring import Movement, Probe
from crnn_hf.inference.probing.record import in_spreads
from crnn_hf.metrics.report.wording import printable

KINDS = ("level", "DC", "silence", "length", "band width")
# Up to how many spreads the middle clip may move for the score to be said to follow a change like this; or beyond.
FOLLOWS = ((0.01, "does not follow"), (0.05, "hardly follows"), (0.2, "follows"), (float("inf"), "strongly follows"))
FOLLOWING = FOLLOWS[1][0]  # the least of what is more than hardly
TELLING = 0.45  # EER of a measure alone under which, all over its interval, it tells the classes apart
MOST_NAMES = 5
WIDTH = 119  # characters of a line


def as_text(found: Probe) -> str:
    """What `probe` found, for the terminal: what tells the classes apart, then what the score follows.

    Names from data are printed without control characters, which a terminal would obey.
    """
    paragraphs = [_interpretation(found, kind) for kind in KINDS]
    return "\n".join(
        [
            "1. What gives the class away in these clips, without listening to the voice",
            "",
            *separation_lines(found.statistics),
            "",
            "2. What the score follows when nothing else changes",
            "",
            *_filled(_scores(found)),
            "",
            *_table(found),
            "",
            *_filled(_legend(found)),
            "",
            *(line for paragraph in paragraphs if paragraph for line in (*_filled(paragraph), "")),
            *_left_out(found),
        ]
    )


def _filled(text: str) -> list[str]:
    return fill(text, WIDTH).splitlines()


def _scores(found: Probe) -> str:
    lower, upper = found.quartiles
    eer = "" if found.eer is None else f", with an EER of {_percent(found.eer)}"
    return (
        f"{found.real:,} real clips and {found.fake:,} fakes were scored as they are{eer}. The middle half of the "
        f"scores lies from {lower:+.2f} to {upper:+.2f}: a spread of {found.spread:.2f}. Moves are told in spreads, "
        "so that detectors can be compared."
    )


def _table(found: Probe) -> Iterator[str]:
    rates = "" if found.eer is None else f"  {'all':>6} {'fakes':>6} {'real':>6}"
    over = "" if found.eer is None else f"  {'EER, changed are':>20}"
    width = 2 + max(len(CHANGES[name].title) for name in found.movements)
    yield f"{'':{width}} {'':>6}  {'size of move':>13}  {'mean move':>13}  {'other':>8}{over}".rstrip()
    yield (
        f"{'change':{width}} {'clips':>6}  {'median':>6} {'95 %':>6}  {'real':>6} {'fake':>6}  {'verdict':>8}{rates}"
    )
    for kind in KINDS:
        yield kind
        for name, moved in found.movements.items():
            if CHANGES[name].kind == kind:
                yield f"  {CHANGES[name].title:{width - 2}} {_row(moved, found.spread)}"


def _row(moved: Movement, spread: float) -> str:
    size = f"{_share(moved.median, spread):>6} {_share(moved.percentile_95, spread):>6}"
    mean = f"{_share(moved.mean_real, spread, '+'):>6} {_share(moved.mean_fake, spread, '+'):>6}"
    verdict = "-" if moved.verdicts is None else _percent(moved.verdicts)
    rates = "" if moved.eer is None else "  " + " ".join(f"{_percent(rate):>6}" for rate in moved.eer)
    return f"{moved.clips:>6,}  {size}  {mean}  {verdict:>8}{rates}"


def _share(move: float | None, spread: float, sign: str = "") -> str:
    """A move in spreads, to two decimals."""
    relative = in_spreads(move, spread)
    return "-" if relative is None else f"{round(relative, 2) + 0.0:{sign}.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _legend(found: Probe) -> str:
    text = (
        "Size of move: half of the clips move by less than the median, 95 % by less than the other figure. Mean move: "
        "of each class, positive towards real. Other verdict: clips that are now called something else. "
    )
    if found.eer is None:
        return f"{text}There is but one class, so that there is no EER."
    return (
        f"{text}EER: with every clip changed, with the fakes alone, with the real clips alone; a detector that "
        f"listens to the voice keeps {_percent(found.eer)} in all three. A clip that is left out keeps its score."
    )


def _interpretation(found: Probe, kind: str) -> str:
    """What the figures of one kind mean, in a paragraph; empty where no clip could be changed."""
    sentences, follows = [], False
    for takes_voice in (False, True):
        moved = {
            name: moved
            for name, moved in found.movements.items()
            if (CHANGES[name].kind, CHANGES[name].takes_voice) == (kind, takes_voice) and moved.median is not None
        }
        if not moved:
            continue
        name, strongest = max(moved.items(), key=lambda item: item[1].median)
        size = in_spreads(strongest.median, found.spread) or 0.0
        words = next(words for limit, words in FOLLOWS if size < limit)
        subject = "Where some of the voice goes with it, the score" if takes_voice else "The score"
        sentences.append(
            f"{subject} {words} it: {CHANGES[name].title}, the strongest change, moves half of the clips by "
            f"{size:.2f} spreads or more and changes {_percent(strongest.verdicts)} of the verdicts."
        )
        if size >= FOLLOWING:
            follows = True
            sentences += _consequences(strongest, found.spread, takes_voice)
    if not sentences:
        return ""
    return " ".join([f"{kind[0].upper()}{kind[1:]}.", *sentences, *_in_these_clips(found, kind, follows)])


def _consequences(moved: Movement, spread: float, takes_voice: bool) -> Iterator[str]:
    """What a change does that the score follows."""
    means = moved.mean_real, moved.mean_fake
    if None not in means and min(map(abs, means)) >= FOLLOWING * spread and means[0] * means[1] > 0:
        side = "real" if means[0] > 0 else "fake"
        yield f"Real clips and fakes alike move towards {side}: it passes for a sign of a {side} voice."
    if moved.eer is None:
        return
    yield (
        f"Were the fakes alone like this, the EER would be {_percent(moved.eer.fakes)}; were the real clips, "
        f"{_percent(moved.eer.real)}."
    )
    if takes_voice:
        yield (
            "Less voice is less evidence: that the EER is worse with every clip changed is no fault. That it hangs on "
            "which class is changed is one."
        )


def _in_these_clips(found: Probe, kind: str, follows: bool) -> Iterator[str]:
    """What it means together with how far measures of that kind tell these classes apart."""
    alone = {name: alone for name, alone in found.statistics.separation.items() if MEASURES[name].kind == kind}
    if not alone:
        return
    name, best = min(alone.items(), key=lambda item: item[1].eer)
    title = MEASURES[name].title
    told = f"{title[0].lower()}{title[1:]} alone tells these classes apart with an EER of {_percent(best.eer)}"
    if best.interval[1] >= TELLING:
        if follows:
            yield (
                f"These clips hardly reward it: the best measure, {title[0].lower()}{title[1:]}, has an EER of "
                f"{_percent(best.eer)} alone. Where real clips and fakes do differ in it, expect errors."
            )
    elif follows:
        yield f"Beware: {told}, and some of the detector's own success may be owed to that."
    else:
        yield f"Though {told}, the score makes no use of it."


def _left_out(found: Probe) -> Iterator[str]:
    """Which clips were not changed, and why, the first of them by name."""
    told: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, moved in found.movements.items():
        if moved.left_out:
            told.setdefault(tuple(moved.left_out.items()), []).append(CHANGES[name].title)
    if told:
        yield "Left out, for there is nothing to change in them, or too little is left to score:"
    for clips, titles in told.items():
        names = ", ".join(printable(name) for name, _ in clips[:MOST_NAMES])
        more = f" and {len(clips) - MOST_NAMES:,} more" if len(clips) > MOST_NAMES else ""
        reasons = " or ".join(dict.fromkeys(printable(reason) for _, reason in clips))
        text = f"- {' and '.join(titles)}: {len(clips):,} clips, each of which {reasons}: {names}{more}"
        yield from fill(text, WIDTH, subsequent_indent="  ").splitlines()
