"""Anybody's recordings become a corpus, whatever they lie in; what is wrong with them is named and counted."""

import json
import logging
import pickle
from collections.abc import Sequence
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from datasets import Audio, ClassLabel, Features, Value

from crnn_hf.data import ClipReader, columns, load_asvspoof5
from crnn_hf.data.own.recordings import load_recordings

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})
BENCHMARK = {
    "path": Value("string"),
    "audio": Audio(sampling_rate=16_000),
    "label": ClassLabel(names=["bonafide", "spoof"]),
    "notes": Value("string"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two real recordings, of which one is in a speaker's folder, and two fakes, one in an attack's."""
    for name in ("real/a.flac", "real/alice/b.flac", "fake/c.flac", "fake/vocoder/deep/d.WAV"):
        touch(tmp_path / "set" / name)
    return tmp_path / "set"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"never opened")
    return path


def table(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def parquet(path: Path, values: dict[str, Sequence], features: dict | None = None) -> Path:
    """Write a Parquet file; with features as `datasets` does, with what they are in its metadata."""
    content = pa.table(values)
    pq.write_table(content.cast(Features(features).arrow_schema) if features else content, path)
    return path


def embedded(*names: str | None) -> pa.Array:
    return pa.array([{"bytes": f"<{name}>".encode(), "path": name} for name in names], STRUCT)


def column(dataset: datasets.Dataset, name: str) -> list:
    return list(dataset[name])


# Folders


def test_a_folder_for_each_class(folder: Path) -> None:
    loaded = load_recordings(folder)
    assert loaded.features == columns.features()
    assert loaded.column_names == list(columns.features())
    assert column(loaded, "utterance") == ["fake/c", "fake/vocoder/deep/d", "real/a", "real/alice/b"]
    assert column(loaded, "label") == [1, 1, 0, 0]
    assert column(loaded, "attack") == ["-", "vocoder", "-", "-"]
    assert column(loaded, "speaker") == ["-", "-", "-", "alice"]
    assert column(loaded, "codec") == ["-"] * 4
    assert loaded[1]["audio"] == {"bytes": None, "path": str(folder / "fake/vocoder/deep/d.WAV")}


def test_a_relative_folder_gives_absolute_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert load_recordings("set/").to_list() == load_recordings(folder).to_list()


def test_what_is_heard_is_the_file(folder: Path, speech: np.ndarray) -> None:
    soundfile.write(folder / "fake/c.flac", speech, 16_000)
    clip = load_recordings(folder).with_transform(ClipReader())[0]
    assert clip["utterance"] == "fake/c"
    np.testing.assert_allclose(clip["waveform"], speech, atol=1e-4)


@pytest.mark.parametrize("names", [("bonafide", "spoof"), ("Real", "FAKE"), ("bona-fide", "deepfake")])
def test_other_names_of_class_folders(folder: Path, names: tuple[str, str]) -> None:
    (folder / "real").rename(folder / names[0])
    (folder / "fake").rename(folder / names[1])
    assert sum(load_recordings(folder)["label"]) == 2


def test_class_folders_with_names_of_ones_own(folder: Path) -> None:
    (folder / "real").rename(folder / "studio")
    (folder / "fake").rename(folder / "tts")
    loaded = load_recordings(folder, real=["studio"], fake=["tts", "vc"])
    assert dict(zip(loaded["utterance"], loaded["label"], strict=True))["studio/a"] == 0


def test_other_files_are_skipped_and_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("real/notes.txt", "fake/x.csv", "fake/LICENSE", "real/.DS_Store", "real/.git/a.flac", "logs/x.wav"):
        touch(folder / name)
    with caplog.at_level(logging.WARNING):
        assert len(load_recordings(folder)) == 4
    (kinds, outside) = (record.getMessage() for record in caplog.records)
    assert kinds == f"{folder}: skipped 5 file(s) that are no audio: 1 .csv, 1 .txt, 2 hidden, 1 license"
    assert outside == f"{folder}: skipped 1 file(s) outside of its class folders: logs"


def test_nothing_is_logged_where_nothing_is_skipped(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_recordings(folder)
    assert not caplog.records


def test_links_are_followed_and_a_broken_one_is_named(folder: Path, tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere/e.mp3")
    (folder / "fake/linked").symlink_to(tmp_path / "elsewhere")
    assert "fake/linked/e" in load_recordings(folder)["utterance"]
    (folder / "real/broken.wav").symlink_to(tmp_path / "nowhere.wav")
    with pytest.raises(FileNotFoundError, match=r"no file .*real/broken\.wav"):
        load_recordings(folder)


def test_a_class_without_recordings(folder: Path) -> None:
    (folder / "real/a.flac").unlink()
    (folder / "real/alice/b.flac").rename(folder / "real/alice/b.txt")
    with pytest.raises(FileNotFoundError, match=r"no recordings that are real in .*'bonafide'.*found fake/, real/"):
        load_recordings(folder)
    (folder / "real").rename(folder / "others")
    with pytest.raises(FileNotFoundError, match=r"no recordings that are real in .*found fake/, others/"):
        load_recordings(folder)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav")
    with pytest.raises(FileNotFoundError, match=r"a folder for each class.*'real'.*found a\.wav"):
        load_recordings(tmp_path)


def test_recordings_of_one_name(folder: Path) -> None:
    touch(folder / "real/a.mp3")
    with pytest.raises(ValueError, match=r"a name of its own in every row; 1 lack it: row 4: 'real/a', as row 3"):
        load_recordings(folder)


def test_arguments_without_meaning_for_a_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="speaker='spk' has no meaning"):
        load_recordings(folder, speaker="spk")
    with pytest.raises(ValueError, match="split='train' has no meaning"):
        load_recordings(folder, split="train")


# Tables that are texts


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "path,is_fake,spk\nreal/a.flac,0,bob\n./fake/c.flac,1,\n"),
        ("t.csv", '\ufeffspk,"path",is_fake\r\nbob,"real/a.flac",False\r\n\r\n,fake/c.flac,TRUE\r\n'),
        ("t.TSV", "path\tis_fake\tspk\nreal/a.flac\tbona-fide\tbob\nfake/c.flac\t Spoof \t\n"),
        (
            "t.jsonl",
            '{"path": "real/a.flac", "is_fake": 0, "spk": "bob"}\n\n{"path": "fake/c.flac", "is_fake": true}\n',
        ),
    ],
)
def test_a_table(folder: Path, name: str, content: str) -> None:
    loaded = load_recordings(table(folder, name, content), audio="path", label="is_fake", speaker="spk")
    assert loaded.features == columns.features()
    assert column(loaded, "audio") == [
        {"bytes": None, "path": str(folder / "real/a.flac")},
        {"bytes": None, "path": str(folder / "fake/c.flac")},
    ]
    assert column(loaded, "label") == [0, 1]
    assert column(loaded, "speaker") == ["bob", "-"]
    assert column(loaded, "utterance") == ["real/a", "fake/c"]
    assert column(loaded, "attack") == ["-", "-"]


def test_every_column_can_be_named(folder: Path) -> None:
    names = [f"my_{name}" for name in columns.DESCRIPTIONS]
    path = table(folder, "t.csv", f"audio,label,{','.join(names)}\nreal/a.flac,real,{','.join('12345678')}\n")
    (row,) = load_recordings(path, **dict(zip(columns.DESCRIPTIONS, names, strict=True)))
    assert [row[name] for name in columns.DESCRIPTIONS] == list("12345678")


def test_absolute_paths(folder: Path, tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere/x.wav")
    path = table(folder, "t.csv", f"audio,label\n{elsewhere},real\n{folder}/fake/c.flac,fake\n")
    loaded = load_recordings(path)
    assert [audio["path"] for audio in loaded["audio"]] == [str(elsewhere), f"{folder}/fake/c.flac"]
    assert column(loaded, "utterance") == [str(elsewhere.with_suffix("")), "fake/c"]


def test_labels_that_are_not_understood_are_named_and_counted(folder: Path) -> None:
    labels = ["real", "maybe", "", *["2"] * 7]
    path = table(folder, "t.csv", "audio,label\n" + "".join(f"{index}.wav,{x}\n" for index, x in enumerate(labels)))
    with pytest.raises(ValueError, match="label") as caught:
        load_recordings(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a label in column 'label' that is '0', 'bona fide',")
    assert "in every row; 9 lack it: line 3: 'maybe'; line 4: ''; line 5: '2';" in message
    assert message.endswith("line 7: '2'; and 4 more")


def test_lines_are_counted_as_an_editor_counts_them(folder: Path) -> None:
    path = table(folder, "t.csv", 'audio,label,text\n\nreal/a.flac,real,"one\ntwo"\nfake/c.flac,what,x\n')
    with pytest.raises(ValueError, match=r"line 5: 'what'"):
        load_recordings(path)
    path = table(folder, "t.jsonl", '\n{"audio": "real/a.flac", "label": "real"}\n\n{"audio": "fake/c.flac"}\n')
    with pytest.raises(ValueError, match=r"line 4: ''"):
        load_recordings(path)


def test_labels_with_names_of_ones_own(folder: Path) -> None:
    path = table(folder, "t.csv", "audio,is_real\nreal/a.flac,1\nfake/c.flac,0\n")
    with pytest.raises(ValueError, match=r"'is_real' with the values \['1', '0'\].*Say which is which"):
        load_recordings(path, label="is_real")
    assert column(load_recordings(path, label="is_real", real=[1], fake=[0]), "label") == [0, 1]
    with pytest.raises(ValueError, match=r"'yes' \(real\) or 'no' \(fake\).*line 2: '1'; line 3: '0'"):
        load_recordings(path, label="is_real", real=["yes"], fake=["no"])


@pytest.mark.parametrize(
    "arguments",
    [{"real": ["a"]}, {"real": ["a"], "fake": ["A "]}, {"real": [], "fake": ["a"]}, {"real": "a", "fake": "b"}],
)
def test_names_of_labels_that_cannot_be(folder: Path, arguments: dict) -> None:
    with pytest.raises(ValueError, match=r"real=.* and fake=.*: expected"):
        load_recordings(folder, **arguments)


def test_files_that_are_not_there_are_named_and_counted(folder: Path) -> None:
    path = table(folder, "t.csv", "audio,label\nreal/a.flac,real\nreal,real\nfake/no.wav,fake\n")
    with pytest.raises(FileNotFoundError) as caught:
        load_recordings(path)
    assert str(caught.value) == (
        f"{path}: expected a file in every row; 2 lack it: line 3: no file {folder}/real; "
        f"line 4: no file {folder}/fake/no.wav"
    )


def test_cells_that_may_not_be_empty(folder: Path) -> None:
    path = table(folder, "t.csv", "audio,label,name\n ,real,x\nfake/c.flac,fake,\n")
    with pytest.raises(ValueError, match=r"the path of a recording in every row; 1 lack it: line 2: nothing"):
        load_recordings(path)
    path = table(folder, "t.csv", "audio,label,name\nreal/a.flac,real,x\nfake/c.flac,fake,\n")
    with pytest.raises(ValueError, match=r"a name .* in every row; 1 lack it: line 3: none"):
        load_recordings(path, utterance="name")


def test_names_that_are_twice(folder: Path) -> None:
    path = table(folder, "t.csv", "audio,label,name\nreal/a.flac,real,x\nfake/c.flac,fake,y\nfake/c.flac,fake,x\n")
    with pytest.raises(ValueError, match=r"line 4: 'fake/c', as line 3"):
        load_recordings(path)
    with pytest.raises(ValueError, match=r"line 4: 'x', as line 2"):
        load_recordings(path, utterance="name")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", r"no column 'audio', 'label'; it has none"),
        ("t.csv", "path,label\na,real\n", r"no column 'audio'; it has 'path', 'label'"),
        ("t.csv", "audio,label,audio\n", r"two columns are called 'audio'"),
        ("t.csv", "audio,label\n", r"no rows"),
        ("t.csv", "audio,label\nreal/a.flac,real\na\n", r"line 3: 1 cells; expected 2: \['a'\]"),
        ("t.csv", 'audio,label\n"real/a.flac,real\n', r"t\.csv, line \d: "),
        ("t.jsonl", '{"audio": "a"}\n', r"no column 'label'; it has 'audio'"),
        ("t.jsonl", '{"audio": "a", \n', r"line 1: .*\{"),
        ("t.jsonl", "\n[1]\n", r"line 2: expected an object"),
        ("t.xls", "", r"a file of another kind; expected a \.csv, \.tsv, \.jsonl or \.parquet"),
    ],
)
def test_tables_that_cannot_be_read(folder: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_recordings(table(folder, name, content))
    assert str(caught.value).startswith(str(folder / name))


def test_a_table_that_is_not_utf_8(folder: Path) -> None:
    (folder / "t.csv").write_bytes("audio,label\nä.wav,real\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"t\.csv: not a text in UTF-8"):
        load_recordings(folder / "t.csv")


def test_arguments_without_meaning_for_a_table(folder: Path) -> None:
    path = table(folder, "t.csv", "audio,label\nreal/a.flac,real\n")
    with pytest.raises(ValueError, match="split='train' has no meaning"):
        load_recordings(path, split="train")


# Parquet, and what else `datasets` reads


def test_parquet_with_paths(folder: Path, tmp_path: Path) -> None:
    values = {"file": ["real/a.flac", "fake/c.flac"], "y": [False, True], "speaker_id": [7, None]}
    path = parquet(folder / "t.parquet", values)
    loaded = load_recordings(path, audio="file", label="y", speaker="speaker_id", cache_dir=tmp_path / "cache")
    assert loaded.features == columns.features()
    assert column(loaded, "label") == [0, 1]
    assert column(loaded, "speaker") == ["7", "-"]
    assert loaded[0]["audio"] == {"bytes": None, "path": str(folder / "real/a.flac")}


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (pa.array([0, 1, 1]), [0, 1, 1]),
        (pa.array([1.0, 0.0, 0.0]), [1, 0, 0]),
        (pa.array(["Spoof", "genuine", "human"]), [1, 0, 0]),
        (pa.array(["real", "fake", "fake"]).dictionary_encode(), [0, 1, 1]),
    ],
)
def test_labels_in_parquet(tmp_path: Path, values: pa.Array, labels: list[int]) -> None:
    path = parquet(tmp_path / "t.parquet", {"audio": embedded("a.wav", "b.wav", "c.wav"), "label": values})
    assert column(load_recordings(path, cache_dir=tmp_path / "cache"), "label") == labels


def test_a_class_label_goes_by_its_names(tmp_path: Path) -> None:
    """In the order of the alphabet, which `datasets` gives the folders of an audio folder, fake is 0."""
    features = {"audio": Audio(), "label": ClassLabel(names=["fake", "real"])}
    path = parquet(tmp_path / "t.parquet", {"audio": embedded("a.wav", "b.wav"), "label": [0, 1]}, features)
    assert column(load_recordings(path, cache_dir=tmp_path / "cache"), "label") == [1, 0]
    path = parquet(tmp_path / "u.parquet", {"audio": embedded("a.wav", "b.wav"), "label": [0, -1]}, features)
    with pytest.raises(ValueError, match=r"in every row; 1 lack it: row 2: None"):
        load_recordings(path, cache_dir=tmp_path / "cache")


def test_an_audio_column_is_not_decoded(tmp_path: Path, speech: np.ndarray) -> None:
    soundfile.write(tmp_path / "x.wav", speech, 16_000, subtype="FLOAT")
    audio = pa.array([{"bytes": (tmp_path / "x.wav").read_bytes(), "path": "deep/x.wav"}], STRUCT)
    features = {"sound": Audio(sampling_rate=16_000), "label": ClassLabel(names=["bonafide", "spoof"])}
    path = parquet(tmp_path / "t.parquet", {"sound": audio, "label": [1]}, features)
    loaded = load_recordings(path, audio="sound", cache_dir=tmp_path / "cache")
    assert loaded.features == columns.features()
    assert column(loaded, "utterance") == ["deep/x"]
    np.testing.assert_array_equal(loaded.with_transform(ClipReader())[0]["waveform"], speech)


def test_the_same_where_torchcodec_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "t.parquet", {"audio": embedded("a.wav"), "label": [1]})
    before = load_recordings(path, cache_dir=tmp_path / "cache").to_list()
    monkeypatch.setattr(columns, "_torchcodec_loads", lambda: True)
    loaded = load_recordings(path, cache_dir=tmp_path / "cache")
    assert loaded.features["audio"] == Audio(decode=False)
    assert loaded.to_list() == before


def test_bytes_stay_on_the_disk(tmp_path: Path) -> None:
    audio = pa.array([{"bytes": bytes(1_000_000), "path": "a.wav"}], STRUCT)
    path = parquet(tmp_path / "t.parquet", {"audio": audio, "label": [1]}, {"audio": Audio(), "label": Value("int64")})
    loaded = load_recordings(path, cache_dir=tmp_path / "cache")
    assert all(Path(file["filename"]).is_relative_to(tmp_path / "cache") for file in loaded.cache_files)
    assert loaded.cache_files
    pickled = pickle.dumps(loaded)
    assert len(pickled) < 100_000
    assert pickle.loads(pickled)[0] == loaded[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pa.array([{"bytes": b"x", "path": "a"}, {"bytes": None, "path": "b"}], STRUCT), r"row 2: 'b'"),
        (pa.array([{"bytes": b"x", "path": "a"}, None], STRUCT), r"row 2: ''"),
        (pa.array([None, None], STRUCT), r"2 lack it: row 1: nothing; row 2: nothing"),
        (embedded("a", None), r"a path to take it from in every row; 1 lack it: row 2: none"),
        (pa.array([[0.0], [1.0]]), r"column 'audio' holds list<.*expected paths, or bytes with paths"),
    ],
)
def test_audio_that_cannot_be(tmp_path: Path, values: pa.Array, message: str) -> None:
    path = parquet(tmp_path / "t.parquet", {"audio": values, "label": [0, 1]})
    with pytest.raises(ValueError, match=message):
        load_recordings(path, cache_dir=tmp_path / "cache")


def test_a_benchmark_needs_no_columns_named(tmp_path: Path) -> None:
    notes = [
        {"utterance_id": "E_1", "speaker_id": "E_17", "gender": "F", "codec": "C05", "codec_id": "2",
         "source_id": "E_0", "attack_condition": "AC1", "attack_id": "A26"},
        {"utterance_id": "ITW_2", "speaker": "Somebody", "label": "bona-fide"},
    ]  # fmt: skip
    values = {
        "path": ["E_1.flac", "2.wav"],
        "audio": embedded("E_1.flac", "2.wav"),
        "label": [1, 0],
        "notes": [json.dumps(note) for note in notes],
    }
    (tmp_path / "set/data").mkdir(parents=True)
    path = parquet(tmp_path / "set/data/test-00000-of-00001.parquet", values, BENCHMARK)
    loaded = load_recordings(path, cache_dir=tmp_path / "cache")
    assert loaded.features == columns.features()
    fake, real = ([row[name] for name in columns.DESCRIPTIONS] for row in loaded)
    assert fake == ["E_17", "E_1", "F", "C05", "2", "E_0", "AC1", "A26"]
    assert real == ["Somebody", "ITW_2", "-", "-", "-", "-", "-", "-"]
    assert column(loaded, "label") == [1, 0]
    assert loaded[0]["audio"] == {"bytes": b"<E_1.flac>", "path": "E_1.flac"}
    as_repository = load_recordings(tmp_path / "set", split="test", cache_dir=tmp_path / "cache")
    assert as_repository.to_list() == loaded.to_list()
    assert column(load_recordings(path, utterance="path", cache_dir=tmp_path / "cache"), "utterance")[0] == "E_1.flac"


def test_a_benchmark_with_notes_that_cannot_be(tmp_path: Path) -> None:
    values = {"path": ["a", "b"], "audio": embedded("a", "b"), "label": [1, 0], "notes": ["{}", "[oops"]}
    path = parquet(tmp_path / "t.parquet", values, BENCHMARK)
    with pytest.raises(ValueError, match=r"an utterance_id in every row; 2 lack it: row 1: '\{\}'; row 2: '\[oops'"):
        load_recordings(path, cache_dir=tmp_path / "cache")


def test_a_corpus_that_was_saved_comes_back(tiny_corpus: Path, tmp_path: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    train.save_to_disk(tmp_path / "saved")
    train.to_parquet(tmp_path / "train.parquet")
    again = load_recordings(tmp_path / "saved")
    assert again.to_list() == train.to_list()
    assert again.features == train.features
    assert again.info.license == train.info.license
    assert load_recordings(tmp_path / "train.parquet", cache_dir=tmp_path / "cache").to_list() == train.to_list()
    with pytest.raises(ValueError, match="saved without splits; found split='train'"):
        load_recordings(tmp_path / "saved", split="train")


def test_splits_that_were_saved(tiny_corpus: Path, tmp_path: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    datasets.DatasetDict({"one": train, "two": train.select(range(2))}).save_to_disk(tmp_path / "saved")
    assert len(load_recordings(tmp_path / "saved", split="two")) == 2
    with pytest.raises(ValueError, match=r"no split None; expected one of 'one', 'two'"):
        load_recordings(tmp_path / "saved")


def test_a_dataset_with_columns_of_its_own(tmp_path: Path) -> None:
    values = {"clip": embedded("a.wav", "b.wav"), "kind": ["tts", "person"], "id": ["x", "y"]}
    (tmp_path / "set").mkdir()
    parquet(tmp_path / "set/validation.parquet", values)
    arguments = {"audio": "clip", "label": "kind", "utterance": "id", "real": ["person"], "fake": ["tts", "vc"]}
    loaded = load_recordings(tmp_path / "set", split="validation", cache_dir=tmp_path / "cache", **arguments)
    assert column(loaded, "label") == [1, 0]
    assert column(loaded, "utterance") == ["x", "y"]
    with pytest.raises(ValueError, match=r"no column 'audio', 'label'; it has 'clip', 'kind', 'id'"):
        load_recordings(tmp_path / "set", split="validation", cache_dir=tmp_path / "cache")
    with pytest.raises(ValueError, match="nope"):
        load_recordings(tmp_path / "set", split="nope", cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("source", ["nowhere", "no/where/at/all", "some/table.csv", "/no/such/folder"])
def test_sources_that_are_not_there(source: str) -> None:
    with pytest.raises(FileNotFoundError, match=rf"^{source}: not there; expected a folder, a \.csv"):
        load_recordings(source)


def test_a_dataset_that_is_not_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(name: str, config: str | None, **arguments: object) -> None:
        asked.append((name, config, arguments))
        raise datasets.exceptions.DatasetNotFoundError("not on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(FileNotFoundError, match=r"^some/data\.v2: no dataset .* not on the Hub$"):
        load_recordings("some/data.v2", split="train", config="en", cache_dir="cache")
    assert asked == [("some/data.v2", "en", {"split": "train", "cache_dir": "cache"})]


def test_a_dataset_on_the_hub_without_a_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "get_dataset_split_names", lambda name, config, cache_dir: ["dev", "eval"])
    with pytest.raises(ValueError, match=r"^some/data: no split given; expected one of 'dev', 'eval'$"):
        load_recordings("some/data")
