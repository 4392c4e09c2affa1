"""A small neural vocoder, which a training run teaches itself: its fakes are what networks make of speech."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchaudio.transforms import MelSpectrogram
from transformers import PreTrainedConfig, PreTrainedModel

from crnn_hf.vocoding.short_time import Samples

FLOOR = 1e-5  # of the amplitude in a mel band
LOUDEST = 5.0  # nepers, of the magnitude in a bin; a network that has gone astray stays finite
PEAK = 0.5  # of the waveforms that it is given, amid those that it learns from
LEAST_PEAK = 1e-3  # of a waveform; what is quieter is not made as loud as the others


class SpectrumVocoderConfig(PreTrainedConfig):
    """The sizes of a [`SpectrumVocoder`].

    Args:
        sampling_rate: in Hz.
        num_mel_bins: bands of the spectrogram, up to half the sampling rate.
        n_fft: samples of the transform that the bands are made of.
        window: samples of a frame, of that transform and of the one that the waveform is made by.
        hop_length: samples between frames.
        width: channels of a block.
        blocks: how many there are.
    """

    model_type = "spectrum_vocoder"

    def __init__(
        self,
        sampling_rate: int = 16_000,
        num_mel_bins: int = 80,
        n_fft: int = 1024,
        window: int = 800,
        hop_length: int = 200,
        width: int = 192,
        blocks: int = 5,
        **kwargs: Any,
    ) -> None:
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.n_fft = n_fft
        self.window = window
        self.hop_length = hop_length
        self.width = width
        self.blocks = blocks
        super().__init__(**kwargs)


class SpectrumVocoder(PreTrainedModel):
    """From a log-mel spectrogram to the magnitude and phase of each bin, and by the inverse transform to a waveform.

    After H. Siuzdak, "Vocos: closing the gap between time-domain and Fourier-based neural vocoders for high-quality
    audio synthesis", ICLR 2024, with fewer and narrower blocks.
    """

    config_class = SpectrumVocoderConfig
    main_input_name = "spectrogram"

    def __init__(self, config: SpectrumVocoderConfig) -> None:
        super().__init__(config)
        self.first = nn.Conv1d(config.num_mel_bins, config.width, 7, padding=3)
        self.blocks = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(config.width)
        self.last = nn.Linear(config.width, 2 * (config.window // 2 + 1))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """PyTorch's own, which are there already."""

    def log_mel(self, waveforms: torch.Tensor) -> torch.Tensor:
        """(batch, samples) to the natural logarithm of the amplitudes in mel bands, (batch, bands, frames).

        A frame is centred on every `hop_length`-th sample, the first on the first; at the ends half of it is mirrored.
        """
        config = self.config
        transform = _mel_spectrogram(
            config.sampling_rate, config.n_fft, config.window, config.hop_length, config.num_mel_bins, waveforms.device
        )
        return transform(waveforms).clamp(min=FLOOR).log()

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """(batch, bands, frames), as `log_mel` gives it, to (batch, hop_length * (frames - 1))."""
        states = self.norm(self.blocks(self.first(spectrogram)).transpose(1, 2))
        log_magnitude, phase = self.last(states).transpose(1, 2).chunk(2, dim=1)
        spectra = torch.polar(log_magnitude.clamp(max=LOUDEST).exp(), phase)
        window = torch.hann_window(self.config.window, device=spectra.device)
        return torch.istft(spectra, self.config.window, self.config.hop_length, window=window)


class Block(nn.Module):
    """Z. Liu et al., "A ConvNet for the 2020s", CVPR 2022, along time: (batch, width, frames) to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.along_time = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        mixed = self.norm(self.along_time(states).transpose(1, 2))
        return states + self.narrow(F.gelu(self.wide(mixed))).transpose(1, 2)


def spectrum_vocoder(network: SpectrumVocoder, name: str, waveform: Samples, rng: np.random.Generator) -> torch.Tensor:
    """A waveform, (samples,), at the network's rate and any level, through the network. It draws nothing."""
    scale = PEAK / max(float(np.abs(waveform).max()), LEAST_PEAK)
    heard = torch.from_numpy(scale * waveform)[None].to(network.device)
    return network(network.log_mel(heard))[0] / scale


@lru_cache(maxsize=4)
def _mel_spectrogram(
    sampling_rate: int, n_fft: int, window: int, hop_length: int, bands: int, device: torch.device
) -> MelSpectrogram:
    # An lru_cache inside inference mode must not keep a tensor that no gradient may go through.
    with torch.inference_mode(False):
        return MelSpectrogram(
            sampling_rate, n_fft, window, hop_length, n_mels=bands, power=1, norm="slaney", mel_scale="slaney"
        ).to(device)
