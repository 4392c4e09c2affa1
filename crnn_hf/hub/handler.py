"""What an Inference Endpoint runs: recordings in a request, a verdict on each in the answer.

Stands in a model's repository on the Hub as `handler.py`. A request is either the content of one file with its
`Content-Type`, such as audio/flac, or JSON:

    {"inputs": "<a file's content in base64>", "parameters": {"timeline": true}}
    {"inputs": ["<base64>", "<base64>"], "parameters": {"threshold": 0.5}}

One recording is answered with what the detection pipeline says of it, several with a list of that, in which
{"error": "..."} stands in the place of one that cannot be judged. Whatever else is wrong raises ValueError, of which
Hugging Face's inference toolkit makes status 400 with the body {"error": "..."}.

Recordings are content alone: addresses and paths are refused, for nobody is to have the endpoint read what it can
reach and they cannot. The limits can be changed by environment variables of these names:

    CRNN_HF_MOST_INPUTS    recordings in a request; 16
    CRNN_HF_MOST_BYTES     of each; 26214400, which is 25 MiB
    CRNN_HF_MOST_SECONDS   of each; 600. A recording in work takes 64 kB of memory a second.
"""

import base64
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Where the package is not installed, the repository may hold a copy of its source.
if find_spec("crnn_hf") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import torch

from crnn_hf.audio import AudioReadError, stream_audio
from crnn_hf.inference.pipeline import DeepfakeDetectionPipeline

ONNX_FILE = "onnx/model.onnx"
MOST_WINDOWS = 64  # in a batch: what a CPU and a small GPU have room for
PARAMETERS = ("threshold", "prior_of_fake", "timeline", "batch_size")
EXPECTED = "expected a file's content: as the body with its Content-Type, or in JSON as base64"


@dataclass(frozen=True)
class Limits:
    """What one request may ask for.

    Attributes:
        inputs: recordings.
        size: bytes of each.
        seconds: length of each.
    """

    inputs: int = 16
    size: int = 25 * 2**20
    seconds: float = 600.0

    @classmethod
    def from_environment(cls) -> "Limits":
        """The limits with what the environment says otherwise. Raises ValueError for what is no number above 0."""
        return cls(
            inputs=int(_limit("CRNN_HF_MOST_INPUTS", cls.inputs)),
            size=int(_limit("CRNN_HF_MOST_BYTES", cls.size)),
            seconds=_limit("CRNN_HF_MOST_SECONDS", cls.seconds),
        )


