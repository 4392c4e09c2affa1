"""Pretrained transformers as functions from a padded batch of waveforms to the hidden states of all layers.

In none of them does padding reach a clip's states, nor does what a clip is batched with.
"""

import math
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from .backbone_configuration_crnn import frame_shift

# Whisper's spectrogram, see `transformers.WhisperFeatureExtractor`.
WHISPER_N_FFT = 400
WHISPER_HOP = 160
# Whisper was trained on speech at the level that it has; this is a usual one, -20 dB under full scale.
WHISPER_LEVEL = 0.1


class CRNNWaveEncoder(nn.Module):
    """wav2vec2, HuBERT or WavLM: convolutions over the waveform, then transformer layers."""

    has_fixed_length = False

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        self.model = AutoModel.from_config(config)
        self.frame_shift = frame_shift(config)
        self.frame_length = _receptive_field(config)
        self.has_group_norm = config.feat_extract_norm == "group"
        if self.has_group_norm:
            self.model.feature_extractor = CRNNMaskedWaveConvolutions(self.model.feature_extractor.conv_layers)

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer's layers, from the input on."""
        return self.model.encoder.layers

    def num_frames(self, num_samples: torch.Tensor | int) -> torch.Tensor | int:
        """Frames that lie wholly within so many samples; at least 1."""
        frames = (num_samples - self.frame_length) // self.frame_shift + 1
        return frames.clamp(min=1) if isinstance(frames, torch.Tensor) else max(1, frames)

    def forward(self, waveforms: torch.Tensor, num_samples: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(batch, samples), the first (batch,) of them the clip's, to each layer's states, (batch, frames, size)."""
        waveforms = F.pad(waveforms, (0, max(0, self.frame_length - waveforms.shape[1])))
        # What is shorter than a frame is one, of the silence that pads it: a transformer needs something to look at.
        num_samples = num_samples.clamp(min=self.frame_length)
        mask = torch.arange(waveforms.shape[1], device=waveforms.device) < num_samples[:, None]
        inputs = waveforms.to(self.model.dtype)
        if self.has_group_norm:
            inputs = torch.stack([inputs, mask.to(inputs.dtype)], dim=1)
        return self.model(inputs, attention_mask=mask.long(), output_hidden_states=True).hidden_states


class CRNNMaskedWaveConvolutions(nn.Module):
    """The convolutions of those models whose first one normalises each channel over time: over the clip alone."""

    def __init__(self, conv_layers: nn.ModuleList) -> None:
        super().__init__()
        self.conv_layers = conv_layers

    def forward(self, waveforms_and_mask: torch.Tensor) -> torch.Tensor:
        """(batch, 2, samples), the samples and 1 where they are the clip's, to (batch, channels, frames)."""
        waveforms, mask = waveforms_and_mask.unbind(1)
        first, *others = self.conv_layers
        hidden_states = first.conv(waveforms[:, None])
        # A frame is the clip's if its last sample is.
        last = first.conv.kernel_size[0] - 1
        mask = mask[:, None, last :: first.conv.stride[0]]
        hidden_states = first.activation(_normalize_over_clip(hidden_states, mask, first.layer_norm))
        for layer in others:
            hidden_states = layer(hidden_states)
        return hidden_states


class CRNNWhisperEncoder(nn.Module):
    """The encoder of Whisper, which takes the log-mel spectrogram of 30 seconds, no less and no more."""

    has_fixed_length = True

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        self.model = WhisperEncoder(config)
        self.frame_shift = frame_shift(config)
        self.frame_length = self.frame_shift
        self.num_mel_bins = config.num_mel_bins
        self.max_samples = config.max_source_positions * self.frame_shift

    @property
    def layers(self) -> nn.ModuleList:
        """The transformer's layers, from the input on."""
        return self.model.layers

    def num_frames(self, num_samples: torch.Tensor | int) -> torch.Tensor | int:
        """Frames that begin within so many samples."""
        return (num_samples + self.frame_shift - 1) // self.frame_shift

    def forward(self, waveforms: torch.Tensor, num_samples: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(batch, samples), the first (batch,) of them the clip's, to each layer's states, (batch, frames, size)."""
        frames = self.num_frames(waveforms.shape[1])
        mask = torch.arange(waveforms.shape[1], device=waveforms.device) < num_samples[:, None]
        # Silence to the end of the window, which is how Whisper was trained.
        waveforms = F.pad(waveforms.masked_fill(~mask, 0), (0, self.max_samples - waveforms.shape[1]))
        features = whisper_log_mel(WHISPER_LEVEL * waveforms.float(), self.num_mel_bins)
        states = self.model(features.to(self.model.dtype), output_hidden_states=True).hidden_states
        return tuple(state[:, :frames] for state in states)


def make_encoder(config: PreTrainedConfig) -> CRNNWaveEncoder | CRNNWhisperEncoder:
    """The encoder of a config, with random weights."""
    return CRNNWhisperEncoder(config) if config.model_type == "whisper" else CRNNWaveEncoder(config)


def pretrained_weights(name: str) -> dict[str, torch.Tensor]:
    """The weights of the encoder of that Hub name or folder, by their names in it.

    Raises:
        OSError: there is no such folder or Hub name, or no way to reach the Hub.
        ValueError: some of its weights are missing.
    """
    model, loading = AutoModel.from_pretrained(name, dtype=torch.float32, output_loading_info=True)
    prefix = "encoder." if model.config.model_type == "whisper" else ""
    missing = [key for key in loading["missing_keys"] if key.startswith(prefix) and key != "masked_spec_embed"]
    if missing:
        raise ValueError(f"{name}: the weights {sorted(missing)} are missing")
    encoder: PreTrainedModel = model.encoder if prefix else model
    return encoder.state_dict()


def whisper_log_mel(waveforms: torch.Tensor, num_mel_bins: int) -> torch.Tensor:
    """What `transformers.WhisperFeatureExtractor` gives, (batch, samples) to (batch, mel, samples / 160)."""
    edge, bins = WHISPER_N_FFT // 2, WHISPER_N_FFT // 2 + 1
    padded = F.pad(waveforms[:, None], (edge, edge), mode="reflect")
    transform, filters = (matrix.to(waveforms.device) for matrix in _whisper_matrices(num_mel_bins))
    spectra = F.conv1d(padded, transform, stride=WHISPER_HOP)[..., :-1]
    power = spectra[:, :bins].square() + spectra[:, bins:].square()
    log_mel = (filters @ power).clamp(min=1e-10).log10()
    log_mel = torch.maximum(log_mel, log_mel.amax((1, 2), keepdim=True) - 8)
    return (log_mel + 4) / 4


@lru_cache
def _whisper_matrices(num_mel_bins: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The windowed Fourier transform as a convolution, which every exporter knows, (2 x bins, 1, samples); and the mel
    filters, (mel, bins)."""
    bins = WHISPER_N_FFT // 2 + 1
    window = torch.hann_window(WHISPER_N_FFT, dtype=torch.float64, device="cpu")
    samples = torch.arange(WHISPER_N_FFT, dtype=torch.float64, device="cpu")
    angles = samples[:, None] * torch.arange(bins, device="cpu") * (2 * math.pi / WHISPER_N_FFT)
    transform = torch.cat([window[:, None] * angles.cos(), window[:, None] * angles.sin()], dim=1)
    filters = mel_filter_bank(bins, num_mel_bins, 0.0, 8_000.0, 16_000, norm="slaney", mel_scale="slaney")
    return transform.T[:, None].float().contiguous(), torch.from_numpy(filters).T.float().contiguous()


def _receptive_field(config: PreTrainedConfig) -> int:
    """Samples that one frame looks at."""
    length, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        length += (kernel - 1) * stride
        stride *= step
    return length


def _normalize_over_clip(hidden_states: torch.Tensor, mask: torch.Tensor, norm: nn.GroupNorm) -> torch.Tensor:
    """Group norm of (batch, channels, frames), a channel a group, whose statistics leave out the padding."""
    # In float32, and few of them at a time: these states take more memory than all that follows.
    states = hidden_states.float() * mask.float()
    count = mask.sum(2, keepdim=True, dtype=torch.float32)
    mean = states.sum(2, keepdim=True) / count
    variance = torch.linalg.vector_norm(states, dim=2, keepdim=True).square() / count - mean.square()
    scale = norm.weight[:, None] * torch.rsqrt(variance.clamp(min=0) + norm.eps)
    return torch.addcmul(norm.bias[:, None] - mean * scale, states, scale).to(hidden_states.dtype)
