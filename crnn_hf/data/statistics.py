"""What a corpus is like, and whether something other than the voice tells its fakes from its real clips.

A detector takes the easiest way there is. Where the fakes of a corpus are quieter than its real clips, or begin
without a pause, it learns that, and is worthless elsewhere. So each measure here is also asked how well it separates
the classes on its own.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from datasets import Dataset
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from tqdm.auto import tqdm

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.data.columns import LABELS, UNKNOWN
from crnn_hf.metrics import equal_error_rate

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
COUNTED = ("attack", "codec", "gender")

# What each measure is called for people, its unit, its factor into that unit, and the decimals that it deserves.
MEASURES = {
    "seconds": ("Length", "s", 1, 2),
    "level": ("Level", "dB", 1, 1),
    "leading_silence": ("Leading silence", "s", 1, 2),
    "trailing_silence": ("Trailing silence", "s", 1, 2),
    "zeros": ("Digital zeros", "%", 100, 2),
    "band_width": ("Band width", "Hz", 1, 0),
}

LEVEL_FLOOR = -120.0  # dB, instead of minus infinity; the last of 16 bits is at -90 dB
SILENCE_FRAME = 0.02  # seconds
SILENCE_BELOW = 40.0  # dB under the loudest frame
SPECTRUM_FRAME = 1024  # samples
SPECTRUM_BLOCK = 64  # frames transformed at once, so that neither the cache nor long recordings overflow
SHARE_OF_ENERGY = 0.99
BATCH = 16  # clips held in memory by each worker

# Colours of Okabe and Ito's palette, which colour-blind people tell apart as well.
COLOURS = {"real": "#0072B2", "fake": "#D55E00"}


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """The clips of one class.

    Attributes:
        values: by the names in `MEASURES`, (clips,), float64; `measure` says what they are.
    """

    values: dict[str, NDArray[np.float64]]

    @property
    def clips(self) -> int:
        """How many could be read."""
        return len(self.values["seconds"])

    def quantiles(self, name: str) -> tuple[float, ...]:
        """The values of a measure below which 5, 25, 50, 75 and 95 % of the clips lie."""
        return tuple(np.quantile(self.values[name], QUANTILES).tolist())


@dataclass(frozen=True, eq=False)
class Statistics:
    """What `describe` found. Clips that could not be read are named in `unreadable` and counted nowhere else.

    Attributes:
        clips: how many could be read.
        hours: how long they are together.
        speakers: how many different ones are known.
        by_class: the clips of "real" and of "fake"; a class without any is absent.
        separation: by measure, the EER in [0, 0.5] of a detector that knows it alone and in which direction to take
            it: 0.5 tells nothing, 0 tells all. Empty where there is but one class.
        counts: for "attack", "codec" and "gender", by value, how many clips are (real, fake).
        unreadable: name of each clip that could not be read, and why.
    """

    clips: int
    hours: float
    speakers: int
    by_class: dict[str, ClassStatistics]
    separation: dict[str, float]
    counts: dict[str, dict[str, tuple[int, int]]]
    unreadable: tuple[tuple[str, str], ...] = field(repr=False)


def describe(dataset: Dataset, sampling_rate: int = 16_000, progress: bool = True, workers: int = 1) -> Statistics:
    """Decode and measure every clip, and say what the corpus is like.

    A clip that cannot be read stops nothing: it is named in the result, and counted nowhere else.

    Args:
        dataset: rows with the columns of `crnn_hf.data.columns`.
        sampling_rate: in Hz; clips of another rate are resampled before they are measured.
        progress: show a progress bar.
        workers: threads that decode and measure. The longer the clips, the more they gain: two were 1.2 times as fast
            as one with clips of 3 s, and 1.6 times with 13 s.

    Raises:
        ValueError: `workers` or `sampling_rate` is not positive.
    """
    # In Arrow's format, nothing decodes the audio or transforms it before it comes here.
    arrow = dataset.select_columns(["audio", "label", "speaker", *COUNTED]).with_format("arrow")
    table = np.full((len(dataset), len(MEASURES)), np.nan)
    unreadable = []
    for row, result in enumerate(_measured(arrow.select_columns("audio"), sampling_rate, progress, workers)):
        if isinstance(result, AudioReadError):
            unreadable.append((result.name, result.reason))
        else:
            table[row] = [result[name] for name in MEASURES]
    readable = np.isfinite(table).all(axis=1)

    def column(name: str) -> NDArray:
        return np.array(arrow.select_columns(name)[:][name].to_pylist())[readable]

    labels = column("label")
    values = dict(zip(MEASURES, table[readable].T, strict=True))
    present = [label for label in range(len(LABELS)) if label in labels]
    return Statistics(
        clips=int(readable.sum()),
        hours=float(values["seconds"].sum()) / 3600,
        speakers=len(set(column("speaker").tolist()) - {UNKNOWN}),
        by_class={
            LABELS[label]: ClassStatistics({name: of_all[labels == label] for name, of_all in values.items()})
            for label in present
        },
        separation={name: _separation(of_all, labels) for name, of_all in values.items()} if len(present) == 2 else {},
        counts={name: _counts(column(name).tolist(), labels.tolist()) for name in COUNTED},
        unreadable=tuple(unreadable),
    )


def measure(waveform: NDArray[np.float32], sampling_rate: int) -> dict[str, float]:
    """What can be said of a clip without knowing what it says, by the names in `MEASURES`.

    - `seconds`: its length.
    - `level`: RMS in dB relative to full scale, where a square wave of full scale has 0 dB and a sine -3 dB; silence
      and what is close to it have -120 dB.
    - `leading_silence`, `trailing_silence`: seconds before the first and after the last frame of 20 ms that is less
      than 40 dB under the loudest one. Where every sample is zero, both are the whole length. Noise within 40 dB of
      the voice is no silence.
    - `zeros`: share of samples, in [0, 1], that are exactly zero. Resampling leaves few.
    - `band_width`: the frequency in Hz below which 99 % of the energy lie, in steps of a 1024th of the sampling rate;
      0 where every sample is zero. A constant offset counts as energy at 0 Hz.

    Args:
        waveform: (samples,), one or more, finite.
        sampling_rate: in Hz.

    Returns:
        Finite numbers.
    """
    # Not even the largest float32 overflows when squared in float64.
    samples = waveform.astype(np.float64)
    leading, trailing = _edge_silence(samples, sampling_rate)
    rms = np.sqrt(np.mean(np.square(samples)))
    return {
        "seconds": len(samples) / sampling_rate,
        "level": float(20 * np.log10(max(rms, 10 ** (LEVEL_FLOOR / 20)))),
        "leading_silence": leading,
        "trailing_silence": trailing,
        "zeros": 1 - np.count_nonzero(samples) / len(samples),
        "band_width": _band_width(samples, sampling_rate),
    }


def as_table(statistics: Statistics) -> str:
    """The figures as Markdown that can be read as it is: a row a measure and class, then the counts."""
    lines = [
        f"{statistics.clips:,} clips, {statistics.hours:.2f} hours, {statistics.speakers:,} known speakers",
        *_unreadable_lines(statistics.unreadable),
        "",
        *_markdown(
            ["measure", "class", "clips", *(f"{quantile:.0%}" for quantile in QUANTILES), "EER alone"],
            [_measure_row(statistics, name, label) for name in MEASURES for label in statistics.by_class],
            text_columns=2,
        ),
        "",
        "EER alone: how well the measure by itself tells real from fake. 50 % tells nothing, 0 % tells all: the",
        "lower, the more a detector can learn from it instead of from the voice. It sees what is higher or lower, but",
        "not what varies more; the quantiles show that.",
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


def draw(statistics: Statistics, path: str | os.PathLike[str]) -> None:
    """Write a PNG of 1800 x 1050 pixels with a histogram of each measure, both classes in one; its folder is made.

    Of each measure, the outermost bins also hold the half percent of the clips beyond them.

    Raises:
        ValueError: no clip could be read.
    """
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    if not statistics.clips:
        raise ValueError("nothing to draw: no clip could be read")
    # Without pyplot, which would look for a screen.
    figure = Figure(figsize=(12, 7), dpi=150, layout="constrained")
    for axes, (name, (title, unit, factor, _)) in zip(figure.subplots(2, 3).flat, MEASURES.items(), strict=True):
        values = {label: factor * found.values[name] for label, found in statistics.by_class.items()}
        low, high = np.quantile(np.concatenate(list(values.values())), [0.005, 0.995])
        bins = np.linspace(low, high, 41) if high > low else np.linspace(low - 0.5, high + 0.5, 42)
        for label, of_class in values.items():
            shares = np.full(len(of_class), 100 / len(of_class))
            # The fakes as an outline over the filled real ones, so that neither hides the other.
            style = {"alpha": 0.5} if label == "real" else {"histtype": "step", "linewidth": 1.8}
            axes.hist(
                np.clip(of_class, bins[0], bins[-1]), bins, weights=shares, color=COLOURS[label], label=label, **style
            )
        separation = statistics.separation.get(name)
        axes.set_title(title if separation is None else f"{title}: EER alone {separation:.1%}")
        axes.set_xlabel(f"{title.lower()} [{unit}]")
        axes.set_ylabel("clips of the class [%]")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    numbers = [f"{label} ({statistics.by_class[label].clips:,} clips)" for label in labels]
    figure.legend(handles, numbers, loc="outside upper center", ncols=2, frameon=False)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def _measured(
    audio: Dataset, sampling_rate: int, progress: bool, workers: int
) -> Iterator[dict[str, float] | AudioReadError]:
    """Each clip's measures, or why it could not be read, in the order of the rows."""
    if workers < 1 or sampling_rate <= 0:
        raise ValueError(f"expected positive workers and sampling rate; found {workers} and {sampling_rate}")
    # Threads, for decoding and transforming leave Python's lock to others; processes would each have to load PyTorch.
    with (
        ThreadPoolExecutor(workers) as pool,
        tqdm(total=len(audio), desc="Measuring", unit="clip", disable=not progress) as bar,
    ):
        for batch in pool.map(partial(_measure_batch, audio, sampling_rate), range(0, len(audio), BATCH)):
            yield from batch
            bar.update(len(batch))


