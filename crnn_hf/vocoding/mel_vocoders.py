"""Networks that make a waveform of a log-mel spectrogram, and the spectrogram that each was trained on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from crnn_hf.vocoding.short_time import Samples
from crnn_hf.vocoding.spectrum_vocoder import spectrum_vocoder

OVERLAP = 4  # frames that hear each sample, for the two networks of HiFi-GAN
BAND = (80.0, 7600.0)  # Hz, theirs
FLOOR = 1e-10  # likewise, of the amplitude in a mel band
ESPNET_RATE = 22_050  # Hz; FastSpeech2ConformerHifiGan's config does not say it

Network = Any
MelVocoder = Callable[[Network, str, Samples, np.random.Generator], torch.Tensor]


def log_mel(waveform: Samples, sampling_rate: int, bands: int, hop: int) -> torch.Tensor:
    """The spectrogram that the HiFi-GANs of SpeechT5 and ESPnet expect, (1, frames, bands).

    It is the decimal logarithm of the amplitudes in mel bands as librosa makes them (Slaney's), from 80 to 7600 Hz, in
    Hann windows four hops long. The targets of `SpeechT5FeatureExtractor` are the same at 16 kHz, with a hop of 256.
    """
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

    length = OVERLAP * hop
    filters = mel_filter_bank(length // 2 + 1, bands, *BAND, sampling_rate, norm="slaney", mel_scale="slaney")
    window = window_function(length, "hann", periodic=True)
    mel = spectrogram(waveform, window, length, hop, power=1.0, mel_filters=filters, mel_floor=FLOOR, log_mel="log10")
    return torch.from_numpy(np.ascontiguousarray(mel.T, dtype=np.float32))[None]


def hifigan(network: Network, name: str, waveform: Samples, rng: np.random.Generator) -> torch.Tensor:
    """J. Kong et al., "HiFi-GAN", NeurIPS 2020, as it comes with SpeechT5 and with FastSpeech 2 Conformer."""
    config = network.config
    hop = math.prod(config.upsample_rates)
    mel = log_mel(waveform, rate_of(type(network).__name__, name, config), config.model_in_dim, hop)
    return network(mel.to(network.device))


def univnet(network: Network, name: str, waveform: Samples, rng: np.random.Generator) -> torch.Tensor:
    """W. Jang et al., "UnivNet", Interspeech 2021. Its noise is drawn by ``rng``."""
    extractor = univnet_extractor(name, network.config)
    given = extractor(
        waveform, sampling_rate=extractor.sampling_rate, truncation=False, generator=rng, return_tensors="pt"
    )
    return network(
        input_features=given["input_features"].to(network.device),
        noise_sequence=given["noise_sequence"].to(network.device),
    ).waveforms


def univnet_extractor(name: str, config: Any) -> Any:
    """The feature extractor saved with a UnivNet; where there is none, one with its defaults."""
    from transformers import UnivNetFeatureExtractor

    try:
        return UnivNetFeatureExtractor.from_pretrained(name)
    except OSError:
        return UnivNetFeatureExtractor(num_mel_bins=config.num_mel_bins, model_in_channels=config.model_in_channels)


MEL_VOCODERS: dict[str, MelVocoder] = {
    "SpeechT5HifiGan": hifigan,
    "FastSpeech2ConformerHifiGan": hifigan,
    "UnivNetModel": univnet,
    "SpectrumVocoder": spectrum_vocoder,
}


def rate_of(architecture: str, name: str, config: Any) -> int:
    """The sampling rate in Hz that a mel vocoder works at."""
    if architecture == "UnivNetModel":
        return univnet_extractor(name, config).sampling_rate
    return getattr(config, "sampling_rate", ESPNET_RATE)
