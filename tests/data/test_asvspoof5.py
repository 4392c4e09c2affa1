"""A corpus is found in every form in which it is kept; what is missing is counted, what is damaged is named."""

import functools
import http.server
import os
import re
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest

from crnn_hf.audio import AudioReadError
from crnn_hf.data import ASVspoof5, Coverage, ProtocolError, coverage, load_asvspoof5, overview
from crnn_hf.data.checking import check_split

PROTOCOLS = "ASVspoof5_protocols.tar.gz"


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return shutil.copytree(tiny_corpus, tmp_path / "corpus")


def unpack(archive: Path, to: Path | None = None) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(to or archive.parent)
    archive.unlink()


def contents(dataset: datasets.Dataset | datasets.IterableDataset) -> dict[str, bytes]:
    return {row["utterance"]: row["audio"]["bytes"] for row in dataset}


def test_rows_of_a_split(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    assert len(train) == 16
    assert train.features["label"].names == ["real", "fake"]
    row = train[3]
    assert row["utterance"] == "T_0000000003"
    assert re.fullmatch(r"T_\d{4}", row["speaker"])
    assert row["gender"] in ("F", "M")
    assert (row["attack"] == "bonafide") == (row["label"] == 0)
    assert [row[name] for name in ("codec", "codec_quality", "codec_seed", "attack_tag")] == ["-"] * 4
    assert row["audio"]["path"] == f"{tiny_corpus.resolve()}/flac_T_aa.tar/flac_T/T_0000000003.flac"
    assert row["audio"]["bytes"].startswith(b"fLaC")
    assert sorted(train["label"]) == [0] * 8 + [1] * 8


def test_info_says_whose_it_is(tiny_corpus: Path) -> None:
    info = load_asvspoof5(tiny_corpus, "train").info
    assert "ODC-By" in info.license
    assert "asvspoof5" in info.citation
    assert info.homepage.startswith("https://")


def test_the_builder_makes_every_split_asked_for(tiny_corpus: Path, tmp_path: Path) -> None:
    builder = ASVspoof5(cache_dir=str(tmp_path), source=str(tiny_corpus), splits=("train", "validation"))
    builder.download_and_prepare()
    assert {name: len(split) for name, split in builder.as_dataset().items()} == {"train": 16, "validation": 8}


def test_the_same_corpus_is_copied_once_and_a_changed_one_anew(corpus: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = load_asvspoof5(corpus, "train", cache_dir=cache)
    (arrow,) = (Path(file["filename"]) for file in first.cache_files)
    written = arrow.stat().st_mtime_ns
    load_asvspoof5(corpus, "train", cache_dir=cache)
    assert arrow.stat().st_mtime_ns == written
    (corpus / "flac_T_ab.tar").unlink()
    assert len(load_asvspoof5(corpus, "train", cache_dir=cache)) == 8


def test_several_processes_give_the_same(tiny_corpus: Path, tmp_path: Path) -> None:
    parallel = load_asvspoof5(tiny_corpus, "train", num_proc=2, cache_dir=tmp_path)
    assert parallel.to_list() == load_asvspoof5(tiny_corpus, "train").to_list()


def test_enrolment_files_are_counted_and_left_out(tiny_corpus: Path) -> None:
    validation = load_asvspoof5(tiny_corpus, "validation")
    assert len(validation) == 8
    assert coverage(tiny_corpus, "validation") == Coverage(lines=8, without_audio=0, unlisted=3)
    assert overview(validation, tiny_corpus, "validation") == (
        "validation: 8 clips, 4 real and 4 fake, 4 known attacks; 0 lines without audio, 3 audio files without a line"
    )


def test_unpacked_is_the_same(corpus: Path) -> None:
    before = contents(load_asvspoof5(corpus, "train"))
    for archive in corpus.glob("flac_T_*.tar"):
        unpack(archive)
    unpack(corpus / PROTOCOLS)
    assert contents(load_asvspoof5(corpus, "train")) == before


def test_protocols_in_a_plain_tar_or_a_folder(corpus: Path) -> None:
    before = contents(load_asvspoof5(corpus, "train"))
    folder = corpus / "ASVspoof5_protocols"
    unpack(corpus / PROTOCOLS, folder)
    assert contents(load_asvspoof5(corpus, "train")) == before
    with tarfile.open(corpus / "ASVspoof5_protocols.tar", "w") as tar:
        tar.add(folder, "protocols")
    shutil.rmtree(folder)
    assert contents(load_asvspoof5(corpus, "train")) == before


def test_a_mix_of_tars_and_folders_is_the_same(corpus: Path) -> None:
    before = contents(load_asvspoof5(corpus, "train"))
    unpack(corpus / "flac_T_ab.tar")
    assert contents(load_asvspoof5(corpus, "train")) == before
    # A tar that was unpacked and kept does not count twice.
    shutil.copy(corpus / "flac_T_aa.tar", corpus / "copy.tar")
    unpack(corpus / "copy.tar")
    mixed = load_asvspoof5(corpus, "train")
    assert len(mixed) == 16
    assert contents(mixed) == before
    assert check_split(corpus, "train", progress=False).read == 16


def test_some_tars_only(corpus: Path) -> None:
    (corpus / "flac_T_ab.tar").unlink()
    assert len(load_asvspoof5(corpus, "train")) == 8
    assert coverage(corpus, "train") == Coverage(lines=16, without_audio=8, unlisted=0)


def test_the_first_clips_alone(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train", first=5)
    assert train.to_list() == load_asvspoof5(tiny_corpus, "train").select(range(5)).to_list()
    assert train.features == load_asvspoof5(tiny_corpus, "train").features


# --- Streams --------------------------------------------------------------------------------------------------------


def test_a_stream_gives_the_same_rows(tiny_corpus: Path) -> None:
    stream = load_asvspoof5(tiny_corpus, "train", streaming=True)
    assert stream.num_shards == 2  # one a tar
    assert list(stream) == load_asvspoof5(tiny_corpus, "train").to_list()
    assert len(list(load_asvspoof5(tiny_corpus, "train", streaming=True, first=5))) == 5


def test_a_stream_goes_on_where_it_stopped(tiny_corpus: Path) -> None:
    whole = [row["utterance"] for row in load_asvspoof5(tiny_corpus, "train", streaming=True)]
    stream = load_asvspoof5(tiny_corpus, "train", streaming=True)
    rows = iter(stream)
    begun = [next(rows)["utterance"] for _ in range(11)]
    again = load_asvspoof5(tiny_corpus, "train", streaming=True)
    again.load_state_dict(stream.state_dict())
    assert begun + [row["utterance"] for row in again] == whole


def test_a_shuffled_stream_repeats_for_a_seed(tiny_corpus: Path) -> None:
    def names(seed: int) -> list[str]:
        stream = load_asvspoof5(tiny_corpus, "train", streaming=True).shuffle(seed=seed, buffer_size=8)
        return [row["utterance"] for row in stream]

    assert names(0) == names(0) != names(1)
    assert sorted(names(0)) == sorted(names(1))


def test_workers_share_the_tars_of_a_stream(tiny_corpus: Path) -> None:
    from torch.utils.data import DataLoader

    stream = load_asvspoof5(tiny_corpus, "train", streaming=True)
    rows = list(DataLoader(stream, batch_size=None, num_workers=2))
    assert sorted(row["utterance"] for row in rows) == [f"T_{index:010d}" for index in range(16)]


class RangeRequestHandler(http.server.SimpleHTTPRequestHandler):
    """A file server that answers requests for a part of a file, as the Hub and Zenodo do, and keeps count."""

    sent = 0

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        path = Path(self.translate_path(self.path))
        if wanted is None or not path.is_file():
            super().do_GET()
            return
        size = path.stat().st_size
        first, last = int(wanted[1]), min(int(wanted[2] or size), size - 1)
        with path.open("rb") as file:
            file.seek(first)
            content = file.read(last - first + 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        type(self).sent += len(content)

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()


@pytest.fixture
def address(tiny_corpus: Path) -> Iterator[str]:
    """The tiny corpus behind an address of this machine."""
    handler = functools.partial(RangeRequestHandler, directory=os.fspath(tiny_corpus))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        RangeRequestHandler.sent = 0
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_corpus_behind_an_address_is_streamed(address: str, tiny_corpus: Path) -> None:
    stream = load_asvspoof5(address, "train", streaming=True)
    assert stream.num_shards == 2
    assert contents(stream) == contents(load_asvspoof5(tiny_corpus, "train"))
    assert RangeRequestHandler.sent > 0


def test_a_corpus_behind_an_address_is_downloaded(address: str, tiny_corpus: Path, tmp_path: Path) -> None:
    train = load_asvspoof5(address, "train", cache_dir=tmp_path)
    assert contents(train) == contents(load_asvspoof5(tiny_corpus, "train"))
    assert train[0]["audio"]["path"] == f"{address}/flac_T_aa.tar/flac_T/T_0000000000.flac"
    assert overview(train, address, "train") == "train: 16 clips, 8 real and 8 fake, 4 known attacks"


def test_nothing_behind_an_address(address: str) -> None:
    with pytest.raises(ProtocolError, match=r"no ASVspoof5\.eval\.track_1\.tsv in it"):
        load_asvspoof5(address, "test", streaming=True)
    with pytest.raises(FileNotFoundError, match="no protocol"):
        load_asvspoof5(f"{address}/nowhere", "train")


# --- What cannot be right -------------------------------------------------------------------------------------------


def test_no_tars_at_all(corpus: Path) -> None:
    for archive in corpus.glob("flac_T_*.tar"):
        archive.unlink()
    with pytest.raises(FileNotFoundError, match=r"no clips; expected flac_T_\*\.tar or flac_T/\*\.flac"):
        load_asvspoof5(corpus, "train")


def test_tars_of_other_clips_only(corpus: Path) -> None:
    for name in ("flac_T_aa.tar", "flac_T_ab.tar"):
        shutil.copy(corpus / "flac_D_aa.tar", corpus / name)
    with pytest.raises(FileNotFoundError, match=r"not one of the clips that ASVspoof5\.train\.tsv lists"):
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


def test_a_line_that_cannot_be_right_is_named(corpus: Path) -> None:
    unpack(corpus / PROTOCOLS)
    protocol = corpus / "ASVspoof5.train.tsv"
    lines = protocol.read_text().splitlines()
    lines[4] = lines[4].replace(" ", "\t")
    protocol.write_text("\n".join(lines))
    with pytest.raises(ProtocolError, match=rf"^{protocol}, line 5: 1 fields; expected ten"):
        load_asvspoof5(corpus, "train")


def test_a_cut_tar_is_named(corpus: Path) -> None:
    path = corpus / "flac_T_ab.tar"
    path.write_bytes(path.read_bytes()[:-60_000])
    for load in (load_asvspoof5, coverage):
        with pytest.raises(AudioReadError, match=r"flac_T_ab\.tar: not a whole tar archive"):
            load(corpus, "train")
    with pytest.raises(AudioReadError, match=r"flac_T_ab\.tar: not a whole tar archive"):
        list(load_asvspoof5(corpus, "train", streaming=True))


def test_a_cut_protocol_archive_is_named(corpus: Path) -> None:
    path = corpus / PROTOCOLS
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ProtocolError, match=r"ASVspoof5_protocols\.tar\.gz: not a whole tar archive"):
        load_asvspoof5(corpus, "train")
