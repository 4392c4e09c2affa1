"""A codec changes how a waveform sounds, and neither its length nor its place in time."""

import numpy as np
import pytest

from crnn_hf.audio.coding import Codec, has_encoder, through_codec

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


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
@pytest.mark.parametrize("samples", [0, 1, 90, 800, 1_749])
def test_a_few_milliseconds_are_coded_too(tones: np.ndarray, codec: Codec, samples: int) -> None:
    for waveform in (tones[:samples], np.zeros(samples, np.float32)):
        coded = through_codec(waveform, 16_000, codec)
        assert (coded.shape, coded.dtype) == ((samples,), np.float32)
        assert np.isfinite(coded).all()


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_the_end_is_not_cut_off(codec: Codec) -> None:
    tone = np.sin(2 * np.pi * 700 * np.arange(16_000) / 16_000).astype(np.float32) * 0.3
    coded = through_codec(tone, 16_000, codec)
    assert np.abs(coded[-40:]).max() > 0.1


def test_the_delay_is_the_codecs_and_not_the_clips() -> None:
    for place in (3_000, 30_000):
        for codec in (CODECS["opus"], CODECS["aac"], CODECS["g722"], CODECS["a-law"], CODECS["mp3"]):
            click = np.zeros(32_000, np.float32)
            click[place : place + 40] = 0.5 * np.hanning(40)
            coded = through_codec(click, 16_000, codec)
            assert abs(int(coded.argmax()) - int(click.argmax())) <= 4


def test_options_reach_the_encoder(tones: np.ndarray) -> None:
    quick = Codec("aac", "adts", 32_000, options=(("aac_coder", "fast"),))
    assert not np.array_equal(through_codec(tones, 16_000, quick), through_codec(tones, 16_000, CODECS["aac"]))


def test_an_encoder_is_there_or_not() -> None:
    assert has_encoder("libopus")
    assert not has_encoder("libspeex_of_old")
    assert not has_encoder("mp3float")  # that decodes only
