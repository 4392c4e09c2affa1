"""The pictures of a report, drawn without pyplot, which would look for a screen and keep what it draws."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from crnn_hf.metrics.detection_cost import min_dcf_index
from crnn_hf.metrics.error_rates import ErrorRates, equal_error_index, error_rates
from crnn_hf.metrics.report.curves import Bin, calibration_bins, det_points, probit
from crnn_hf.metrics.report.svg import INK, inline_svg
from crnn_hf.metrics.report.wording import score, share, shortened
from crnn_hf.metrics.trials import Trials

# Colours of Okabe and Ito's palette, which colour-blind people tell apart as well; the classes have the same ones in
# the pictures of a corpus. Nothing is told by colour alone.
COLOURS = {"real": "#0072B2", "fake": "#D55E00"}
GROUP_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7")
GROUP_STYLES = ("-", (0, (5, 1.5)), (0, (1.2, 1)), (0, (5, 1, 1.2, 1)))

WIDTH = 4.6  # inches. A point is then about a pixel on a telephone, and text of nine points can be read
DPI = 150
LOOK = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that a picture is the same everywhere
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may have dollars
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "grid.color", "xtick.color", "ytick.color"), INK
    ),
}

DET_TICKS = (0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 0.999)
DET_STEPS, DET_STEPS_OF_GROUPS = 400, 150
DET_COLUMN, DET_MOST_GROUPS = "attack", 8
HISTOGRAM_BINS = 60
MOST_GROUPS = 40  # in one picture
MATRIX_NAME = "eer_by_attack_and_codec"
STRONGEST_HEAT = 0.65  # how opaque a cell is at most: text on it must be legible in light and dark


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and what is said of it.

    Attributes:
        name: of its file, without ending.
        title: above it.
        message: what it shows, for those who do not see it.
        caption: how to read it.
        figure: as drawn.
    """

    name: str
    title: str
    message: str
    caption: str
    figure: Figure = field(repr=False)

    def svg(self) -> str:
        """An SVG element for HTML that takes its ink from the page."""
        return inline_svg(self._saved("svg", transparent=True), self.name, self.message)

    def png(self) -> bytes:
        """A PNG on white, of 150 dots an inch."""
        return self._saved("png", dpi=DPI, facecolor="white")

    def _saved(self, kind: str, **how: Any) -> bytes:
        buffer = BytesIO()
        # No date and no version, so that the same figures give the same bytes.
        metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        with _look(self.name), warnings.catch_warnings():
            # The font lacks some scripts. A page shows them nonetheless, with the reader's own fonts.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.savefig(buffer, format=kind, metadata=metadata, **how)
        return buffer.getvalue()


def main_pictures(trials: Trials, figures: Mapping[str, Any]) -> list[Picture]:
    """The DET curve, the scores of both classes, and the calibration.

    Args:
        trials: the clips.
        figures: what `crnn_hf.metrics.report.measure` made of them.
    """
    return [det_picture(trials, figures), score_picture(trials, figures), calibration_picture(trials, figures)]


def group_pictures(figures: Mapping[str, Any]) -> dict[str, Picture]:
    """The EER of each group, by the breakdown's column; none of a column that has fewer than two groups with one."""
    names = file_names(figures["breakdowns"])
    return {
        column: group_picture(column, names[column], figures)
        for column, found in figures["breakdowns"].items()
        if sum(group["metrics"] is not None for group in found["groups"]) > 1
    }


def file_names(columns: Sequence[str] | Mapping[str, Any]) -> dict[str, str]:
    """A file's name for each column, whatever it is called, that is none of another's and not the matrix's."""
    names: dict[str, str] = {}
    for column in columns:
        plain = "eer_by_" + (re.sub("[^a-z0-9]+", "_", column.lower()).strip("_")[:40] or "column")
        taken = (MATRIX_NAME, *names.values())
        alike = sum(name == plain or name.startswith(f"{plain}-") for name in taken)
        names[column] = f"{plain}-{alike + 1}" if alike else plain
    return names


