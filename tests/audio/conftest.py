"""Recordings in every format, made on the fly by libsndfile's and FFmpeg's encoders: two seconds of a tone."""

import io
from collections.abc import Callable
from functools import cache

import av
import numpy as np
import pytest
import soundfile

RATE = 16_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)

LIBSNDFILE_FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "wav u8": ("WAV", "PCM_U8"),
    "wav 24": ("WAV", "PCM_24"),
    "wav float": ("WAV", "FLOAT"),
    "wav double": ("WAV", "DOUBLE"),
    "wav adpcm": ("WAV", "IMA_ADPCM"),
    "wav gsm": ("WAV", "GSM610"),
    "wavex": ("WAVEX", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg vorbis": ("OGG", "VORBIS"),
    "ogg opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "caf alac": ("CAF", "ALAC_16"),
    "sphere": ("NIST", "PCM_16"),
    "svx": ("SVX", "PCM_16"),
    "wve": ("WVE", "ALAW"),
    **{name.lower(): (name, "PCM_16") for name in ("AVR", "IRCAM", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "VOC")},
}
# Container, codec, sampling rate, options of the container.
FFMPEG_FORMATS: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "m4a": ("ipod", "aac", 16_000, {}),
    "m4a alac": ("ipod", "alac", 16_000, {}),
    "mp4 in fragments": ("mp4", "aac", 16_000, {"movflags": "frag_keyframe+empty_moov", "frag_duration": "300000"}),
    "3gp": ("3gp", "libopencore_amrnb", 8_000, {}),
    "webm": ("webm", "libopus", 48_000, {}),
    "webm live": ("webm", "libopus", 48_000, {"live": "1"}),
    "matroska": ("matroska", "aac", 16_000, {}),
    "matroska double": ("matroska", "pcm_f64le", 16_000, {}),
    "ogg opus by ffmpeg": ("ogg", "libopus", 48_000, {}),
    "mp3 by ffmpeg": ("mp3", "libmp3lame", 16_000, {}),
    "mp3 without note": ("mp3", "libmp3lame", 16_000, {"write_xing": "0", "id3v2_version": "0"}),
    "amr": ("amr", "libopencore_amrnb", 8_000, {}),
    "wma": ("asf", "wmav2", 16_000, {}),
    "aac": ("adts", "aac", 16_000, {}),
    "ac3": ("ac3", "ac3", 48_000, {}),
    "avi": ("avi", "libmp3lame", 16_000, {}),
    "mpegts": ("mpegts", "aac", 16_000, {}),
    "tta": ("tta", "tta", 16_000, {}),
    "wavpack": ("wv", "wavpack", 16_000, {}),
    "wav g726": ("wav", "adpcm_g726", 8_000, {}),
    "wav alaw": ("wav", "pcm_alaw", 16_000, {}),
    "wav mp3": ("wav", "libmp3lame", 16_000, {}),
}
ALL_FORMATS = sorted(LIBSNDFILE_FORMATS | FFMPEG_FORMATS)


def by_libsndfile(form: str, subtype: str | None, samples: np.ndarray = TONE, rate: int = RATE) -> bytes:
    """`samples`, (frames,) or (frames, channels), as a file; without a subtype, in the format's customary one."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(
    container: str, codec: str, rate: int = RATE, options: dict[str, str] | None = None, samples: np.ndarray = TONE
) -> bytes:
    """`samples`, (frames,) at 16 kHz, as a file of the given rate; `options` are the container's."""
    file = io.BytesIO()
    # Exact to the bit: without random identifiers, so that every run of the tests has the same files.
    with av.open(file, "w", format=container, options={"fflags": "+bitexact", **(options or {})}) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = {"libopencore_amrnb": 12_200}.get(codec, 32_000)
        stream.codec_context.open(strict=False)
        source = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        source.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
        queue = av.AudioFifo()
        for frame in [*resampler.resample(source), *resampler.resample(None)]:
            queue.write(frame)
        while (frame := queue.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@cache
def recording(name: str) -> bytes:
    """The tone in one of the formats above. WVE is always 8 kHz, and so plays it at half speed."""
    if name in FFMPEG_FORMATS:
        return by_ffmpeg(*FFMPEG_FORMATS[name])
    form, subtype = LIBSNDFILE_FORMATS[name]
    return by_libsndfile(form, subtype, rate=8_000 if form == "WVE" else RATE)


def video(with_sound: bool) -> bytes:
    """A second of grey pictures, next to a second of the tone."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        pictures = output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        sound = output.add_stream("aac", rate=RATE, layout="mono") if with_sound else None
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
            output.mux(pictures.encode(picture))
        output.mux(pictures.encode(None))
        if sound is not None:
            frame = av.AudioFrame.from_ndarray(TONE[np.newaxis, :RATE], format="fltp", layout="mono")
            frame.sample_rate = RATE
            output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return file.getvalue()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `any_format` runs once for each."""
    if "any_format" in metafunc.fixturenames:
        metafunc.parametrize("any_format", ALL_FORMATS)


@pytest.fixture(name="tone")
def _tone() -> np.ndarray:
    return TONE.copy()


@pytest.fixture(name="recording")
def _recording() -> Callable[[str], bytes]:
    return recording


@pytest.fixture(name="encode")
def _encode() -> Callable[..., bytes]:
    return by_libsndfile


@pytest.fixture(name="encode_by_ffmpeg")
def _encode_by_ffmpeg() -> Callable[..., bytes]:
    return by_ffmpeg


@pytest.fixture(name="video")
def _video() -> Callable[[bool], bytes]:
    return video