class EndpointHandler:
    """What Hugging Face's inference toolkit looks for in `handler.py`.

    ONNX Runtime runs the model where the repository has its file, the package is installed, and there is no GPU;
    otherwise PyTorch does.
    """

    def __init__(self, path: str = "") -> None:
        """Load the model.

        Args:
            path: folder of the model's repository; by default the one this file lies in.

        Raises:
            OSError, ValueError: there is no detector in it, or a limit in the environment is no number.
        """
        folder = Path(path) if path else Path(__file__).resolve().parent
        has_onnx = (folder / ONNX_FILE).is_file() and find_spec("onnxruntime") is not None
        self.limits = Limits.from_environment()
        self.backend = "onnx" if has_onnx and not torch.cuda.is_available() else "torch"
        self.detector = DeepfakeDetectionPipeline.from_pretrained(folder, backend=self.backend)

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
        """Answer a request.

        Args:
            data: `inputs`: a file's content, as bytes or in base64, or a list of these; `parameters`, if any:
                `threshold` and `prior_of_fake`, as `crnn_hf.inference.verdict`; `timeline`, whether the score of each
                half second is wanted; `batch_size`, windows at a time, at most 64.

        Returns:
            What `crnn_hf.inference.recordings.describe` returns, without `timeline` unless it is wanted; for a list
            of inputs a list, with {"error": "..."} for each recording that cannot be judged.

        Raises:
            ValueError: the request cannot be answered; the message says what was found and what was expected.
        """
        if "inputs" not in data:
            raise ValueError(f"no inputs; {EXPECTED}")
        inputs, parameters = data["inputs"], _checked(data.get("parameters"))
        with_timeline = parameters.pop("timeline", False)
        is_batch = isinstance(inputs, list)
        if is_batch and len(inputs) > self.limits.inputs:
            raise ValueError(f"too many inputs: {len(inputs)}; expected at most {self.limits.inputs}")
        named = {f"inputs[{index}]": one for index, one in enumerate(inputs)} if is_batch else {"inputs": inputs}
        found = self._judged(named, parameters)
        if not with_timeline:
            found = [{name: value for name, value in one.items() if name != "timeline"} for one in found]
        if is_batch:
            return found
        if "error" in found[0]:
            raise ValueError(found[0]["error"])
        return found[0]

    def _judged(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The result of each input, or its error."""
        faults: dict[str, str] = {}

        def recordings() -> Iterator[dict[str, Any]]:
            for name, one in inputs.items():
                try:
                    waveform = self._waveform(one, name)
                except ValueError as fault:
                    faults[name] = str(fault)
                    continue
                yield {"array": waveform, "sampling_rate": self._rate, "path": name}

        results = iter(list(self.detector(recordings(), on_error="return", **parameters)))
        return [{"error": faults[name]} if name in faults else next(results) for name in inputs]

    @property
    def _rate(self) -> int:
        return self.detector.feature_extractor.sampling_rate

    def _waveform(self, one: Any, name: str) -> np.ndarray:
        """The samples of an input, decoded no further than to the limit. Raises ValueError."""
        content = _content(one, name, self.limits.size)
        most = int(self.limits.seconds * self._rate)
        blocks, count = [], 0
        for block in stream_audio(content, self._rate, name=name):
            blocks.append(block)
            count += len(block)
            if count > most:
                raise AudioReadError(name, f"too long; expected at most {self.limits.seconds:g} s")
        return np.concatenate(blocks)


def _content(one: Any, name: str, most: int) -> bytes:
    """The content of a file, as it came or from base64. Raises ValueError for anything else, and for too much."""
    if not isinstance(one, bytes | bytearray | str):
        raise ValueError(f"{name}: {EXPECTED}; found {type(one).__name__}")
    if isinstance(one, str):
        one = "".join(one.split())  # some encoders break lines
    # Base64 that is too long is not decoded only to be thrown away.
    size = len(one) * 3 // 4 if isinstance(one, str) else len(one)
    if size > most:
        raise ValueError(f"{name}: too large: {size} bytes; expected at most {most}")
    return _from_base64(one, name) if isinstance(one, str) else bytes(one)


def _from_base64(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(
            f"{name}: {EXPECTED}; found {text[:40]!r}, which is none ({error}); no address or path is opened"
        ) from error


def _checked(parameters: Any) -> dict[str, Any]:
    """The parameters, with numbers for those that come as text in a query. Raises ValueError."""
    if not isinstance(parameters, Mapping | None):
        raise ValueError(f"parameters: expected an object; found {type(parameters).__name__}")
    given = {name: value for name, value in (parameters or {}).items() if value is not None}
    if unknown := sorted(set(given) - set(PARAMETERS)):
        raise ValueError(f"parameters: expected {', '.join(PARAMETERS)}; found {', '.join(unknown)}")
    for name in ("threshold", "prior_of_fake"):
        if name in given:
            given[name] = _number(name, given[name])
    if isinstance(given.get("prior_of_fake"), str):
        raise ValueError(f"prior_of_fake: expected a number; found {given['prior_of_fake']!r}")
    if not isinstance(given.get("timeline", False), bool):
        raise ValueError(f"timeline: expected true or false; found {given['timeline']!r}")
    batch_size = given.get("batch_size", 1)
    if not isinstance(batch_size, int) or not 1 <= batch_size <= MOST_WINDOWS:
        raise ValueError(f"batch_size: expected 1 to {MOST_WINDOWS}; found {batch_size!r}")
    return given


def _number(name: str, value: Any) -> float | str:
    """A number, or a text that is none, such as a threshold's name. Raises ValueError for what is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{name}: expected a number or a name; found {value!r}")
    try:
        return float(value)
    except ValueError:
        return value


def _limit(name: str, default: float) -> float:
    """A limit of the environment. Raises ValueError where it is no number above 0."""
    text = os.environ.get(name, "")
    try:
        value = float(text or default)
    except ValueError as error:
        raise ValueError(f"{name}: expected a number; found {text!r}") from error
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0; found {text!r}")
    return value
