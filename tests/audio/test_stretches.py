"""A stretch is what the whole recording has in that place, whatever the format."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.audio import AudioReadError, read_audio, read_stretch, stretch


@pytest.mark.parametrize("position", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", ["wav", "flac", "wav float", "ogg vorbis", "mp3", "m4a"])
def test_a_stretch_is_a_part_of_the_whole(name: str, position: float, recording: Callable[[str], bytes]) -> None:
    content = recording(name)
    whole = read_audio(content)
    expected = stretch(whole, 8_000, position)
    assert len(expected) == 8_000
    np.testing.assert_allclose(read_stretch(content, 0.5, position, 16_000, name=name), expected, atol=1e-6)


def test_shorter_recordings_are_read_whole(recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    assert len(read_stretch(recording("flac"), 5.0, 0.7, 16_000, name="x")) == len(tone)


def test_stretches_are_resampled_and_channels_averaged(encode: Callable[..., bytes]) -> None:
    channels = np.stack([np.linspace(-0.5, 0.5, 96_000), np.zeros(96_000)], axis=1).astype(np.float32)
    content = encode("WAV", "FLOAT", channels, 48_000)
    found = read_stretch(content, 1.0, 1.0, 16_000, name="x")
    assert len(found) == 16_000
    np.testing.assert_allclose(found[1_000:-1_000], np.linspace(0, 0.25, 16_000)[1_000:-1_000], atol=1e-3)


def test_damage_in_the_stretch_is_named(recording: Callable[[str], bytes]) -> None:
    content = recording("flac")
    with pytest.raises(AudioReadError, match=r"^x\.flac: cut off or damaged"):
        read_stretch(content[: len(content) // 2], 0.5, 1.0, 16_000, name="x.flac")


def test_a_cut_wav_is_refused_wherever_the_stretch_lies(recording: Callable[[str], bytes]) -> None:
    content = recording("wav")
    with pytest.raises(AudioReadError, match=r"^x\.wav: cut off: its 'data' chunk declares 64000 bytes"):
        read_stretch(content[:40_000], 0.5, 0.0, 16_000, name="x.wav")


def test_positions() -> None:
    waveform = np.arange(10)
    assert stretch(waveform, 4, 0.0).tolist() == [0, 1, 2, 3]
    assert stretch(waveform, 4, 1.0).tolist() == [6, 7, 8, 9]
    assert stretch(waveform, 20, 0.5).tolist() == list(range(10))
