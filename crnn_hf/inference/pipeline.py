"""`pipeline("audio-deepfake-detection")`: any recording of any length in, a verdict and a timeline out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from types import GeneratorType
from typing import Any, Self

import torch
from torch.utils.data import Dataset
from transformers import Pipeline

from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.background import threads_each, usual_workers
from crnn_hf.inference.recordings.hearing import Hearing, Listening
from crnn_hf.inference.recordings.judging import Judge
from crnn_hf.inference.verdicts import verdict
from crnn_hf.inference.waveforms import score_waveforms

TASK = "audio-deepfake-detection"
# As many windows as one call of the model is fastest with, on a CPU.
BATCH_SIZE = 16
ON_ERROR = ("raise", "return")
_LISTENING = tuple(setting.name for setting in fields(Listening))


class DeepfakeDetectionPipeline(Pipeline):
    """Tells whether recordings of speech are real or fake, and where.

    A recording is read as a stream, cut into windows that overlap, and each window scored: memory does not grow with
    its length but for some bytes a window. Windows of several recordings share batches.

    Example:

    ```python
    >>> from transformers import pipeline
    >>> import crnn_hf
    >>> detector = pipeline("audio-deepfake-detection", model=path)
    >>> detector("podcast.m4a")["segments"]
    [{'start': 0.0, 'end': 41.5, 'label': 'real', 'score': 2.1, 'probability': 0.11}, ...]
    ```
    """

    _load_processor = False
    _load_image_processor = False
    _load_feature_extractor = True
    _load_tokenizer = False

    def __init__(self, *args: Any, backend: str = "torch", **kwargs: Any) -> None:
        """`backend` is one of `crnn_hf.inference.BACKENDS`; the rest is as everywhere in transformers."""
        super().__init__(*args, **{"batch_size": BATCH_SIZE, **kwargs})
        self._scorer = self.model
        if backend != "torch":
            self._scorer, _ = load_backend(self.model.name_or_path, backend, threads=_threads(torch.device("cpu")))
        verdict(0.0, self.model.config, **self._postprocess_params)  # a threshold that does not exist is an error now

    @classmethod
    def from_pretrained(
        cls, model: str | Path, *, backend: str = "torch", device: str | torch.device | None = None, **settings: Any
    ) -> Self:
        """The pipeline with a model made ready by its backend, a little faster than `pipeline(..., model=model)` is.

        Args:
            model, backend, device: as `crnn_hf.inference.load_backend`, whose errors these raise.
            settings: as of a call.
        """
        threads = _threads(torch.device("cpu"))
        detector, feature_extractor = load_backend(model, backend, device, threads)
        return cls(model=detector, feature_extractor=feature_extractor, task=TASK, device=detector.device, **settings)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Judge one recording, or each of a list, generator or dataset of them.

        Args:
            inputs: what `crnn_hf.inference.recordings.blocks_of` takes: a path, an address, bytes, a file, an array, a
                dict of an array and its sampling rate.
            batch_size: windows at a time, of whichever recordings; 16 by default.
            whole_window, window, step, least_sound, shortest: as `crnn_hf.inference.recordings.Listening`.
            threshold, prior_of_fake: as `crnn_hf.inference.verdict`.
            on_error: "raise", or "return" a dict with the message as `error` in the place of a recording that cannot
                be read, so that the others are judged.

        Returns:
            For each recording what `crnn_hf.inference.recordings.describe` returns: a dict for one, a list for a
            list, an iterator for the rest.

        Raises:
            AudioReadError, OSError, ValueError: a recording cannot be read whole and sound; the message names it.
        """
        if isinstance(inputs, list | GeneratorType | Dataset):
            return super().__call__(inputs, **kwargs) if inputs != [] else []
        (result,) = super().__call__([inputs], **kwargs)
        return result

    def _sanitize_parameters(
        self,
        threshold: float | str | None = None,
        prior_of_fake: float | None = None,
        on_error: str | None = None,
        **listening: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if unknown := sorted(set(listening) - set(_LISTENING)):
            raise ValueError(f"no such settings of {TASK}: {', '.join(unknown)}; expected {', '.join(_LISTENING)}")
        if on_error is not None and on_error not in ON_ERROR:
            raise ValueError(f"on_error must be one of {ON_ERROR}; found {on_error!r}")
        given = {"threshold": threshold, "prior_of_fake": prior_of_fake}
        judging = {name: value for name, value in given.items() if value is not None}
        return listening, {} if on_error is None else {"on_error": on_error}, judging

    def get_iterator(
        self,
        inputs: Iterable[Any],
        num_workers: int,
        batch_size: int,
        preprocess_params: Mapping[str, Any],
        forward_params: Mapping[str, Any],
        postprocess_params: Mapping[str, Any],
    ) -> Iterator[dict[str, Any]]:
        """The result of each recording, in order; where transformers' batches hold inputs, these hold windows."""
        hearings = self._forward(self.preprocess(inputs), batch_size=batch_size, **preprocess_params)
        return (self.postprocess(hearing, **forward_params, **postprocess_params) for hearing in hearings)

    def preprocess(self, input_: Iterable[Any]) -> Iterable[Any]:
        """Recordings as they came: they are read when their turn is."""
        return input_

    def _forward(
        self, input_tensors: Iterable[Any], batch_size: int = BATCH_SIZE, **listening: Any
    ) -> Iterator[Hearing | Exception]:
        score = partial(score_waveforms, self._scorer, self.feature_extractor)
        rate, workers = self.feature_extractor.sampling_rate, _workers(self.device)
        judge = Judge(score, rate, Listening(**listening), batch_size, workers, _threads(self.device))
        with self.device_placement():
            yield from judge.hear(input_tensors)

    def postprocess(
        self, model_outputs: Hearing | Exception, on_error: str = "raise", **judging: Any
    ) -> dict[str, Any]:
        """The result of a recording, or what is to be done about its fault."""
        if not isinstance(model_outputs, Exception):
            return model_outputs.result(self.model.config, **judging)
        if on_error == "raise":
            raise model_outputs
        return {"error": str(model_outputs)}


def _workers(device: torch.device) -> int:
    """How many batches are scored at a time: a model gains less by several cores for one than by one for each core."""
    return usual_workers(device) if device.type == "cpu" else 0


def _threads(device: torch.device) -> int:
    """How many threads each of them has."""
    return threads_each(_workers(device))