def det_picture(trials: Trials, figures: Mapping[str, Any]) -> Picture:
    """Both error rates at every threshold, the EER and the minDCF marked, and the curves of a few attacks."""
    rates = error_rates(trials.scores, trials.is_fake)
    equal, cheapest = equal_error_index(rates), min_dcf_index(rates)
    eer, cost = figures["metrics"]["eer"], figures["metrics"]["min_dcf"]
    marks = [(rates.far[at], rates.frr[at]) for at in (equal, cheapest)]
    low, high = _det_limits(eer, max(max(mark) for mark in marks))
    groups = _det_groups(figures)
    with _look("det"):
        figure = Figure(figsize=(WIDTH, WIDTH + 0.19 * (2 + (len(groups) + 1) // 2)))
        axes = figure.subplots()
        handles: dict[str, Line2D] = {}
        for place, group in enumerate(groups):
            style = {
                "color": GROUP_COLOURS[place % len(GROUP_COLOURS)],
                "linestyle": GROUP_STYLES[(place + place // len(GROUP_COLOURS)) % len(GROUP_STYLES)],
                "linewidth": 1.2,
            }
            label = f"{share(group['metrics']['eer'])}  {shortened(group['name'], 16)}"
            handles[label] = _det_line(axes, _rates_of(trials, group["name"]), low, high, DET_STEPS_OF_GROUPS, style)
        whole = f"{share(eer)}  all clips" if groups else "all clips"
        marked = {whole: _det_line(axes, rates, low, high, DET_STEPS, {"color": INK, "linewidth": 1.8})}
        axes.plot(*(probit([low, high]),) * 2, color=INK, alpha=0.4, linewidth=0.8, linestyle=":")
        for (far, frr), marker, label in zip(marks, "os", (f"EER {share(eer)}", f"minDCF {cost:.4f}"), strict=True):
            ends = probit(np.clip([far, frr], low / 2, 1 - low / 2))
            (marked[label],) = axes.plot(*ends[:, None], marker, color=INK, markersize=7, zorder=5)
        if not low <= eer <= high:
            axes.text(0.5, 0.5, "the curve lies\nbeyond the axes", transform=axes.transAxes, ha="center")
        ticks = [tick for tick in DET_TICKS if low <= tick <= high]
        labels = [f"{100 * tick:g}" for tick in ticks]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(probit(ticks), labels)
        axes.set(xlim=probit([low, high]), ylim=probit([low, high]), aspect="equal")
        axes.set_xlabel("fakes taken for real, FAR [%]")
        axes.set_ylabel("real clips taken for fake, FRR [%]")
        handles = marked | handles
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2)
    of_groups = ", ".join(f"{shortened(group['name'])} {share(group['metrics']['eer'])}" for group in groups)
    return Picture(
        "det",
        "Both errors at every threshold",
        f"DET curve of false rejections over false acceptances. It crosses the line of equal errors at "
        f"{share(eer)}; the cost is lowest, with a minDCF of {cost:.4f}, where {share(marks[1][1])} of real clips "
        f"are taken for fake and {share(marks[1][0])} of fakes for real."
        + (f" Equal error rates by attack: {of_groups}." if groups else ""),
        "Each threshold is a point of the curve: the further it lies to the lower left, the fewer errors of both "
        "kinds. The axes are stretched such that normally distributed scores give a straight line."
        + (f" Percentages are EERs, by {DET_COLUMN}." if groups else ""),
        figure,
    )


def score_picture(trials: Trials, figures: Mapping[str, Any]) -> Picture:
    """How the scores of both classes are distributed, and where verdicts are made."""
    scores = trials.scores
    decision, band = figures["thresholds"]["decision"], figures["abstention"]
    low, high = np.quantile(scores, [0.001, 0.999])
    bins = np.linspace(low, high, HISTOGRAM_BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, 4)
    with _look("scores"):
        figure = Figure(figsize=(WIDTH, 3.4))
        axes = figure.subplots()
        for label, chosen in (("real", ~trials.is_fake), ("fake", trials.is_fake)):
            of_class = np.clip(scores[chosen], bins[0], bins[-1])
            # The fakes as an outline over the filled real ones, so that neither hides the other.
            colour = COLOURS[label]
            style = {
                "real": {"histtype": "stepfilled", "facecolor": (colour, 0.45), "edgecolor": colour, "linewidth": 1},
                "fake": {"histtype": "step", "color": colour, "linewidth": 1.8},
            }
            weights = np.full(len(of_class), 100 / len(of_class))
            axes.hist(of_class, bins, weights=weights, label=label, **style[label])
        axes.axvline(decision, color=INK, linestyle="--", linewidth=1.4, label=f"threshold {decision:.3g}")
        if band["upper"] > band["lower"]:
            label = f"unsure, {band['lower']:.3g} to {band['upper']:.3g}"
            axes.axvspan(band["lower"], band["upper"], color=INK, alpha=0.12, linewidth=0, zorder=0, label=label)
            for end in (band["lower"], band["upper"]):
                axes.axvline(end, color=INK, linestyle=":", linewidth=1)
        calibrated = figures["is_calibrated"]
        axes.set_xlabel("score: natural-log likelihood ratio" if calibrated else "score, higher is more real")
        axes.set_ylabel("clips of the class [%]")
        figure.legend(loc="outside lower center", ncols=2)
    return Picture(
        "scores",
        "Scores of both classes",
        f"Histograms of the scores. Half of the real clips score above {score(np.median(scores[~trials.is_fake]))}, "
        f"half of the fakes below {score(np.median(scores[trials.is_fake]))}. Of the real clips "
        f"{share(band['real_unsure'])} lie in the band in which the detector is unsure, of the fakes "
        f"{share(band['fake_unsure'])}.",
        "The less the two overlap, the fewer errors any threshold makes. The outermost bins also hold the tenth of a "
        "percent of the clips beyond them.",
        figure,
    )


def calibration_picture(trials: Trials, figures: Mapping[str, Any]) -> Picture:
    """What the scores promise, taken for log-likelihood ratios, and what share of clips is real."""
    bins = calibration_bins(trials.scores, trials.is_fake)
    counts, calibrated = figures["counts"], figures["is_calibrated"]
    prior = counts["real"] / (counts["real"] + counts["fake"])
    with _look("calibration"):
        figure = Figure(figsize=(WIDTH, WIDTH))
        axes = figure.subplots()
        axes.plot([0, 100], [0, 100], color=INK, alpha=0.6, linewidth=1, linestyle=":")
        promised, found, lower, upper, clips = (np.array(values) for values in zip(*bins, strict=True))
        axes.vlines(100 * promised, 100 * lower, 100 * upper, color=COLOURS["real"], linewidth=1.2)
        axes.plot(100 * promised, 100 * found, color=COLOURS["real"], linewidth=1)
        sizes = 15 + 185 * clips / clips.max()
        axes.scatter(100 * promised, 100 * found, sizes, color=COLOURS["real"], alpha=0.85, zorder=3, clip_on=False)
        axes.set(xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
        ticks = np.arange(0, 101, 20)
        axes.set_xticks(ticks)
        axes.set_yticks(ticks)
        axes.set_xlabel("promised: chance of being real [%]")
        axes.set_ylabel("found: share that is real [%]")
        axes.text(2, 98, "says fake too often", ha="left", va="top", alpha=0.8)
        axes.text(98, 2, "says real too often", ha="right", va="bottom", alpha=0.8)
        if calibrated is False:
            axes.set_title("not calibrated", fontsize=10)
    title, taken = {
        True: ("What the scores promise, and what holds", "The scores promise"),
        False: (
            "Not calibrated: what the scores would promise",
            "These scores are not meant as log-likelihood ratios. Taken for such, they promise",
        ),
        None: ("What the scores would promise, and what holds", "Taken for log-likelihood ratios, the scores promise"),
    }[calibrated]
    off = 100 * float(clips @ np.abs(promised - found) / clips.sum())
    return Picture(
        "calibration",
        title,
        f"Calibration curve. On average over the clips, the share of real ones is {off:.1f} percentage points off "
        f"what the scores {'promise' if calibrated else 'would promise'}. {_bins_in_words(bins)}",
        f"{taken} a chance of being real, among clips of which {share(prior)} are. On the dotted line promises "
        f"hold; they are {off:.1f} percentage points off on average. Larger points stand for more clips, from "
        f"{clips.min():,} to {clips.max():,}; bars are 95 % intervals.",
        figure,
    )


def group_picture(column: str, name: str, figures: Mapping[str, Any]) -> Picture:
    """The EER of each group with its interval, the highest first."""
    found = figures["breakdowns"][column]
    measured = _by_eer(found["groups"])
    groups = measured[:MOST_GROUPS]
    pooled, macro = figures["metrics"]["eer"], found["macro"]["eer"]
    with _look(name):
        figure = Figure(figsize=(WIDTH, 1.2 + 0.2 * len(groups)))
        axes = figure.subplots()
        places = range(len(groups))
        for place, group in enumerate(groups):
            if group["eer_interval"] is not None:
                ends = 100 * np.array(group["eer_interval"])
                axes.plot(ends, [place, place], color=COLOURS["fake"], linewidth=1.6)
        eers = [100 * group["metrics"]["eer"] for group in groups]
        axes.plot(eers, places, "o", color=COLOURS["fake"], markersize=5)
        whole = axes.axvline(100 * pooled, color=INK, linewidth=1.2, linestyle="--", zorder=0)
        mean = axes.axvline(100 * macro, color=INK, linewidth=1.2, linestyle=":", zorder=0)
        axes.set_yticks(places, [shortened(group["name"]) for group in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xlim(left=0, right=None if max(eers) > 0 else 1)
        axes.grid(False, axis="y")
        axes.set_xlabel("EER [%]")
        labels = [f"pooled {share(pooled)}", f"macro {share(macro)}"]
        figure.legend([whole, mean], labels, loc="outside lower center", ncols=2)
    worst, best = measured[0], measured[-1]
    left_out = f" The {MOST_GROUPS} highest of {len(measured)} are drawn." if len(measured) > MOST_GROUPS else ""
    return Picture(
        name,
        f"EER by {shortened(column)}",
        f"Equal error rates by {shortened(column)}, from {share(best['metrics']['eer'])} for "
        f"{shortened(best['name'])} to {share(worst['metrics']['eer'])} for {shortened(worst['name'])}.",
        f"A dot is a group's EER at its own threshold, a line its 95 % interval by clip.{left_out}",
        figure,
    )


def matrix_picture(figures: Mapping[str, Any]) -> Picture:
    """The EER by two columns as a heat map with numbers, blank where a class has no clip."""
    matrix = figures["matrix"]
    heat = heat_of(matrix["eer"])
    cells = np.array([[(*_rgb(COLOURS["fake"]), opacity) for opacity in row] for row in heat])
    rows, columns = heat.shape
    row_names, column_names = ([shortened(name, 16) for name in matrix[f"{side}_names"]] for side in ("row", "column"))
    turned = max(map(len, column_names)) > 5
    with _look(MATRIX_NAME):
        height = 0.7 + 0.26 * rows + (0.07 * max(map(len, column_names)) if turned else 0.15)
        width = max(3.2, 0.5 * columns + 0.4 + 0.075 * max(map(len, row_names)))
        figure = Figure(figsize=(width, height))
        axes = figure.subplots()
        axes.imshow(cells, aspect="auto")
        for row, values in enumerate(matrix["eer"]):
            for column, value in enumerate(values):
                if value is not None:
                    axes.text(column, row, f"{100 * value:.1f}", ha="center", va="center", fontsize=9)
        axes.set_xticks(range(columns), column_names, rotation=90 if turned else 0)
        axes.set_yticks(range(rows), row_names)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        figure.supxlabel(f"EER [%] by {matrix['rows']} and {matrix['columns']}", fontsize=9)
    return Picture(
        MATRIX_NAME,
        f"EER by {matrix['rows']} and {matrix['columns']}",
        _matrix_in_words(matrix),
        "EER in percent. The darker, the more errors; blank where a class has no clip.",
        figure,
    )


def heat_of(eer: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """How opaque the cell of each EER is, of the same shape: 0 where there is none, strongest at the highest one."""
    values = np.array([[0.0 if value is None else value for value in row] for row in eer])
    return STRONGEST_HEAT * values / (values.max() or 1.0)


@contextmanager
def _look(salt: str) -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever the user has set, for as long as one draws or saves."""
    with matplotlib.style.context(["default", LOOK | {"svg.hashsalt": salt}]):
        yield


def _det_limits(eer: float, furthest: float) -> tuple[float, float]:
    """Ends of both axes, such that all that is marked lies within where it can."""
    low = 0.0001 if eer < 0.005 else 0.001
    return low, next((high for high in (0.6, 0.9) if furthest < 0.9 * high), 0.999)


def _det_groups(figures: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The attacks that get curves of their own, the highest EER first: those of a few, or else none."""
    groups = _by_eer(figures["breakdowns"].get(DET_COLUMN, {"groups": []})["groups"])
    return groups if 2 <= len(groups) <= DET_MOST_GROUPS else []


def _by_eer(groups: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The groups that have an EER, the highest first."""
    measured = [group for group in groups if group["metrics"] is not None]
    return sorted(measured, key=lambda group: -group["metrics"]["eer"])


def _rates_of(trials: Trials, attack: str) -> ErrorRates:
    chosen = np.asarray(trials.columns[DET_COLUMN]) == attack
    # As in a breakdown: attacks tell fakes apart, and are held against all real clips.
    chosen = chosen if (chosen & ~trials.is_fake).any() else chosen | ~trials.is_fake
    return error_rates(trials.scores[chosen], trials.is_fake[chosen])


def _det_line(axes: Axes, rates: ErrorRates, low: float, high: float, steps: int, style: Mapping[str, Any]) -> Line2D:
    far, frr = det_points(rates, low, high, steps)
    # What lies beyond the axes still gives the direction in which the curve leaves them.
    far, frr = (probit(np.clip(values, low / 4, 1 - low / 4)) for values in (far, frr))
    (line,) = axes.plot(far, frr, **style)
    return line


def _bins_in_words(bins: Sequence[Bin]) -> str:
    furthest = max(bins, key=lambda found: abs(found.promised - found.found) * found.clips)
    return (
        f"Furthest off, by clips, are {furthest.clips:,} with a chance of {share(furthest.promised)}, of which "
        f"{share(furthest.found)} are real."
    )


def _matrix_in_words(matrix: Mapping[str, Any]) -> str:
    cells = [
        (value, shortened(row), shortened(column))
        for row, values in zip(matrix["row_names"], matrix["eer"], strict=True)
        for column, value in zip(matrix["column_names"], values, strict=True)
        if value is not None
    ]
    if not cells:
        return "No pair has clips of both classes."
    (least, *best), (most, *worst) = min(cells), max(cells)
    return (
        f"Equal error rates by {matrix['rows']} and {matrix['columns']}, from {share(least)} for "
        f"{' with '.join(best)} to {share(most)} for {' with '.join(worst)}."
    )


def _rgb(colour: str) -> tuple[float, float, float]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
