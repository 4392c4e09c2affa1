"""Whole, but not sound: a damaged recording is read or refused, and nothing else comes of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crnn_hf.audio import AudioReadError, read_audio


@pytest.mark.parametrize("name", ["flac", "ogg vorbis", "ogg opus", "mp3", "m4a", "webm", "amr"])
def test_damage_in_the_middle_is_refused(name: str, recording: Callable[[str], bytes]) -> None:
    content = bytearray(recording(name))
    middle = len(content) // 2
    content[middle : middle + 500] = np.random.default_rng(0).bytes(500)
    with pytest.raises(AudioReadError, match=r": (cut off or )?damaged: "):
        read_audio(bytes(content))


@pytest.mark.parametrize("name", ["ogg opus", "ogg opus by ffmpeg", "ogg vorbis"])
def test_a_single_wrong_byte_in_ogg_is_refused(name: str, recording: Callable[[str], bytes]) -> None:
    for at in range(0, len(recording(name)), 101):
        content = bytearray(recording(name))
        content[at] ^= 0x10
        with pytest.raises(AudioReadError):
            read_audio(bytes(content))


def test_a_page_that_is_missing_from_ogg_is_refused(recording: Callable[[str], bytes]) -> None:
    opus = recording("ogg opus by ffmpeg")
    begin = opus.index(b"OggS", opus.index(b"OpusTags"))  # of the first page of audio
    with pytest.raises(AudioReadError, match=f"page 2 of an Ogg stream is missing at byte {begin}"):
        read_audio(opus[:begin] + opus[opus.index(b"OggS", begin + 1) :])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["wav", "flac", "ogg opus", "mp3", "wav mp3", "m4a", "wma", "matroska double"])
def test_a_few_wrong_bytes_do_no_harm(
    tmp_path: Path, name: str, recording: Callable[[str], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "damaged"
    for seed in range(60):
        generator = np.random.default_rng(seed)
        content = bytearray(recording(name))
        end = len(content) if seed % 2 else 400  # every other time all of them in the header
        for at in generator.integers(end, size=5):
            content[at] = generator.choice([0x00, 0x7F, 0x80, 0xFF, generator.integers(256)])
        path.write_bytes(content)
        try:
            waveform = read_audio(path)
        except AudioReadError:
            continue
        assert waveform.dtype == np.float32
        assert waveform.ndim == 1
        assert len(waveform) > 0
        assert np.isfinite(waveform).all()
    assert capfd.readouterr() == ("", "")
