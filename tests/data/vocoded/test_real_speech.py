"""The real recordings of whatever people have."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.data import load_corpus
from crnn_hf.data.vocoded import load_real_speech


def record(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 800), 16_000, format="WAV")


def halves(source) -> tuple[dict[str, str], dict[str, str]]:
    """The speakers of train and validation, by the recording."""
    rows = (load_real_speech(source, split) for split in ("train", "validation"))
    return tuple(dict(zip(half["utterance"], half["speaker"], strict=True)) for half in rows)


def test_a_folder_of_recordings_is_divided_by_speaker(tmp_path):
    names = [f"{speaker}/{number}.wav" for speaker in ("ann", "bo", "cy", "di", "ed") for number in range(4)]
    record(tmp_path, *names, "stray.wav", ".hidden.wav")
    (tmp_path / "notes.txt").write_text("none of it")
    train, validation = halves(tmp_path)
    assert len(train) + len(validation) == 21
    assert {"ann/0", "stray"} <= set(train) | set(validation)
    assert not set(train.values()) - {"-"} & set(validation.values())
    assert 3 <= len(validation) <= 5


def test_without_speakers_it_is_divided_by_recording(tmp_path):
    record(tmp_path, *(f"{number}.wav" for number in range(10)))
    train, validation = halves(tmp_path)
    assert (len(train), len(validation)) == (8, 2)
    assert not set(train) & set(validation)


def test_fakes_are_left_out_and_real_ones_need_no_fakes(tmp_path):
    record(tmp_path, *(f"real/ann/{number}.wav" for number in range(4)), "fake/x/0.wav")
    assert set(halves(tmp_path)[0].values()) == {"ann"}
    train, validation = halves(tmp_path)
    assert sorted([*train, *validation]) == [f"ann/{number}" for number in range(4)]


def test_splits_are_kept(tmp_path):
    record(tmp_path, "train/real/ann/0.wav", "train/fake/x/0.wav", "validation/bo/1.wav")
    assert halves(tmp_path) == ({"ann/0": "ann"}, {"bo/1": "bo"})


def test_one_recording_is_to_train_on(tmp_path):
    record(tmp_path, "a.wav")
    assert halves(tmp_path / "a.wav") == ({"a": "-"}, {})


def test_names_that_an_extension_tells_apart_stay_apart(tmp_path):
    record(tmp_path, "a.wav", "a.flac", "b.wav")
    train, validation = halves(tmp_path)
    assert sorted([*train, *validation]) == ["a.flac", "a.wav", "b"]


def test_a_corpus_gives_its_real_clips(tiny_corpus):
    found = load_real_speech(tiny_corpus, "train")
    assert set(found["label"]) == {0}
    assert len(found) == load_corpus(tiny_corpus, "train")["label"].count(0)


def test_a_table_gives_its_real_rows(tmp_path):
    record(tmp_path, *(f"{number}.wav" for number in range(6)))
    rows = "".join(f"{number}.wav\t{'real' if number else 'fake'}\n" for number in range(6))
    (tmp_path / "table.tsv").write_text("path\tlabel\n" + rows)
    found = [load_real_speech(tmp_path / "table.tsv", split, audio="path") for split in ("train", "validation")]
    assert sorted(name for half in found for name in half["utterance"]) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", ["nothing", "fake/x.wav", "notes.txt"])
def test_where_there_is_no_real_speech_it_is_said(name, tmp_path):
    record(tmp_path, name) if name.endswith(".wav") else (tmp_path / "notes.txt").write_text("")
    with pytest.raises(FileNotFoundError, match="expected real recordings; found"):
        load_real_speech(tmp_path, "train")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_real_speech(tmp_path / "nowhere", "train")
