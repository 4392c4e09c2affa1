"""Many recordings, one detector: windows of whichever recordings share its batches."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn_hf.audio import AudioReadError
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

    @property
    def is_done(self) -> bool:
        return self.fault is not None or self.waiting == 0

    @property
    def outcome(self) -> Hearing | Exception:
        return self.hearing if self.fault is None else self.fault


class Judge:
    """Hears recordings one after the other, and gives each one's hearing, with its scores, in the same order."""

    def __init__(self, score: Score, sampling_rate: int, listening: Listening, batch_size: int) -> None:
        """`score` gives the score of each waveform of a batch, as [`crnn_hf.inference.waveforms.score_waveforms`].

        Raises:
            ValueError: `batch_size` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; found {batch_size}")
        self.score = score
        self.sampling_rate = sampling_rate
        self.listening = listening
        self.batch_size = batch_size
        # Whole windows wait with those of their length, so that none is padded; shorter ones, of short recordings,
        # with each other.
        self._queues: dict[int, list[tuple[_Entry, Part]]] = defaultdict(list)

    def hear(self, recordings: Iterable[Any]) -> Iterator[Hearing | Exception]:
        """Each recording's hearing, or what is wrong with it: AudioReadError, OSError or ValueError.

        A recording's result comes as soon as all its windows have been scored, which may be with those of the next.

        Raises:
            ValueError: the model gives logits that are not finite numbers.
        """
        entries: deque[_Entry] = deque()
        for recording in recordings:
            entries.append(self._heard(recording))
            if len(entries) > self.batch_size:
                self._run_all()  # a lone window would hold up all results that follow its recording's
            while entries and entries[0].is_done:
                yield entries.popleft().outcome
        self._run_all()
        yield from (entry.outcome for entry in entries)

    def _heard(self, recording: Any) -> _Entry:
        entry = _Entry(name_of(recording), Hearing(self.sampling_rate, self.listening))
        try:
            for block in blocks_of(recording, self.sampling_rate):
                if (peak := np.abs(block).max(initial=0)) > LOUDEST:
                    raise AudioReadError(entry.name, f"samples up to {peak:g}; expected a full scale of 1.0")
                self._enqueue(entry, entry.hearing.hear(block))
            self._enqueue(entry, entry.hearing.end())
        except (OSError, ValueError) as fault:
            entry.fault = fault
        return entry

    def _enqueue(self, entry: _Entry, parts: list[Part]) -> None:
        for part in parts:
            key = len(part.waveform) if part.is_whole else 0
            self._queues[key].append((entry, part))
            entry.waiting += 1
            if len(self._queues[key]) == self.batch_size:
                self._run(key)

    def _run_all(self) -> None:
        for key in list(self._queues):
            self._run(key)

    def _run(self, key: int) -> None:
        """Score what waits in a queue; a window that gives no features is its own recording's fault alone."""
        parts = [(entry, part) for entry, part in self._queues.pop(key) if entry.fault is None]
        try:
            scores = self.score([part.waveform for _, part in parts]) if parts else []
        except UnheardError as error:
            if len(parts) > 1:
                for pair in parts:
                    self._queues[key] = [pair]
                    self._run(key)
            else:
                parts[0][0].fault = AudioReadError(parts[0][0].name, str(error))
            return
        for (entry, part), score in zip(parts, scores, strict=True):
            part.note(float(score))
            entry.waiting -= 1
