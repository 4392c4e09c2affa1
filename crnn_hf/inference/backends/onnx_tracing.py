"""From a PyTorch module to an ONNX graph."""

import copy
import io
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn

from crnn_hf.contrast_crnn import NUM_STATISTICS
from crnn_hf.modeling_crnn import CRNNForAudioClassification, CRNNRecurrentLayer

# The newest that the exporter by tracing writes without a detour, and old enough for any ONNX Runtime in use.
OPSET = 17


def trace_model(model: CRNNForAudioClassification, *, masked: bool) -> onnx.ModelProto:
    """The graph of a model, from `input_features`, also `input_values` and `contrast` if it hears them, to `logits`.

    Args:
        model: in evaluation mode, on the CPU. It stays as it is.
        masked: whether the graph takes an `attention_mask`, int64, too; without it every frame counts.
    """
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            for index, child in enumerate(module):
                if isinstance(child, CRNNRecurrentLayer):
                    module[index] = OnnxRecurrentLayer(child)
    names = ["input_features"] + ["attention_mask"] * masked
    # Of two clips of different length, so that nothing is left out that a batch or its padding need.
    frames = 101
    examples = {
        "input_features": torch.randn(2, frames, model.config.num_mel_bins),
        "attention_mask": (torch.arange(frames) < torch.tensor([[frames], [frames - 30]])).long(),
    }
    axes = {name: {0: "batch", 1: "frames"} for name in names}
    if model.crnn.backbone is not None:
        examples["input_values"] = torch.randn(2, model.crnn.backbone.num_samples(frames))
        axes["input_values"] = {0: "batch", 1: "samples"}
    if model.contrast is not None:
        examples["contrast"] = torch.randn(2, NUM_STATISTICS)
        axes["contrast"] = {0: "batch"}
    names = [name for name in examples if name in axes]
    return trace(_Logits(model, names), [examples[name] for name in names], names, ["logits"], axes)


def trace(
    module: nn.Module,
    examples: Sequence[torch.Tensor],
    inputs: list[str],
    outputs: list[str],
    axes: dict[str, dict[int, str]],
) -> onnx.ModelProto:
    """The graph of a module.

    It is traced. `torch.export`, which PyTorch prefers, takes a hundred times as long, and its graph of this model
    does not run for batches of other sizes than the example's (torch 2.14).

    Args:
        module: takes the examples and returns a tensor or several.
        examples: what it is called with.
        inputs, outputs: names.
        axes: which of their dimensions are free, by name.
    """
    file = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # That tracing is old, and which of Python's conditions it passed by: those of checks, here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval().requires_grad_(False),
            tuple(examples),
            file,
            dynamo=False,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={**axes, **{name: axes.get(name, {0: "batch"}) for name in outputs}},
            opset_version=OPSET,
        )
    return onnx.load_from_string(file.getvalue())


class OnnxRecurrentLayer(nn.Module):
    """A recurrent layer as the one operator that ONNX has for it, for both directions, which skips the padding."""

    def __init__(self, layer: CRNNRecurrentLayer) -> None:
        super().__init__()
        lstms = [lstm for lstm in (layer.forward_lstm, layer.backward_lstm) if lstm is not None]
        self.hidden_size = layer.forward_lstm.hidden_size
        of_inputs = torch.stack([_reordered(lstm.weight_ih_l0) for lstm in lstms])
        of_states = torch.stack([_reordered(lstm.weight_hh_l0) for lstm in lstms])
        biases = [torch.cat([_reordered(lstm.bias_ih_l0), _reordered(lstm.bias_hh_l0)]) for lstm in lstms]
        self.register_buffer("of_inputs", of_inputs)
        self.register_buffer("of_states", of_states)
        self.register_buffer("biases", torch.stack(biases))

    def forward(self, hidden_states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """As `CRNNRecurrentLayer`; to be traced alone, for what it returns has the right shape and no content."""
        lengths = None if mask is None else mask.sum(1).int()
        weights = (self.of_inputs, self.of_states, self.biases)
        output = _OnnxLSTM.apply(hidden_states.transpose(0, 1), *weights, lengths, self.hidden_size)
        return output.permute(2, 0, 1, 3).flatten(2)


class _OnnxLSTM(torch.autograd.Function):
    """https://onnx.ai/onnx/operators/onnx__LSTM.html, (steps, batch, size) to (steps, directions, batch, hidden)."""

    @staticmethod
    def forward(
        ctx: object,
        hidden_states: torch.Tensor,
        of_inputs: torch.Tensor,
        of_states: torch.Tensor,
        biases: torch.Tensor,
        lengths: torch.Tensor | None,
        hidden_size: int,
    ) -> torch.Tensor:
        steps, batch, _ = hidden_states.shape
        return hidden_states.new_zeros(steps, len(of_states), batch, hidden_size)

    @staticmethod
    def symbolic(graph, hidden_states, of_inputs, of_states, biases, lengths, hidden_size):
        inputs = [hidden_states, of_inputs, of_states, biases] + ([] if lengths is None else [lengths])
        directions = of_states.type().sizes()[0]
        direction = "bidirectional" if directions == 2 else "forward"
        return graph.op("LSTM", *inputs, hidden_size_i=hidden_size, direction_s=direction)


class _Logits(nn.Module):
    """A model that takes its inputs by place and returns nothing but logits."""

    def __init__(self, model: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits


def _reordered(gates: torch.Tensor) -> torch.Tensor:
    """The gates in ONNX's order: input, output, forget, cell."""
    into, forget, cell, out = gates.detach().chunk(4)
    return torch.cat([into, out, forget, cell])
