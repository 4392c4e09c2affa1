"""Files cut at every tenth byte, and with wrong bytes: streaming and reading come to the same, or both refuse."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.audio import AudioReadError, by_soundfile, read_audio, stream_audio

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2_400) / 16_000)).astype(np.float32)
BY_LIBSNDFILE = {"wav": ("WAV", "PCM_U8"), "flac": ("FLAC", "PCM_16"), "ogg vorbis": ("OGG", "VORBIS")}
BY_FFMPEG = {
    "mp3": ("mp3", "libmp3lame", 16_000),
    "mp3 without note": ("mp3", "libmp3lame", 16_000, {"write_xing": "0", "id3v2_version": "0"}),
    "m4a": ("ipod", "aac", 16_000),
    "ogg opus": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "webm live": ("webm", "libopus", 48_000, {"live": "1"}),
}


@pytest.fixture(params=[*BY_LIBSNDFILE, *BY_FFMPEG])
def short(
    request: pytest.FixtureRequest, encode: Callable[..., bytes], encode_by_ffmpeg: Callable[..., bytes]
) -> bytes:
    """0.15 s of the tone in each format."""
    if request.param in BY_LIBSNDFILE:
        return encode(*BY_LIBSNDFILE[request.param], TONE)
    return encode_by_ffmpeg(*BY_FFMPEG[request.param], samples=TONE)


def outcome(read: Callable[[], np.ndarray]) -> np.ndarray | str:
    """What was read, or the reason why it was refused. Any other exception is a failure."""
    try:
        return read()
    except AudioReadError as error:
        return str(error)


def assert_the_same_comes_of(content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_soundfile, "MOST_VALUES", 500)
        streamed = outcome(lambda: np.concatenate(list(stream_audio(content, name="x", block_seconds=0.02))))
    whole = outcome(lambda: read_audio(content, name="x"))
    if isinstance(whole, str):
        assert streamed == whole
    else:
        assert len(whole) > 0
        assert np.isfinite(streamed).all()
        np.testing.assert_allclose(streamed, whole, rtol=1e-6, atol=1e-6)


def test_cut_at_every_tenth_byte(short: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for size in range(0, len(short), 10):
        assert_the_same_comes_of(short[:size])
    assert_the_same_comes_of(short)
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
def test_wrong_bytes(short: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(60):
        generator = np.random.default_rng(seed)
        content = bytearray(short)
        for at in generator.integers(len(content) if seed % 2 else 200, size=3):
            content[at] = generator.choice([0x00, 0x7F, 0x80, 0xFF, generator.integers(256)])
        assert_the_same_comes_of(bytes(content))
    assert capfd.readouterr() == ("", "")
