"""What `read_audio` refuses, and how its errors put it."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from crnn_hf.audio import AudioReadError, read_audio

RATE = 16_000


def test_empty() -> None:
    with pytest.raises(AudioReadError, match="empty: 0 bytes"):
        read_audio(b"")


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "AIFF", "AU"])
def test_header_without_samples(form: str, encode: Callable[..., bytes]) -> None:
    with pytest.raises(AudioReadError):
        read_audio(encode(form, None, np.zeros(0, np.float32)))


@pytest.mark.parametrize(
    "content",
    [
        b"This is a text, not a recording.\n" * 200,
        "Текст, но не запись.\n".encode("utf-16") * 200,
        bytes(10_000),
        np.random.default_rng(1).bytes(50_000),
        b"\xff\xfb\x90\x64" + np.random.default_rng(2).bytes(50_000),
        b"ID3\4\0\0\0\0\0\0" + np.random.default_rng(3).bytes(50_000),
        b"\xf0\x7e" + np.random.default_rng(4).bytes(50_000),
        b"R",
    ],
    ids=["text", "UTF-16", "zeros", "noise", "noise like MP3", "noise like ID3", "noise like SDS", "one byte"],
)
def test_what_is_not_audio(tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "not audio.wav"
    path.write_bytes(content)
    with pytest.raises(AudioReadError, match=r"not audio\.wav: "):
        read_audio(path)
    assert capfd.readouterr() == ("", "")


def test_pictures_and_silent_videos_have_no_sound(video: Callable[[bool], bytes]) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as output:
        stream = output.add_stream("png", rate=1, width=16, height=16, pix_fmt="rgb24")
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        output.mux(stream.encode(None))
    for content in (file.getvalue(), video(False)):
        with pytest.raises(AudioReadError, match=r"no audio stream in it \(found: video\)"):
            read_audio(content)


def test_a_playlist_opens_nothing(tmp_path: Path, recording: Callable[[str], bytes]) -> None:
    target = tmp_path / "target.wav"
    target.write_bytes(recording("wav"))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{target}\n#EXT-X-ENDLIST\n".encode()
    with pytest.raises(AudioReadError):
        read_audio(playlist)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_no_finite_numbers(value: float, channels: int, encode: Callable[..., bytes]) -> None:
    samples = np.zeros((RATE, channels), np.float32)
    samples[RATE // 2, -1] = value
    with pytest.raises(AudioReadError, match=r"the sample 0\.500 s in is not a finite number, but (nan|-?inf)"):
        read_audio(encode("WAV", "FLOAT", samples))


@pytest.mark.parametrize("name", ["ogg vorbis", "ogg opus by ffmpeg"])
def test_several_recordings_in_one_ogg_file(name: str, recording: Callable[[str], bytes]) -> None:
    ogg = recording(name)
    with pytest.raises(AudioReadError, match=f"another Ogg stream follows the first, at byte {len(ogg)}"):
        read_audio(ogg + ogg)


def test_samples_of_64_bit_integers(encode_by_ffmpeg: Callable[..., bytes]) -> None:
    with pytest.raises(AudioReadError, match=r"not supported \(s64\)"):
        read_audio(encode_by_ffmpeg("wav", "pcm_s64le"))


def test_an_absurd_sampling_rate(encode: Callable[..., bytes], tone: np.ndarray) -> None:
    with pytest.raises(AudioReadError, match="a sampling rate of 2147483647 Hz; expected 1000 to 768000 Hz"):
        read_audio(encode("AU", "PCM_16", tone, 2_147_483_647))


def test_a_sampling_rate_that_changes(encode_by_ffmpeg: Callable[..., bytes]) -> None:
    content = encode_by_ffmpeg("adts", "aac", 16_000) + encode_by_ffmpeg("adts", "aac", 48_000)
    with pytest.raises(AudioReadError, match=r"its sampling rate changes on the way \(\[16000, 48000\] Hz\)"):
        read_audio(content)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    missing = tmp_path / "missing.wav"
    with pytest.raises(FileNotFoundError, match=r"missing\.wav"):
        read_audio(missing)
    with pytest.raises(IsADirectoryError if os.name == "posix" else PermissionError):
        read_audio(tmp_path)


def test_errors_name_their_source(tmp_path: Path, recording: Callable[[str], bytes]) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(recording("wav")[:1_000])
    for source, name, expected in (
        (path, None, str(path)),
        (path.read_bytes(), None, "<bytes>"),
        (path.read_bytes(), "clips.tar/cut.wav", "clips.tar/cut.wav"),
        (io.BytesIO(path.read_bytes()), None, "<stream>"),
    ):
        with pytest.raises(AudioReadError) as caught:
            read_audio(source, name=name)
        assert caught.value.name == expected
        assert caught.value.reason == "cut off: its 'data' chunk declares 64000 bytes, 956 are there"
        assert str(caught.value) == f"{expected}: {caught.value.reason}"


def test_the_librarys_own_error_is_the_cause(recording: Callable[[str], bytes]) -> None:
    flac = recording("flac")
    with pytest.raises(AudioReadError) as caught:
        read_audio(flac[: len(flac) // 2])
    assert isinstance(caught.value.__cause__, soundfile.SoundFileError)
