"""A pretrained transformer that listens along: its layers, summed by learned weights, at the pace of the CRNN."""

from collections.abc import Iterator

import torch
from torch import nn
from transformers import initialization as init
from transformers.utils import is_peft_available

from .backbone_configuration_crnn import SAMPLING_RATE, backbone_config, number_of_layers
from .configuration_crnn import CRNNConfig
from .encoders_crnn import make_encoder, pretrained_weights

# Share of a window, at each end, that only lends context to what lies between.
CONTEXT = 0.05


class CRNNBackbone(nn.Module):
    """A transformer over the waveform, of which no more is trained than the config says.

    What is not trained gets no gradients and stays as in evaluation, without dropout, in training too: `train()` sees
    to both.
    """

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__()
        settings = config.backbone
        encoder_config = backbone_config(settings)
        self.name = settings["name"]
        self.frozen_layers = settings["frozen_layers"]
        self.has_adapters = settings["lora"] is not None
        self.frame_length, self.hop_length = settings["frame_length"], settings["hop_length"]
        self.step_length = self.hop_length * config.time_reduction
        self.output_size = settings["projection_size"]

        self.encoder = make_encoder(encoder_config)
        if self.has_adapters:
            _inject_adapters(self.encoder.model, settings["lora"])
        window_frames = round(settings["window_seconds"] * SAMPLING_RATE / self.encoder.frame_shift)
        self.context = round(CONTEXT * window_frames)
        self.core = window_frames - 2 * self.context
        self.layer_weights = nn.Parameter(torch.zeros(number_of_layers(encoder_config) + 1))
        self.projection = nn.Linear(encoder_config.hidden_size, self.output_size)
        self.norm = nn.LayerNorm(self.output_size)
        self.train()

    def train(self, mode: bool = True) -> "CRNNBackbone":
        """Training or evaluation mode, for what is trained; the rest stays in evaluation, and frozen."""
        super().train(mode)
        self.encoder.eval()
        trained = set()
        for module in self._trained():
            module.train(mode)
            trained.update(module.parameters())
        for parameter in self.encoder.parameters():
            if parameter not in trained:
                parameter.requires_grad_(False)
        return self

    def forward(self, input_values: torch.Tensor, num_frames: torch.Tensor, num_steps: int) -> torch.Tensor:
        """Embed a batch of waveforms.

        Args:
            input_values: (batch, samples), at 16 kHz, of mean 0 and variance 1.
            num_frames: how many frames of the spectrogram are each clip's, (batch,).
            num_steps: steps of the CRNN.

        Returns:
            (batch, steps, projection_size).
        """
        num_samples = self.num_samples(num_frames) * (num_frames > 0)
        states = torch.cat([*self._windows(input_values, num_samples)], dim=1)
        frames = torch.arange(states.shape[1], device=states.device)
        mask = frames < self.encoder.num_frames(num_samples)[:, None]
        states = states.masked_fill(~mask[..., None], 0)
        return self.norm(average_over_steps(states, mask, self.encoder.frame_shift, self.step_length, num_steps))

    def num_samples(self, num_frames: torch.Tensor | int) -> torch.Tensor | int:
        """Samples under so many frames of the spectrogram."""
        return (num_frames - 1) * self.hop_length + self.frame_length

    def load_pretrained(self) -> None:
        """Take the weights that the transformer's name stands for. Raises as `pretrained_weights`."""
        pretrained = pretrained_weights(self.name)
        own = self.encoder.model.state_dict()
        # An adapter keeps the layer that it adapts as its base layer.
        sources = {key: key.replace(".base_layer", "") for key in own if ".lora_" not in key}
        self.encoder.model.load_state_dict({key: pretrained[source] for key, source in sources.items()}, strict=False)

    def init_weights(self) -> None:
        """All layers count the same at first, and adapters change nothing."""
        init.zeros_(self.layer_weights)
        for name, parameter in self.named_parameters():
            if ".lora_A." in name:
                init.kaiming_uniform_(parameter, a=5**0.5)
            elif ".lora_B." in name:
                init.zeros_(parameter)

    def _trained(self) -> list[nn.Module]:
        if self.has_adapters:
            return [module for name, module in self.encoder.named_modules() if name.split(".")[-1].startswith("lora_")]
        return [] if self.frozen_layers is None else [*self.encoder.layers[self.frozen_layers :]]

    def _windows(self, input_values: torch.Tensor, num_samples: torch.Tensor) -> Iterator[torch.Tensor]:
        """The projected states of stretches of time, (batch, frames, projection_size), each seen with some context.

        Where a stretch begins does not depend on the batch, so a clip's states do not either. Memory stays that of one
        window; time grows with the length alone, where attention over all of it would grow with its square.
        """
        encoder = self.encoder
        total = encoder.num_frames(input_values.shape[1])
        # A traced graph shall not depend on the length it was made with; it has one window, where there can be one.
        core = total if torch.jit.is_tracing() and not encoder.has_fixed_length else self.core
        for start in range(0, total, core):
            first = max(0, start - self.context)
            end = start + core + self.context
            # Up to the last sample that a frame before `end` looks at.
            stop = (end - 1) * encoder.frame_shift + encoder.frame_length
            offset = first * encoder.frame_shift
            window = input_values[:, offset:stop]
            states = self._states(window, (num_samples - offset).clamp(0, window.shape[1]))
            yield self.projection(states[:, start - first : start - first + core])

    def _states(self, waveforms: torch.Tensor, num_samples: torch.Tensor) -> torch.Tensor:
        """The weighted sum over the layers, (batch, samples) to (batch, frames, size)."""
        if self.frozen_layers is None and not self.has_adapters:
            with torch.no_grad():
                states = self.encoder(waveforms, num_samples)
        else:
            states = self.encoder(waveforms, num_samples)
        weights = self.layer_weights.softmax(0)
        return sum(weight * state for weight, state in zip(weights, states, strict=True))