def _measure_batch(audio: Dataset, sampling_rate: int, begin: int) -> list[dict[str, float] | AudioReadError]:
    """The measures of the clips from `begin` on, or why they could not be read."""
    results: list[dict[str, float] | AudioReadError] = []
    for clip in audio[begin : begin + BATCH]["audio"].to_pylist():
        try:
            results.append(measure(read_audio(clip["bytes"], sampling_rate, name=clip["path"]), sampling_rate))
        except AudioReadError as error:
            results.append(error)
    return results


def _edge_silence(samples: NDArray[np.float64], sampling_rate: int) -> tuple[float, float]:
    """Seconds of silence at the beginning and at the end, as `measure` says."""
    frame = max(1, round(SILENCE_FRAME * sampling_rate))
    begins = np.arange(0, len(samples), frame)
    # The last frame may be cut short. As if zeros followed, lest a click of some samples pass for the loudest frame.
    energy = np.add.reduceat(np.square(samples), begins)
    loud = np.flatnonzero((energy > 0) & (energy >= energy.max() * 10 ** (-SILENCE_BELOW / 10)))
    if not len(loud):
        return len(samples) / sampling_rate, len(samples) / sampling_rate
    leading, trailing = int(begins[loud[0]]), max(0, len(samples) - int(begins[loud[-1]]) - frame)
    return leading / sampling_rate, trailing / sampling_rate


