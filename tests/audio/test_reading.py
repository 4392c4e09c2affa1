"""What `read_audio` reads: formats, sampling rates, channels, names, streams."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crnn_hf.audio import read_audio

RATE = 16_000


def strength_at_440_hertz(waveform: np.ndarray) -> float:
    """How much of the tone's amplitude of 0.5 is in the waveform, 1.0 being all of it."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    near = round(440 * len(waveform) / RATE)
    return float(np.sqrt((spectrum[near - 3 : near + 4] ** 2).sum() / 1.5) / (0.5 * len(waveform) / 4))


def test_every_format_is_read_whole(any_format: str, recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    waveform = read_audio(recording(any_format))
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    if any_format == "wve":  # always 8 kHz, so the tone comes out an octave lower
        assert len(waveform) == 2 * len(tone)
        return
    # Lossy codecs pad to whole frames, the longest (AAC over MPEG-TS) by some 2000 samples.
    assert -1_100 <= len(waveform) - len(tone) <= 3_000
    # AMR models a voice, and gives a sixth of a pure tone away.
    tolerance = 0.2 if any_format in {"amr", "3gp"} else 0.1
    assert strength_at_440_hertz(waveform) == pytest.approx(1.0, abs=tolerance)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_lossless_samples_come_back(subtype: str, encode: Callable[..., bytes], tone: np.ndarray) -> None:
    np.testing.assert_allclose(read_audio(encode("WAV", subtype)), tone, atol=2**-15)


def test_full_scale_of_integers_is_one(encode: Callable[..., bytes]) -> None:
    extremes = np.array([-32768, 32767, 0], np.int16)
    np.testing.assert_array_equal(read_audio(encode("WAV", "PCM_16", extremes)), extremes / np.float32(32768))


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_other_rates_are_resampled(rate: int, encode: Callable[..., bytes]) -> None:
    content = encode("WAV", "FLOAT", np.zeros(rate, np.float32), rate)
    assert read_audio(content).shape == (16_000,)
    assert read_audio(content, 24_000).shape == (24_000,)


def test_channels_are_averaged(encode: Callable[..., bytes]) -> None:
    channels = np.linspace(0.1, 0.8, 8, dtype=np.float32) * np.ones((RATE, 1), np.float32)
    for content in (encode("WAV", "FLOAT", channels), encode("FLAC", "PCM_24", channels)):
        np.testing.assert_allclose(read_audio(content), 0.45, atol=1e-5)


def test_a_video_gives_its_sound(video: Callable[[bool], bytes]) -> None:
    assert len(read_audio(video(True))) == pytest.approx(RATE, abs=2_100)


@pytest.mark.parametrize("name", ["запись 01.flac", "Ünïcödé — 録音.wav", "trailing.dots...", "no extension", "x.raw"])
def test_any_name_will_do(tmp_path: Path, name: str, recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    path = tmp_path / name
    path.write_bytes(recording("flac"))
    assert len(read_audio(path)) == len(tone)
    assert len(read_audio(str(path))) == len(tone)


@pytest.mark.parametrize("name", ["mp3", "flac", "m4a", "webm"])
@pytest.mark.parametrize("extension", ["wav", "mp3", "raw", "g722"])
def test_content_decides_not_the_extension(
    tmp_path: Path, name: str, extension: str, recording: Callable[[str], bytes]
) -> None:
    path = tmp_path / f"misnamed.{extension}"
    path.write_bytes(recording(name))
    np.testing.assert_array_equal(read_audio(path), read_audio(recording(name)))


def test_streams_are_read_from_where_they_stand_and_left_open(
    tmp_path: Path, recording: Callable[[str], bytes], tone: np.ndarray
) -> None:
    flac = recording("flac")
    stream = io.BytesIO(b"skipped" + flac)
    stream.seek(7)
    assert len(read_audio(stream)) == len(tone)
    assert not stream.closed
    archive = tmp_path / "clips.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("speaker/clip.flac")
        member.size = len(flac)
        tar.addfile(member, io.BytesIO(flac))
    for mode in ("r", "r|"):  # seekable, and a pipe
        with tarfile.open(archive, mode) as tar:
            extracted = tar.extractfile(next(iter(tar)))
            assert extracted is not None
            np.testing.assert_array_equal(read_audio(extracted), read_audio(flac))


def test_tags_around_the_audio_do_not_matter(recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    mp3, flac = recording("mp3"), recording("flac")
    id3v2 = b"ID3\4\0\0\0\0\1\0" + bytes(128)
    id3v1 = b"TAG" + b"x" * 125
    assert len(read_audio(id3v2 + mp3 + id3v1)) == len(read_audio(mp3))
    assert len(read_audio(id3v2 + flac)) == len(tone)
    assert len(read_audio(recording("ogg vorbis") + id3v1)) == len(tone)
