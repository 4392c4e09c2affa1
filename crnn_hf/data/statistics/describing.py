"""A corpus measured: its clips by class, and what tells the classes apart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm

from crnn_hf.audio import AudioReadError
from crnn_hf.data.columns import LABELS, UNKNOWN
from crnn_hf.data.reading import waveform_of
from crnn_hf.data.statistics.measuring import MEASURES, measure
from crnn_hf.data.statistics.separation import Separation, SeparationTogether, separation, separation_together

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
COUNTED = ("attack", "codec", "gender")
BATCH = 16  # clips held in memory by each worker


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
        separation: by measure, how well it alone tells the classes apart. Empty where there is but one class.
        together: how well all of them do; None where a class has fewer than two clips.
        counts: for "attack", "codec" and "gender", by value, how many clips are (real, fake).
        unreadable: name of each clip that could not be read, and why.
    """

    clips: int
    hours: float
    speakers: int
    by_class: dict[str, ClassStatistics]
    separation: dict[str, Separation]
    together: SeparationTogether | None
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
    both = len(present) == len(LABELS)
    return Statistics(
        clips=int(readable.sum()),
        hours=float(values["seconds"].sum()) / 3600,
        speakers=len(set(column("speaker").tolist()) - {UNKNOWN}),
        by_class={
            LABELS[label]: ClassStatistics({name: of_all[labels == label] for name, of_all in values.items()})
            for label in present
        },
        separation={name: separation(of_all, labels) for name, of_all in values.items()} if both else {},
        together=separation_together(table[readable], labels, column("speaker")) if both else None,
        counts={name: _counts(column(name).tolist(), labels.tolist()) for name in COUNTED},
        unreadable=tuple(unreadable),
    )


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
            results.append(measure(waveform_of(clip, sampling_rate), sampling_rate))
        except AudioReadError as error:
            results.append(error)
        except OSError as error:
            results.append(AudioReadError(clip["path"], str(error.strerror)))
    return results


def _counts(values: Sequence[str], labels: Sequence[int]) -> dict[str, tuple[int, int]]:
    """How many clips of each value are real and how many fake, in the order of the values' names."""
    numbers = Counter(zip(values, labels, strict=True))
    return {value: (numbers[value, 0], numbers[value, 1]) for value in sorted(set(values))}