def _band_width(samples: NDArray[np.float64], sampling_rate: int) -> float:
    """Frequency in Hz below which 99 % of the energy lie."""
    # Frames overlap by half, and begin half a frame early, so that the window does not pass over any sample.
    hop = SPECTRUM_FRAME // 2
    padded = np.pad(samples, (hop, hop + -len(samples) % hop))
    frames = sliding_window_view(padded, SPECTRUM_FRAME)[::hop]
    energy = np.zeros(hop + 1)
    for begin in range(0, len(frames), SPECTRUM_BLOCK):
        spectrum = np.fft.rfft(frames[begin : begin + SPECTRUM_BLOCK] * np.hanning(SPECTRUM_FRAME))
        energy += np.sum(np.square(spectrum.real) + np.square(spectrum.imag), axis=0)
    cumulated = np.cumsum(energy)
    reached = np.searchsorted(cumulated, SHARE_OF_ENERGY * cumulated[-1])
    return float(reached * sampling_rate / SPECTRUM_FRAME)


def _separation(values: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The EER of the measure taken for a score, in the better direction."""
    scores = _ties_mixed(values, labels)
    # No worse than to toss a coin, though with few clips the EER of both directions can be.
    return min(equal_error_rate(scores, labels), equal_error_rate(-scores, labels), 0.5)


def _ties_mixed(values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores in the order of the values, with the classes evenly mixed among equal values.

    `equal_error_rate` puts the real clips first among equal ones, which is the worst there is for a detector: a
    measure that is the same for every clip would have an EER of 100 %. Mixed, it has 50 %. Many clips have no
    digital zeros, or the same edge silence.
    """
    rank = np.unique(values, return_inverse=True)[1]
    scores = rank.astype(np.float64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        mine = mine[np.argsort(rank[mine], kind="stable")]
        sizes = np.bincount(rank[mine])
        before = np.cumsum(sizes) - sizes
        place = np.arange(len(mine)) - before[rank[mine]]
        scores[mine] += (place + 0.5) / sizes[rank[mine]]
    return scores


def _counts(values: Sequence[str], labels: Sequence[int]) -> dict[str, tuple[int, int]]:
    """How many clips of each value are real and how many fake, in the order of the values' names."""
    numbers = Counter(zip(values, labels, strict=True))
    return {value: (numbers[value, 0], numbers[value, 1]) for value in sorted(set(values))}


def _measure_row(statistics: Statistics, name: str, label: str) -> list[str]:
    """A row of the table; what both classes have in common stands in the first of them."""
    title, unit, factor, decimals = MEASURES[name]
    found = statistics.by_class[label]
    first = label == next(iter(statistics.by_class))
    separation = statistics.separation.get(name)
    return [
        f"{title} [{unit}]" if first else "",
        label,
        f"{found.clips:,}",
        *(f"{factor * value:.{decimals}f}" for value in found.quantiles(name)),
        "" if not first else "-" if separation is None else f"{100 * separation:.1f} %",
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
