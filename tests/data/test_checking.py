"""A sound corpus passes; each fault is found and named."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from crnn_hf.data.checking import check_split, differing_checksums, splits_in


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def damage(tar: Path, clip: str) -> None:
    """Overwrite the middle of a clip within its tar."""
    content = bytearray(tar.read_bytes())
    begin = content.index(b"fLaC", content.index(clip.encode()))
    content[begin + 10_000 : begin + 12_000] = bytes(2_000)
    tar.write_bytes(content)


def test_a_sound_corpus(tiny_corpus: Path) -> None:
    assert splits_in(tiny_corpus) == ["train", "validation"]
    check = check_split(tiny_corpus, "validation", sample=None, progress=False)
    assert check.is_sound
    assert check.read == 8
    assert str(check) == (
        "validation: 8 lines (ASVspoof 5 as published has 140,950), 0 of them without audio; "
        "3 audio files without a line; 8 clips read whole, 0 that cannot be"
    )


def test_every_damaged_clip_is_named(corpus: Path) -> None:
    for clip in ("T_0000000002", "T_0000000005"):
        damage(corpus / "flac_T_aa.tar", clip)
    check = check_split(corpus, "train", sample=None, progress=False)
    assert not check.is_sound
    assert check.read == 14
    assert [re.search(r"flac_T_aa\.tar/flac_T/(T_\d+)\.flac: ", fault)[1] for fault in check.faults] == [
        "T_0000000002",
        "T_0000000005",
    ]


def test_a_sample_is_always_the_same(corpus: Path) -> None:
    assert check_split(corpus, "train", sample=5, progress=False).read == 5
    faults = []
    for index in range(16):
        shutil.copy(corpus / "flac_T_aa.tar", corpus / "kept")
        if index < 8:
            damage(corpus / "flac_T_aa.tar", f"T_{index:010d}")
        faults += check_split(corpus, "train", sample=5, progress=False).faults
        shutil.move(corpus / "kept", corpus / "flac_T_aa.tar")
    # Of the eight clips that are damaged in turn, those of the sample are found, and the sample is the same each time.
    assert 0 < len(faults) <= 5
    assert len(set(faults)) == len(faults)


def test_missing_clips_are_not_sound(corpus: Path) -> None:
    (corpus / "flac_T_ab.tar").unlink()
    check = check_split(corpus, "train", progress=False)
    assert (check.coverage.without_audio, check.read, check.is_sound) == (8, 8, False)


def test_checksums(corpus: Path, tmp_path: Path) -> None:
    sums = tmp_path / "md5.txt"
    right = hashlib.md5((corpus / "flac_T_aa.tar").read_bytes()).hexdigest()
    sums.write_text(f"{right}  flac_T_aa.tar\n{right} *flac_T_ab.tar\n{right}  flac_T_ac.tar\n")
    wrong, absent = differing_checksums(corpus, sums)
    assert "flac_T_ab.tar: its MD5 sum is " in wrong
    assert absent.endswith("flac_T_ac.tar: not there")
    sums.write_text("d41d8cd9 flac_T_aa.tar\n")
    with pytest.raises(ValueError, match=r"md5\.txt, line 1: .*expected an MD5 sum and a file name"):
        differing_checksums(corpus, sums)
