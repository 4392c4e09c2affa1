"""A corpus is found in every form in which it is kept; what is missing is counted, what is damaged is named."""

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crnn_hf.audio import AudioReadError
from crnn_hf.data import ProtocolError, load_asvspoof5

PROTOCOLS = "ASVspoof5_protocols.tar.gz"


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def unpack(archive: Path, to: Path | None = None) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(to or archive.parent)
    archive.unlink()


def names(directory: Path, split: str = "train") -> list[str]:
    return [trial.utterance for trial in load_asvspoof5(directory, split).trials]


def test_clips_of_a_split(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    assert (len(train), train.missing, train.unlisted) == (16, 0, 0)
    assert sorted(train.labels) == [0] * 8 + [1] * 8
    for index, trial in enumerate(train.trials):
        clip = train[index]
        assert (clip["utterance"], clip["label"]) == (trial.utterance, trial.label)
        assert clip["waveform"].dtype == np.float32
        assert 32_000 <= len(clip["waveform"]) <= 64_000
    assert "16 clips, 8 real and 8 fake, 4 attacks; 0 lines without audio" in train.summary("train")


def test_enrolment_files_are_counted_and_left_out(tiny_corpus: Path) -> None:
    validation = load_asvspoof5(tiny_corpus, "validation")
    assert (len(validation), validation.unlisted) == (8, 3)


def test_transform_and_sampling_rate(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train", sampling_rate=8_000)
    half = len(train[0]["waveform"])
    assert half == len(load_asvspoof5(tiny_corpus, "train")[0]["waveform"]) // 2
    assert len(replace(train, transform=lambda waveform: waveform[:100])[0]["waveform"]) == 100


def test_unpacked_is_the_same(corpus: Path) -> None:
    before, first = names(corpus), load_asvspoof5(corpus, "train")[3]
    for archive in corpus.glob("flac_T_*.tar"):
        unpack(archive)
    unpack(corpus / PROTOCOLS)
    assert names(corpus) == before
    np.testing.assert_array_equal(load_asvspoof5(corpus, "train")[3]["waveform"], first["waveform"])


def test_protocols_in_a_plain_tar_or_a_folder(corpus: Path) -> None:
    before = names(corpus)
    folder = corpus / "ASVspoof5_protocols"
    unpack(corpus / PROTOCOLS, folder)
    assert names(corpus) == before
    with tarfile.open(corpus / "ASVspoof5_protocols.tar", "w") as tar:
        tar.add(folder, "protocols")
    shutil.rmtree(folder)
    assert names(corpus) == before


def test_a_tar_unpacked_beside_itself_counts_once(corpus: Path) -> None:
    before = names(corpus)
    shutil.copy(corpus / "flac_T_aa.tar", corpus / "copy.tar")
    unpack(corpus / "copy.tar")
    assert names(corpus) == before


def test_some_tars_only(corpus: Path) -> None:
    (corpus / "flac_T_ab.tar").unlink()
    train = load_asvspoof5(corpus, "train")
    assert (len(train), train.missing) == (8, 8)


def test_no_tars_at_all(corpus: Path) -> None:
    for archive in corpus.glob("flac_T_*.tar"):
        archive.unlink()
    with pytest.raises(FileNotFoundError, match=r"none of the 16 clips .* expected flac_T_\*\.tar or flac_T/\*\.flac"):
        load_asvspoof5(corpus, "train")


def test_no_protocol(corpus: Path) -> None:
    (corpus / PROTOCOLS).unlink()
    with pytest.raises(FileNotFoundError, match=r"no protocol; expected ASVspoof5\.train\.tsv or ASVspoof5_protocols"):
        load_asvspoof5(corpus, "train")


def test_the_corpus_has_no_test_split(tiny_corpus: Path) -> None:
    with pytest.raises(ProtocolError, match=r"no ASVspoof5\.eval\.track_1\.tsv in it"):
        load_asvspoof5(tiny_corpus, "test")


def test_no_such_split_or_directory(tiny_corpus: Path) -> None:
    with pytest.raises(ValueError, match="no split 'dev'; expected one of train, validation, test"):
        load_asvspoof5(tiny_corpus, "dev")
    with pytest.raises(FileNotFoundError, match="nowhere is no directory"):
        load_asvspoof5(tiny_corpus / "nowhere", "train")


def test_a_cut_tar_is_named(corpus: Path) -> None:
    path = corpus / "flac_T_ab.tar"
    path.write_bytes(path.read_bytes()[:-60_000])
    with pytest.raises(AudioReadError, match=r"flac_T_ab\.tar: not a whole tar archive"):
        load_asvspoof5(corpus, "train")


def test_a_cut_protocol_archive_is_named(corpus: Path) -> None:
    path = corpus / PROTOCOLS
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ProtocolError, match=r"ASVspoof5_protocols\.tar\.gz: not a whole tar archive"):
        load_asvspoof5(corpus, "train")


def test_a_damaged_clip_is_named_with_its_archive(corpus: Path) -> None:
    train = load_asvspoof5(corpus, "train")
    location = train.locations[2]
    content = bytearray(location.file.read_bytes())
    middle = location.offset + location.size // 2
    content[middle : middle + 2_000] = bytes(2_000)
    location.file.write_bytes(content)
    assert len(train[1]["waveform"])
    with pytest.raises(AudioReadError, match=r"flac_T_aa\.tar/flac_T/T_0000000002\.flac: .*damaged"):
        train[2]


def test_two_files_for_one_clip(corpus: Path) -> None:
    (corpus / "flac_T").mkdir()
    (corpus / "flac_T" / "T_0000000002.flac").write_bytes(b"another")
    with pytest.raises(ValueError, match="two different audio files for one clip"):
        load_asvspoof5(corpus, "train")
