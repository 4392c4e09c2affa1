"""Many recordings, one detector: windows of whichever recordings share its batches."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn_hf.audio import AudioReadError
from crnn_hf.inference.background import in_background
from crnn_hf.inference.recordings.hearing import Hearing, Listening
from crnn_hf.inference.recordings.scale import Part
from crnn_hf.inference.recordings.sources import blocks_of, name_of
from crnn_hf.inference.waveforms import UnheardError

# What 32-bit integers come to if they are not scaled. Far beyond, the power of a frame is more than float32 holds.
LOUDEST = 2.0**31

Score = Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float64]]


@dataclass
class _Entry:
    """A recording on its way to a result."""

    name: str
    hearing: Hearing
    fault: Exception | None = None
    waiting: int = 0  # windows without a score
    has_ended: bool = False

    @property
    def is_done(self) -> bool:
        return self.has_ended and (self.fault is not None or self.waiting == 0)

    @property
    def outcome(self) -> Hearing | Exception:
        return self.hearing if self.fault is None else self.fault


# Windows that share a call of the model, each with its recording.
_Batch = list[tuple[_Entry, Part]]


class Judge:
    """Hears recordings one after the other, and gives each one's hearing, with its scores, in the same order."""

    def __init__(
        self,
        score: Score,
        sampling_rate: int,
        listening: Listening,
        batch_size: int,
        workers: int = 0,
        threads: int = 1,
    ) -> None:
        """`score` gives the score of each waveform of a batch, as [`crnn_hf.inference.waveforms.score_waveforms`].

        With `workers` several batches are scored at a time, by so many threads of the interpreter, in each of which
        PyTorch uses `threads`, while recordings are read on.

        Raises:
            ValueError: `batch_size` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; found {batch_size}")
        self.score = score
        self.sampling_rate = sampling_rate
        self.listening = listening
        self.batch_size = batch_size
        self.workers = workers
        self.threads = threads
        # Whole windows wait with those of their length, so that none is padded; shorter ones, of short recordings,
        # with each other.
        self._queues: dict[int, _Batch] = defaultdict(list)
        self._entries: deque[_Entry] = deque()

    def hear(self, recordings: Iterable[Any]) -> Iterator[Hearing | Exception]:
        """Each recording's hearing, or what is wrong with it: AudioReadError, OSError or ValueError.

        A recording's result comes as soon as all its windows have been scored, which may be with those of the next
        ones.

        Raises:
            ValueError: the model gives logits that are not finite numbers.
        """
        for batch, scores in in_background(self._scored, self._batches(recordings), self.workers, self.threads):
            for (entry, part), score in zip(batch, scores, strict=True):
                entry.waiting -= 1
                if isinstance(score, Exception):
                    entry.fault = score
                else:
                    part.note(score)
            while self._entries and self._entries[0].is_done:
                yield self._entries.popleft().outcome

    def _batches(self, recordings: Iterable[Any]) -> Iterator[_Batch]:
        for recording in recordings:
            entry = _Entry(name_of(recording), Hearing(self.sampling_rate, self.listening))
            self._entries.append(entry)
            try:
                for block in blocks_of(recording, self.sampling_rate):
                    if (peak := np.abs(block).max(initial=0)) > LOUDEST:
                        raise AudioReadError(entry.name, f"samples up to {peak:g}; expected a full scale of 1.0")
                    yield from self._full(entry, entry.hearing.hear(block))
                yield from self._full(entry, entry.hearing.end())
            except (OSError, ValueError) as fault:
                entry.fault = fault
            entry.has_ended = True
            if len(self._entries) > self.batch_size:
                yield from self._rest()  # a lone window would hold up all results that follow its recording's
            if entry.is_done:
                yield []
        yield from self._rest()

    def _full(self, entry: _Entry, parts: list[Part]) -> Iterator[_Batch]:
        """The batches that are full once these windows wait too."""
        for part in parts:
            key = len(part.waveform) if part.is_whole else 0
            self._queues[key].append((entry, part))
            entry.waiting += 1
            if len(self._queues[key]) == self.batch_size:
                yield self._taken(key)

    def _rest(self) -> Iterator[_Batch]:
        for key in list(self._queues):
            yield self._taken(key)

    def _taken(self, key: int) -> _Batch:
        """What waits in a queue, but for the windows of a recording that turned out to be faulty."""
        return [(entry, part) for entry, part in self._queues.pop(key) if entry.fault is None]

    def _scored(self, batch: _Batch) -> tuple[_Batch, list[float | Exception]]:
        """A batch with the score of each window; one that gives no features is its own recording's fault alone."""
        try:
            return batch, self.score([part.waveform for _, part in batch]).tolist() if batch else []
        except UnheardError as error:
            if len(batch) == 1:
                return batch, [AudioReadError(batch[0][0].name, str(error))]
            return batch, [score for pair in batch for score in self._scored([pair])[1]]
