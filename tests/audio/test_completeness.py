"""Whole or not at all: files cut short, and files that cannot tell how long they should be."""

import struct
from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.audio import AudioReadError, read_audio

# Formats whose length nothing declares, or nothing here looks at; all are in read_audio's docstring. The MP3 is here
# because its frames are all of one size, so that half of the file ends between two of them.
CANNOT_TELL = {
    *("ac3", "mpegts", "mp3 without note"),
    *("avr", "ircam", "mat4", "mat5", "mpc2k", "paf", "pvf", "voc", "wve"),
}


def test_truncated_files_are_refused(
    any_format: str, recording: Callable[[str], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    content = recording(any_format)
    whole = len(read_audio(content))
    for tenth in range(1, 10):
        try:
            length = len(read_audio(content[: len(content) * tenth // 10], name=any_format))
        except AudioReadError as error:
            assert error.name == any_format  # noqa: PT017 - both outcomes are in order for some formats
        else:
            assert any_format in CANNOT_TELL, f"cut to {tenth} tenths, it was read as {length} of {whole} samples"
            assert 0 < length < whole
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name",
    ["wav", "rf64", "au", "flac", "ogg opus", "mp3", "mp3 by ffmpeg", "mp3 without note", "wav mp3", "m4a", "webm"],
)
def test_a_single_missing_byte_is_noticed(name: str, recording: Callable[[str], bytes]) -> None:
    with pytest.raises(AudioReadError, match="cut off"):
        read_audio(recording(name)[:-1])


def test_an_mp3_cut_between_two_frames_is_noticed_by_its_note_alone(recording: Callable[[str], bytes]) -> None:
    def without_last_frame(mp3: bytes) -> bytes:
        # All frames begin with the same two bytes, of which the bit rate and all else that follows may differ.
        return mp3[: mp3.rindex(mp3[mp3.index(b"\xff\xf3") :][:2])]

    with pytest.raises(AudioReadError, match="declares"):
        read_audio(without_last_frame(recording("mp3")))
    whole = recording("mp3 without note")
    assert 0 < len(read_audio(without_last_frame(whole))) < len(read_audio(whole))  # it cannot tell


def test_mp4_without_its_index(recording: Callable[[str], bytes]) -> None:
    m4a = recording("m4a")
    with pytest.raises(AudioReadError, match="no 'moov' box"):
        read_audio(m4a[: m4a.index(b"moov") - 4])


# --- Streams of unknown length --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_wav_whose_writer_could_not_seek_back(size: int, recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    wav = recording("wav")
    at = wav.index(b"data") + 4
    streamed = wav[:at] + struct.pack("<I", size) + wav[at + 4 :]
    assert len(read_audio(streamed)) == len(tone)
    assert 0 < len(read_audio(streamed[: len(wav) // 2])) < len(tone)  # it cannot tell


def test_au_of_unknown_length(recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    au = recording("au")
    assert len(read_audio(au[:8] + struct.pack(">I", 0xFFFFFFFF) + au[12:])) == len(tone)


def test_flac_that_declares_no_length(recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    # STREAMINFO begins at byte 8; its total number of samples is the last 36 bits before the MD5 sum (RFC 9639, 8.2).
    flac = bytearray(recording("flac"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    assert len(read_audio(bytes(flac))) == len(tone)
    with pytest.raises(AudioReadError, match="cut off"):
        read_audio(bytes(flac[: len(flac) // 2]))


def test_webm_as_browsers_record_it(recording: Callable[[str], bytes], tone: np.ndarray) -> None:
    """Segment and clusters of unknown size: a cut shows within a block, not between two."""
    webm = bytearray(recording("webm live"))
    at = -1
    while (at := webm.find(bytes.fromhex("1f43b675"), at + 1)) >= 0:
        length = 9 - webm[at + 4].bit_length()
        webm[at + 4 : at + 4 + length] = (0x01FFFFFFFFFFFFFF).to_bytes(8)
    whole = bytes(webm)
    assert len(read_audio(whole)) == len(tone)
    unnoticed = []
    for missing in range(1, 500):
        try:
            unnoticed.append(len(read_audio(whole[:-missing])))
        except AudioReadError as error:
            assert error.reason.startswith("cut off")  # noqa: PT017 - both outcomes are in order
    # Some four blocks lie there, a cluster may begin.
    assert 0 < len(unnoticed) < 10
    assert 0 < min(unnoticed) <= max(unnoticed) < len(tone)  # it cannot tell