def average_over_steps(
    states: torch.Tensor, mask: torch.Tensor, frame_shift: int, step_length: int, num_steps: int
) -> torch.Tensor:
    """Average, for each step, the frames under it, each weighted by how much of it is; 0 for a step over none.

    Args:
        states: (batch, frames, size), finite.
        mask: (batch, frames), true where a frame is the clip's.
        frame_shift: samples from one frame to the next.
        step_length: samples from one step to the next.
        num_steps: how many steps.

    Returns:
        (batch, steps, size).
    """
    begins = torch.arange(num_steps, device=states.device) * step_length
    total = states.new_zeros(states.shape[0], num_steps, states.shape[2])
    weight = states.new_zeros(states.shape[0], num_steps, 1)
    for offset in range((step_length - 1) // frame_shift + 2):
        frame = begins // frame_shift + offset
        ends = torch.minimum((frame + 1) * frame_shift, begins + step_length)
        overlap = (ends - torch.maximum(frame * frame_shift, begins)).clamp(min=0) / frame_shift
        within = frame < states.shape[1]
        frame = frame.clamp(max=states.shape[1] - 1)
        share = ((overlap * within) * mask[:, frame])[..., None].to(states.dtype)
        total = total + share * states[:, frame]
        weight = weight + share
    return total / weight.clamp(min=1 / frame_shift)


def _inject_adapters(model: nn.Module, lora: dict) -> None:
    """Give a transformer low-rank adapters (E. J. Hu et al., "LoRA", ICLR 2022), in place."""
    if is_peft_available():
        from peft import LoraConfig, inject_adapter_in_model
    else:
        raise ValueError("a backbone with lora needs the package peft; it is not installed: pip install peft")
    adapters = LoraConfig(
        r=lora["r"], lora_alpha=lora["alpha"], lora_dropout=lora["dropout"], target_modules=lora["targets"]
    )
    inject_adapter_in_model(adapters, model)
