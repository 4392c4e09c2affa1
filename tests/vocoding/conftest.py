"""A voice, and tiny networks with random weights, saved as transformers saves them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crnn_hf.data.embedded import draw_speaker, synthesize_utterance
from crnn_hf.vocoding.short_time import Samples

SAMPLING_RATE = 16_000


@pytest.fixture(scope="session")
def voice() -> Samples:
    """Two and a half seconds of nonsense at 16 kHz, an odd number of samples, no multiple of any hop."""
    rng = np.random.default_rng(0)
    return np.append(synthesize_utterance(draw_speaker(rng, "x", "M"), 2.5, rng), np.float32(0))


def _encodec(folder: Path) -> None:
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(
        sampling_rate=8_000, upsampling_ratios=[4, 4], num_filters=2, hidden_size=8, codebook_dim=8, codebook_size=16,
        num_lstm_layers=1, target_bandwidths=[2.0, 4.0, 8.0],
    )  # fmt: skip
    model = EncodecModel(config)
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_()  # they are all zeros before training
    model.save_pretrained(folder)


def _stereo_encodec(folder: Path) -> None:
    from transformers import EncodecConfig, EncodecModel

    config = EncodecConfig(
        sampling_rate=24_000, audio_channels=2, upsampling_ratios=[8, 4], num_filters=2, hidden_size=8, codebook_dim=8,
        codebook_size=16, num_lstm_layers=1, target_bandwidths=[3.0, 6.0], chunk_length_s=0.5, overlap=0.01,
        normalize=True, use_causal_conv=False, norm_type="time_group_norm",
    )  # fmt: skip
    EncodecModel(config).save_pretrained(folder)


def _dac(folder: Path) -> None:
    from transformers import DacConfig, DacModel

    config = DacConfig(
        encoder_hidden_size=4, downsampling_ratios=[2, 4], decoder_hidden_size=16, upsampling_ratios=[4, 2],
        n_codebooks=4, codebook_size=16, codebook_dim=4,
    )  # fmt: skip
    DacModel(config).save_pretrained(folder)


def _mimi(folder: Path) -> None:
    from transformers import MimiConfig, MimiModel

    config = MimiConfig(
        sampling_rate=24_000, num_filters=2, hidden_size=16, upsampling_ratios=[8, 4], codebook_size=16,
        codebook_dim=8, vector_quantization_hidden_dimension=8, num_quantizers=4, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, intermediate_size=16, upsample_groups=16,
        frame_rate=375.0,
    )  # fmt: skip
    MimiModel(config).save_pretrained(folder)


def _speecht5_hifigan(folder: Path) -> None:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    config = SpeechT5HifiGanConfig(
        upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]]
    )
    SpeechT5HifiGan(config).save_pretrained(folder)


def _espnet_hifigan(folder: Path) -> None:
    from transformers import FastSpeech2ConformerHifiGan, FastSpeech2ConformerHifiGanConfig

    config = FastSpeech2ConformerHifiGanConfig(
        upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]]
    )
    FastSpeech2ConformerHifiGan(config).save_pretrained(folder)


def _univnet(folder: Path) -> None:
    from transformers import UnivNetConfig, UnivNetFeatureExtractor, UnivNetModel

    config = UnivNetConfig(
        model_in_channels=4, model_hidden_channels=4, num_mel_bins=20, kernel_predictor_hidden_channels=4
    )
    UnivNetModel(config).save_pretrained(folder)
    UnivNetFeatureExtractor(num_mel_bins=20, model_in_channels=4).save_pretrained(folder)


NETWORKS = {
    "encodec": _encodec,
    "stereo_encodec": _stereo_encodec,
    "dac": _dac,
    "mimi": _mimi,
    "speecht5_hifigan": _speecht5_hifigan,
    "espnet_hifigan": _espnet_hifigan,
    "univnet": _univnet,
}


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a tiny network, by the name of its kind; saved when it is first asked for."""
    import torch

    folder = tmp_path_factory.mktemp("networks")

    def saved(kind: str) -> str:
        if not (folder / kind).is_dir():
            torch.manual_seed(0)
            NETWORKS[kind](folder / kind)
        return str(folder / kind)

    return saved
