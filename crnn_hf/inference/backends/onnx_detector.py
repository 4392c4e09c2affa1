"""A detector run by ONNX Runtime, to be used where a model is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from transformers import AutoConfig, PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import cached_file

import crnn_hf  # noqa: F401 - teaches the Auto classes the model type
from crnn_hf.backbone_configuration_crnn import SAMPLING_RATE, backbone_config, frame_shift
from crnn_hf.backbone_crnn import CONTEXT
from crnn_hf.inference.backends.files import MODEL_FILE, QUANTIZED_FILE

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


# Under this name a graph notes which calibration is part of it.
CALIBRATION = "calibration"


class OnnxDetector:
    """What `crnn-hf export` writes, called like the model that it was made of.

    Attributes:
        config: the model's, as in `config.json`.
        device: the CPU.
        most_samples: how many samples of a waveform a backbone hears at a time, which a graph has no more than one of;
            None without a backbone.

    Example:

    ```python
    >>> detector = OnnxDetector.from_pretrained("runs/mine")
    >>> detector(**feature_extractor(waveform, sampling_rate=16_000, return_tensors="pt")).logits
    tensor([[ 1.2, -1.2]])
    ```
    """

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, session: "InferenceSession", config: PreTrainedConfig) -> None:
        self.session = session
        self.config = config
        self.most_samples = most_samples(config)
        self._inputs = {value.name: np.dtype(_TYPES[value.type]) for value in session.get_inputs()}

    @classmethod
    def from_pretrained(cls, model: str | Path, file: str = MODEL_FILE, *, threads: int | None = None) -> Self:
        """Load an ONNX file of a model.

        Args:
            model: the model's folder or Hub name.
            file: path of the ONNX file in it.
            threads: how many threads one call may use; by default as many as PyTorch does.

        Raises:
            ImportError: ONNX Runtime is not installed.
            OSError: there is no such model.
            FileNotFoundError: it has no such file.
            ValueError: the file is no ONNX graph, or the model was calibrated since it was written.
        """
        folder = Path(model)
        if not folder.is_dir() and (str(model).count("/") != 1 or folder.parent.is_dir()):
            raise FileNotFoundError(f"{model}: no such folder, and no name of a model on the Hub, which is user/model")
        config = AutoConfig.from_pretrained(model)
        path = _path_of(model, file)
        session = open_session(path, threads)
        noted = session.get_modelmeta().custom_metadata_map.get(CALIBRATION)
        if noted is not None and noted != calibration_note(config):
            raise ValueError(
                f"{path}: it has the calibration {noted}, and config.json {calibration_note(config)}; "
                "write it again: crnn-hf export MODEL OUT"
            )
        return cls(session, config)

    def __call__(
        self,
        input_features: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        input_values: torch.Tensor | None = None,
        contrast: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Classify a batch of clips.

        Args:
            input_features: log-mel spectrograms, (batch, frames, mel).
            attention_mask: 1 for frames of the clip and 0 for the padding that follows them, (batch, frames); without
                it, every frame counts.
            input_values: the waveforms that a backbone listens to, (batch, samples).
            contrast: statistics that a second opinion is formed of, (batch, statistics).

        Returns:
            `logits`, (batch, labels), float32.

        Raises:
            ValueError: the graph takes other inputs than these, or other shapes.
        """
        if attention_mask is None:
            attention_mask = torch.ones(input_features.shape[:2], dtype=torch.int64)
        given = {"input_features": input_features, "attention_mask": attention_mask}
        others = {"input_values": input_values, "contrast": contrast}
        given |= {name: tensor for name, tensor in others.items() if tensor is not None}
        if sorted(given) != sorted(self._inputs):
            raise ValueError(f"this graph takes the inputs {sorted(self._inputs)}; found {sorted(given)}")
        if input_values is not None and self.most_samples is not None and input_values.shape[1] > self.most_samples:
            raise ValueError(
                f"a graph with a backbone hears at most {self.most_samples} samples at a time; "
                f"found {input_values.shape[1]}: cut the recording into windows, or take the backend torch"
            )
        arrays = {name: _array(tensor, self._inputs[name]) for name, tensor in given.items()}
        return SequenceClassifierOutput(logits=torch.from_numpy(run(self.session, arrays)))

    def eval(self) -> Self:
        """Itself: a graph is always ready for inference."""
        return self


def most_samples(config: PreTrainedConfig) -> int | None:
    """How long a waveform may be for a backbone to hear it in one window, which is all that a graph has."""
    backbone = getattr(config, "backbone", None)
    if backbone is None:
        return None
    shift = frame_shift(backbone_config(backbone))
    window = round(backbone["window_seconds"] * SAMPLING_RATE / shift)
    return (window - 2 * round(CONTEXT * window)) * shift


def calibration_note(config: PreTrainedConfig) -> str:
    """What of a calibration is part of a graph, as JSON."""
    calibration = getattr(config, "calibration", None)
    numbers = None if calibration is None else {name: calibration[name] for name in ("scale", "offset")}
    return json.dumps(numbers)


def open_session(path: str | Path, threads: int | None = None) -> "InferenceSession":
    """A file's graph, optimised for this machine's CPU, to be run with so many threads, by default PyTorch's number.

    Raises:
        ImportError: ONNX Runtime is not installed.
        ValueError: the file is no ONNX graph.
    """
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads() if threads is None else threads
    # Its threads would keep the cores busy while they wait, which PyTorch's need for the features meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    errors = onnxruntime.capi.onnxruntime_pybind11_state
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail) as error:
        raise ValueError(f"{path}: expected an ONNX graph; ONNX Runtime says: {error}") from error


def run(session: "InferenceSession", arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The first output of a graph. Raises ValueError for inputs of other shapes than it takes."""
    errors = _onnxruntime().capi.onnxruntime_pybind11_state
    try:
        return session.run(None, arrays)[0]
    except (errors.InvalidArgument, errors.RuntimeException) as error:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ValueError(f"the graph does not take inputs of the shapes {shapes}: {error}") from error


_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


def _array(tensor: torch.Tensor, dtype: np.dtype) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(dtype, copy=False)


def _path_of(model: str | Path, file: str) -> Path:
    """Where a file of a model lies, fetched from the Hub if need be."""
    if Path(model).is_dir():
        found = Path(model) / file if (Path(model) / file).is_file() else None
    else:
        found = cached_file(str(model), file, _raise_exceptions_for_missing_entries=False)
    if found is None:
        options = " --int8" if file == QUANTIZED_FILE else ""
        raise FileNotFoundError(f"{model}: it has no {file}; write it: crnn-hf export MODEL OUT{options}")
    return Path(found)


def _onnxruntime():
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("ONNX Runtime is not installed: pip install crnn-hf[onnx]") from error
    return onnxruntime
