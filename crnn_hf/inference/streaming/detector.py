"""A detector that listens live: push samples of any number, get the verdict on all that was heard so far."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crnn_hf.audio import StreamingResampler, mono_samples
from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.recordings.hearing import Listening
from crnn_hf.inference.streaming.carried import Carried, can_be_carried
from crnn_hf.inference.streaming.running import Due, Running, Standing
from crnn_hf.inference.verdicts import verdict
from crnn_hf.inference.waveforms import UnheardError, score_waveforms


@dataclass(frozen=True)
class StreamVerdict:
    """What a detector says of a live recording until now.

    Attributes:
        label: "real", "fake", or "unsure" where the detector abstains or too little was heard.
        score: of all that was heard, higher for real; None before the first step.
        probability: that it is fake, or None of a detector without calibration.
        latest: the score of the last window alone, which changes faster.
        seconds: how much was heard, in whole steps.
        sounding: how much of that is no pause, in seconds.
    """

    label: str
    score: float | None
    probability: float | None
    latest: float | None
    seconds: float
    sounding: float


class StreamingDetector:
    """A live recording and its verdict, which is what the detection pipeline says of the same audio as a file.

    With a model of one direction of time whose features look back alone (the recipe `streaming`), every state is
    carried from one push to the next, and the score is that of the model on the whole recording. Any other model is
    asked about windows, and about the last one again as it grows.

    Attributes:
        is_exact: which of the two it is.

    Example:

    ```python
    >>> stream = StreamingDetector.from_pretrained("runs/mine")
    >>> stream.push(samples)
    StreamVerdict(label='unsure', score=0.4, probability=0.4, latest=0.4, seconds=0.5, sounding=0.42)
    ```
    """

    def __init__(
        self,
        detector: Any,
        feature_extractor: Any,
        *,
        sampling_rate: int | None = None,
        threshold: float | str | None = None,
        prior_of_fake: float = 0.5,
        **listening: float,
    ) -> None:
        """
        Args:
            detector, feature_extractor: from `crnn_hf.inference.load_backend`.
            sampling_rate: of the samples that will be pushed, in Hz; by default the model's own.
            threshold, prior_of_fake: as `crnn_hf.inference.verdict`.
            listening: as `crnn_hf.inference.recordings.Listening`; one that is exact asks for the `step` alone.

        Raises:
            ValueError: a setting is impossible.
        """
        self.detector = detector
        self.feature_extractor = feature_extractor
        self.sampling_rate = feature_extractor.sampling_rate if sampling_rate is None else sampling_rate
        self.listening = Listening(**listening)
        self.judging = {"threshold": threshold, "prior_of_fake": prior_of_fake}
        self.is_exact = can_be_carried(detector, feature_extractor)
        verdict(0.0, detector.config, **self.judging)  # a threshold that does not exist is an error now
        self.reset()

    @classmethod
    def from_pretrained(cls, model: str | Path, *, backend: str = "torch", **settings: Any) -> Self:
        """Load a detector; `settings` are those of the class. Raises what `crnn_hf.inference.load_backend` raises."""
        return cls(*load_backend(model, backend), **settings)

    def another(self) -> Self:
        """One more live recording for the same model, with the same settings."""
        settings = {name: getattr(self.listening, name) for name in self.listening.__dataclass_fields__}
        return type(self)(
            self.detector, self.feature_extractor, sampling_rate=self.sampling_rate, **self.judging, **settings
        )

    def reset(self) -> None:
        """Forget all that was heard."""
        rate = self.feature_extractor.sampling_rate
        self._resampler = None if self.sampling_rate == rate else StreamingResampler(self.sampling_rate, rate)
        self._state: Running | Carried = (
            Carried(self.detector, self.feature_extractor, self.listening)
            if self.is_exact
            else Running(rate, self.listening)
        )

    def push(self, samples: ArrayLike) -> StreamVerdict:
        """Hear more of the recording.

        Args:
            samples: (samples,), any number of them, mono; floats of full scale 1.0, or 16-bit integers.

        Raises:
            ValueError: samples of another shape or type, or not finite; the recording is as it was before.
        """
        (result,) = self.push_all([self], [samples])
        return result

    def end(self) -> StreamVerdict:
        """Say that the recording ends here, and get the verdict on all of it, to its last sample.

        What is pushed next begins another recording.
        """
        if self._resampler is not None:
            _hear([self], [self._resampler.flush()])
        if isinstance(self._state, Carried):
            self._state.end()
        else:
            with suppress(UnheardError):  # all of it is shorter than a frame
                _note([self], {0: self._state.end()})
        found = self._verdict(self._state.standing)
        self.reset()
        return found

    @staticmethod
    def push_all(streams: Sequence["StreamingDetector"], chunks: Sequence[ArrayLike]) -> list[StreamVerdict]:
        """Hear more of several recordings, with one call of the model for the windows of all; see `push`.

        Args:
            streams: of one model, made by `another`.
            chunks: the samples for each.

        Raises:
            ValueError: as `push`; or the streams have different models.
        """
        if len({id(stream.detector) for stream in streams}) > 1:
            raise ValueError("expected streams of one model, made by another()")
        checked = [mono_samples(chunk) for chunk in chunks]
        _hear(
            streams,
            [
                samples if stream._resampler is None else stream._resampler.push(samples)
                for stream, samples in zip(streams, checked, strict=True)
            ],
        )
        return [stream._verdict(stream._state.standing) for stream in streams]

    def _verdict(self, standing: Standing) -> StreamVerdict:
        if np.isnan(standing.whole):
            return StreamVerdict("unsure", None, None, None, standing.seconds, standing.sounding_seconds)
        found = verdict(standing.whole, self.detector.config, **self.judging)
        heard_enough = standing.sounding_seconds >= self.listening.least_sound
        return StreamVerdict(
            found.label if heard_enough else "unsure",
            found.score,
            found.probability_of_fake,
            standing.latest,
            standing.seconds,
            standing.sounding_seconds,
        )


def _hear(streams: Sequence[StreamingDetector], waveforms: Sequence[NDArray[np.float32]]) -> None:
    """Hear more of each stream, (samples,), at the model's rate."""
    due: dict[int, list[Due]] = {}
    for index, (stream, samples) in enumerate(zip(streams, waveforms, strict=True)):
        if isinstance(stream._state, Carried):
            stream._state.push(samples)
        else:
            due[index] = stream._state.push(samples)
    _note(streams, due)


def _note(streams: Sequence[StreamingDetector], due: dict[int, list[Due]]) -> None:
    """Score what each stream is due, and let it know."""
    for index, scores in _scored(streams, due).items():
        streams[index]._state.note(due[index], scores)


def _scored(streams: Sequence[StreamingDetector], due: dict[int, list[Due]]) -> dict[int, NDArray[np.float64]]:
    """The scores of what each stream is due, windows of one length in one batch."""
    of_length: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for index, windows in due.items():
        for place, window in enumerate(windows):
            of_length[len(window.waveform)].append((index, place))
    scores = {index: np.full(len(windows), np.nan) for index, windows in due.items()}
    for places in of_length.values():
        waveforms = [due[index][place].waveform for index, place in places]
        found = score_waveforms(streams[0].detector, streams[0].feature_extractor, waveforms)
        for (index, place), score in zip(places, found, strict=True):
            scores[index][place] = score
    return scores
