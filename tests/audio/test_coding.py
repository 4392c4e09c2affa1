"""A codec changes how a waveform sounds, and neither its length nor its place in time."""

import numpy as np
import pytest

from crnn_hf.audio.coding import Codec, through_codec

CODECS = {
    "opus": Codec("libopus", "ogg", 16_000),
    "narrow opus": Codec("libopus", "ogg", 8_000, sampling_rate=8_000),
    "mp3": Codec("libmp3lame", "mp3", 32_000),
    "aac": Codec("aac", "adts", 32_000),
    "amr": Codec("libopencore_amrnb", "amr", 12_200, sampling_rate=8_000),
    "a-law": Codec("pcm_alaw", "wav", 64_000, sampling_rate=8_000),
    "g722": Codec("g722", "wav", 64_000),
}


@pytest.fixture(scope="module")
def tones() -> np.ndarray:
    """Two seconds of a gliding tone with overtones below 3 kHz, at 16 kHz."""
    time = np.arange(32_001) / 16_000
    phase = 2 * np.pi * (150 * time + 40 * time**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 9)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    return (0.1 * wave).astype(np.float32)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_a_codec_keeps_length_and_time(tones: np.ndarray, codec: Codec) -> None:
    coded = through_codec(tones, 16_000, codec)
    assert (coded.shape, coded.dtype) == (tones.shape, np.float32)
    assert not np.array_equal(coded, tones)
    # A shift by a few samples would destroy this. AMR keeps the phases of tones less than the others do.
    assert np.corrcoef(coded, tones)[0, 1] > (0.5 if codec is CODECS["amr"] else 0.85)
    assert np.array_equal(coded, through_codec(tones, 16_000, codec))


def test_nothing_survives_above_half_the_rate() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    power = np.abs(np.fft.rfft(through_codec(noise, 16_000, CODECS["a-law"]))) ** 2
    assert power[len(power) * 9 // 16 :].sum() < 1e-3 * power.sum()


def test_any_rate_will_do(tones: np.ndarray) -> None:
    coded = through_codec(np.repeat(tones, 3), 48_000, CODECS["opus"])
    assert coded.shape == (3 * len(tones),)
