"""Waveforms as FLAC files of 16 bits: to the bit where they can be, clipped where they must be."""

import io

import numpy as np
import pytest
import soundfile

from crnn_hf.audio import read_audio
from crnn_hf.audio.flac import as_flac


def steps(content: bytes) -> list[int]:
    return soundfile.read(io.BytesIO(content), dtype="int16")[0].tolist()


def test_what_was_read_from_16_bits_is_written_as_it_was() -> None:
    waveform = np.arange(-32_768, 32_768, dtype=np.float32) / 32_768
    content = as_flac(waveform, 16_000)
    np.testing.assert_array_equal(read_audio(content, 16_000), waveform)
    info = soundfile.info(io.BytesIO(content))
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 16_000, 1)


@pytest.mark.parametrize(
    ("full_scale", "expected"), [(32_768, [-32_768, -16_384, 0, 32_767]), (32_767, [-32_767, -16_384, 0, 32_767])]
)
def test_full_scale(full_scale: int, expected: list[int]) -> None:
    waveform = np.array([-1, -0.5, 0, 1], np.float32)
    assert steps(as_flac(waveform, 8_000, full_scale)) == expected
    assert steps(as_flac(np.array([-1.5, 7], np.float32), 8_000, full_scale)) == [expected[0], expected[-1]]


def test_it_is_what_libsndfile_makes_of_floats() -> None:
    waveform = np.random.default_rng(0).normal(0, 0.5, 50_000).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, np.clip(waveform, -1, 1), 16_000, format="FLAC", subtype="PCM_16")
    assert as_flac(waveform, 16_000) == file.getvalue()
