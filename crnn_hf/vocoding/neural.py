"""Vocoders and codecs that are networks: whatever transformers can load, and what a training run has taught itself."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from crnn_hf.audio import resample
from crnn_hf.vocoding.balance import like_original
from crnn_hf.vocoding.mel_vocoders import MEL_VOCODERS, rate_of
from crnn_hf.vocoding.short_time import Samples
from crnn_hf.vocoding.spectrum_vocoder import SpectrumVocoder

SHORTEST = 0.5  # seconds; a shorter waveform is padded, for convolutions that reflect need something to reflect
LEAST_QUANTIZERS = 0.25  # of those that a codec has, where it lets one choose how many


@dataclass(frozen=True)
class NeuralVocoder:
    """A neural vocoder or codec as a vocoder. The network is loaded when it is first used, once in each process.

    A codec, such as EncodecModel, DacModel or MimiModel, encodes and decodes, at a bandwidth or with a number of
    quantizers drawn for every clip where it offers several. A mel vocoder, SpeechT5HifiGan, UnivNetModel or
    FastSpeech2ConformerHifiGan, is given the log-mel spectrogram that it was trained on; so is a SpectrumVocoder,
    which a training run with `learned_steps` leaves in its folder.

    Attributes:
        model_name_or_path: on the Hub, or a folder.
        device: where the network runs.

    Raises:
        OSError: there is no such model.
        ValueError: a model of another kind; the message names it, and the kinds that are expected.
    """

    model_name_or_path: str
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not isinstance(self.model_name_or_path, str) or not self.model_name_or_path:
            raise ValueError(f"expected a model's name on the Hub or its folder; found {self.model_name_or_path!r}")
        architecture_of(self.model_name_or_path)

    def __call__(self, waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
        """Make a fake of a recording.

        Args:
            waveform: shape (samples,), float32, mono, within about [-1, 1].
            sampling_rate: in Hz; the network may work at another, to and from which it is resampled.
            rng: draws what the network may choose.

        Returns:
            Shape (samples,), float32, with the level, DC, long-term spectrum and digital silence of `waveform`.

        Raises:
            ValueError: a waveform of another shape.
        """
        if waveform.ndim != 1:
            raise ValueError(f"a vocoder takes a waveform of shape (samples,), not {waveform.shape}")
        network = load(self.model_name_or_path, self.device)
        rate = network.rate
        heard = resample(waveform, sampling_rate, rate)
        heard = np.pad(heard, (0, max(0, round(SHORTEST * rate) - len(heard))))
        with torch.inference_mode():
            said = network.resynthesize(heard, rng).float().cpu().numpy()
        said = resample(said.reshape(-1), rate, sampling_rate)[: len(waveform)]
        return like_original(np.pad(said, (0, len(waveform) - len(said))), waveform, sampling_rate)


@dataclass(frozen=True)
class Network:
    """A loaded network.

    Attributes:
        rate: the sampling rate that it works at, in Hz.
        resynthesize: takes a waveform, (samples,), at that rate, and a generator, and gives one of about that length.
    """

    rate: int
    resynthesize: Callable[[Samples, np.random.Generator], torch.Tensor]


@lru_cache(maxsize=16)
def load(name: str, device: str) -> Network:
    """The network of that name, on a device, ready for use; loaded once a process."""
    import transformers

    architecture = architecture_of(name)
    kind = SpectrumVocoder if architecture == SpectrumVocoder.__name__ else getattr(transformers, architecture)
    model = kind.from_pretrained(name).eval().to(device)
    if architecture in MEL_VOCODERS:
        vocode = MEL_VOCODERS[architecture]
        return Network(rate_of(architecture, name, model.config), lambda heard, rng: vocode(model, name, heard, rng))
    rate = getattr(model.config, "sampling_rate", None) or model.config.sample_rate
    return Network(rate, lambda heard, rng: through_codec(model, heard, rng))


@lru_cache(maxsize=64)
def architecture_of(name: str) -> str:
    """The class of transformers that a model was saved from, by its config alone.

    Raises:
        OSError: there is no such model.
        ValueError: it is neither a codec nor a mel vocoder.
    """
    import transformers

    try:
        config, _ = transformers.PreTrainedConfig.get_config_dict(name)
    except OSError as error:
        raise OSError(f"{name}: no model of transformers, neither a folder nor on the Hub: {error}") from error
    architecture = next(iter(config.get("architectures") or []), None)
    if architecture in MEL_VOCODERS or is_codec(getattr(transformers, architecture or "", None)):
        return architecture
    raise ValueError(
        f"{name}: expected a codec, such as EncodecModel, DacModel or MimiModel, or a vocoder, "
        f"{', '.join(MEL_VOCODERS)}; found {architecture or 'a config that names no architecture'}"
    )


def is_codec(kind: Any) -> bool:
    """Whether a class of transformers turns waveforms into codes and codes into waveforms."""
    return getattr(kind, "main_input_name", None) == "input_values" and all(
        callable(getattr(kind, method, None)) for method in ("encode", "decode")
    )


def through_codec(model: Any, waveform: Samples, rng: np.random.Generator) -> torch.Tensor:
    """A waveform, (samples,), encoded and decoded, in a way drawn from those that the codec offers."""
    config = model.config
    hop = getattr(config, "hop_length", None) or getattr(config, "frame_size", None) or 1
    values = torch.from_numpy(np.pad(waveform, (0, -len(waveform) % hop))).to(model.device)
    channels = getattr(config, "audio_channels", 1)
    found = model(values.expand(1, channels, -1), **choice(model, rng))
    return found.audio_values.reshape(-1, found.audio_values.shape[-1]).mean(dim=0)


def choice(model: Any, rng: np.random.Generator) -> dict[str, Any]:
    """What a codec lets one choose, drawn: a bandwidth in kb/s, or how many quantizers are used."""
    offered = inspect.signature(model.forward).parameters
    config = model.config
    if "bandwidth" in offered:
        return {"bandwidth": config.target_bandwidths[rng.integers(len(config.target_bandwidths))]}
    for name, count in (("n_quantizers", "n_codebooks"), ("num_quantizers", "num_quantizers")):
        if name in offered and hasattr(config, count):
            most = getattr(config, count)
            least = max(round(LEAST_QUANTIZERS * most), getattr(config, "num_semantic_quantizers", 0) + 1)
            return {name: int(rng.integers(min(least, most), most + 1))}
    return {}
