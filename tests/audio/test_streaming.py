"""`stream_audio` gives what `read_audio` does, block by block, and holds no more than a few blocks."""

import io
import os
import threading
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.audio import AudioReadError, by_soundfile, read_audio, stream_audio

RATE = 16_000


def in_small_pieces(content: bytes, sampling_rate: int = RATE, block_seconds: float = 0.1) -> Iterator[np.ndarray]:
    """The content's blocks, decoded in many pieces whose ends are no packet's or page's, short as the tests' are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_soundfile, "MOST_VALUES", 777)
        yield from stream_audio(content, sampling_rate, name="clip", block_seconds=block_seconds)


def test_blocks_of_every_format_join_to_the_whole(any_format: str, recording: Callable[[str], bytes]) -> None:
    blocks = list(in_small_pieces(recording(any_format), block_seconds=0.3))
    assert {len(block) for block in blocks[:-1]} == {4_800}
    assert 0 < len(blocks[-1]) <= 4_800
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.concatenate(blocks), read_audio(recording(any_format)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS")])
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("channels", [2, 8])
def test_rates_and_channels(form: str, subtype: str, rate: int, channels: int, encode: Callable[..., bytes]) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (rate // 4, channels)).astype(np.float32)
    content = encode(form, subtype, noise, rate)
    for wanted in (RATE, rate):
        joined = np.concatenate(list(in_small_pieces(content, wanted, 0.04)))
        np.testing.assert_allclose(joined, read_audio(content, wanted), rtol=0, atol=2e-6)


def test_the_sound_of_a_video(video: Callable[[bool], bytes]) -> None:
    joined = np.concatenate(list(stream_audio(video(True), block_seconds=0.1)))
    np.testing.assert_allclose(joined, read_audio(video(True)), atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "expected"), [(1, [1]), (1_599, [1_599]), (1_600, [1_600]), (1_601, [1_600, 1]), (3_200, [1_600] * 2)]
)
def test_the_last_block_is_not_empty(samples: int, expected: list[int], encode: Callable[..., bytes]) -> None:
    for form in ("WAV", "FLAC"):
        content = encode(form, "PCM_16", np.full(samples, 0.25, np.float32))
        blocks = list(stream_audio(content, block_seconds=0.1))
        assert [len(block) for block in blocks] == expected
        assert np.concatenate(blocks) == pytest.approx(0.25)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.00001])
def test_blocks_without_a_sample(seconds: float, recording: Callable[[str], bytes]) -> None:
    with pytest.raises(ValueError, match="expected one at least"):
        next(stream_audio(recording("wav"), block_seconds=seconds))


# --- Sources --------------------------------------------------------------------------------------------------------


def test_a_path_is_closed_when_its_reader_leaves_early(tmp_path: Path, recording: Callable[[str], bytes]) -> None:
    for name in ("wav", "m4a"):
        path = tmp_path / "recording"
        path.write_bytes(recording(name))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            blocks = stream_audio(path, block_seconds=0.1)
            assert len(next(blocks)) == 1_600
            blocks.close()
        assert not caught
        assert next(blocks, None) is None


def test_streams_are_read_from_where_they_stand_and_left_open(recording: Callable[[str], bytes]) -> None:
    stream = io.BytesIO(b"skipped" + recording("flac"))
    stream.seek(7)
    np.testing.assert_array_equal(np.concatenate(list(stream_audio(stream))), read_audio(recording("flac")))
    assert not stream.closed


@pytest.mark.parametrize("name", ["wav", "m4a"])
def test_a_pipe(name: str, recording: Callable[[str], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn_hf.audio.sources.MOST_IN_MEMORY", 1_000)  # so that it goes to a file
    reading, writing = os.pipe()
    writer = threading.Thread(target=lambda: [os.write(writing, recording(name)), os.close(writing)])
    writer.start()
    with os.fdopen(reading, "rb") as pipe:
        joined = np.concatenate(list(stream_audio(pipe)))
    writer.join()
    np.testing.assert_array_equal(joined, read_audio(recording(name)))


# --- Memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "subtype", "seconds"), [("WAV", "PCM_16", 200), ("FLAC", "PCM_16", 200), ("MP3", "MPEG_LAYER_III", 40)]
)
def test_memory_does_not_grow_with_length(
    tmp_path: Path, form: str, subtype: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_soundfile, "MOST_VALUES", 2**15)
    path = tmp_path / "long"
    soundfile.write(path, np.zeros((seconds * RATE, 2), np.float32), RATE, subtype, format=form)
    tracemalloc.start()
    try:
        samples = sum(len(block) for block in stream_audio(path, 8_000, block_seconds=0.5))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert samples >= seconds * 8_000
    assert peak < samples * 4 / 3  # a third of what the joined blocks would take


# --- Refusals -------------------------------------------------------------------------------------------------------


def test_a_cut_file_is_refused_before_the_first_block(recording: Callable[[str], bytes]) -> None:
    for name in ("wav", "ogg opus", "mp3", "m4a", "webm", "aiff"):
        blocks = stream_audio(recording(name)[:-10], block_seconds=0.01, name="clip")
        with pytest.raises(AudioReadError, match=r"^clip: cut off"):
            next(blocks)


def test_damage_is_refused_when_it_is_met(recording: Callable[[str], bytes]) -> None:
    flac = bytearray(recording("flac"))
    damage = len(flac) * 3 // 4
    flac[damage : damage + 100] = np.random.default_rng(0).bytes(100)
    good = []
    with pytest.raises(AudioReadError, match=r"^clip: cut off or damaged: "):
        good.extend(in_small_pieces(bytes(flac)))
    whole = read_audio(recording("flac"))
    joined = np.concatenate(good)
    assert len(whole) // 2 < len(joined) < len(whole)
    np.testing.assert_array_equal(joined, whole[: len(joined)])


def test_samples_that_are_no_finite_numbers(encode: Callable[..., bytes]) -> None:
    samples = np.zeros(RATE, np.float32)
    samples[12_000] = np.nan
    blocks = in_small_pieces(encode("WAV", "FLOAT", samples))
    with pytest.raises(AudioReadError, match=r"^clip: the sample 0\.750 s in is not a finite number, but nan"):
        assert [len(next(blocks)) for _ in range(8)] == [1_600] * 7


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.wav"):
        next(stream_audio(tmp_path / "missing.wav"))


@pytest.mark.parametrize(
    "content", [b"", b"R", b"This is a text, not a recording.\n" * 200, bytes(10_000)], ids=["empty", "R", "text", "0"]
)
def test_what_is_not_audio(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "not audio.wav"
    path.write_bytes(content)
    with pytest.raises(AudioReadError) as by_reading:
        read_audio(path)
    with pytest.raises(AudioReadError) as by_streaming:
        next(stream_audio(path))
    assert str(by_streaming.value) == str(by_reading.value)
