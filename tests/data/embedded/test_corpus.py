"""The corpus has ASVspoof 5's layout, repeats to the byte, and has no shortcut from level, length, silence or DC."""

import hashlib
import io
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.data import load_asvspoof5, waveform_of
from crnn_hf.data.embedded import VOCODERS, corpus, write_embedded_corpus
from crnn_hf.data.embedded.corpus import DEV, EVAL, TRAIN, Split, encode_clip, make_clip, plan_clip
from crnn_hf.metrics import equal_error_rate

TRAIN_TARS, DEV_TARS = ("flac_T_aa.tar", "flac_T_ab.tar"), ("flac_D_aa.tar",)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return write_embedded_corpus(tmp_path_factory.mktemp("embedded") / "tiny", train_clips=9, dev_clips=6, workers=1)


def files(directory: Path, tars: tuple[str, ...]) -> dict[str, bytes]:
    contents = {}
    for name in tars:
        with tarfile.open(directory / name) as tar:
            for member in tar:
                assert member.isreg()
                assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
                contents[member.name] = tar.extractfile(member).read()
    return contents


def protocol(directory: Path, name: str) -> list[list[str]]:
    with tarfile.open(directory / "ASVspoof5_protocols.tar.gz") as tar:
        text = tar.extractfile(name).read().decode()
    assert text.endswith("\n")
    return [line.split(" ") for line in text.splitlines()]


def digests(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def test_layout_is_exact(tiny):
    assert set(digests(tiny)) == {*TRAIN_TARS, *DEV_TARS, "ASVspoof5_protocols.tar.gz", "README.md", "corpus.json"}
    assert list(files(tiny, TRAIN_TARS)) == [f"flac_T/T_{index:010d}.flac" for index in range(9)]
    listed = [f"flac_D/D_{index:010d}.flac" for index in range(6)]
    assert list(files(tiny, DEV_TARS)) == listed + [f"flac_D/D_A{index:010d}.flac" for index in range(3)]
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny"]  # nothing temporary stays


def test_protocols_have_ten_fields(tiny):
    for name, split in (("ASVspoof5.train.tsv", TRAIN), ("ASVspoof5.dev.track_1.tsv", DEV)):
        for index, fields in enumerate(protocol(tiny, name)):
            speaker, file, gender, *codec, attack, key, last = fields
            assert len(fields) == 10
            assert speaker.startswith(f"{split.letter}_")
            assert file == f"{split.letter}_{index:010d}"
            assert gender in ("F", "M")
            assert codec == ["-"] * 4
            assert last == "-"
            assert (key == "spoof") == (attack in split.attacks)
            assert (key == "bonafide") == (attack == "bonafide")


def test_audio_is_16_bit_mono_flac(tiny):
    for content in files(tiny, TRAIN_TARS + DEV_TARS).values():
        info = soundfile.info(io.BytesIO(content))
        assert (info.format, info.subtype, info.channels, info.samplerate) == ("FLAC", "PCM_16", 1, 16_000)
        assert 2 <= info.duration <= 4


def test_readme_says_what_it_is(tiny):
    text = (tiny / "README.md").read_text()
    assert "says nothing about ASVspoof 5" in text
    for attack, vocoder in (TRAIN.attacks | DEV.attacks).items():
        assert f"| {attack} | " in text
        assert f"`{vocoder}`" in text


@pytest.mark.parametrize("split", [TRAIN, DEV], ids=["train", "dev"])
def test_classes_are_balanced_and_share_speakers(split: Split):
    clips = [plan_clip(split, index, seed=0) for index in range(240)]
    spoof = [clip for clip in clips if clip.key == "spoof"]
    assert len(spoof) == 120
    assert {clip.attack for clip in spoof} == set(split.attacks)
    bona_fide = {clip.speaker for clip in clips if clip.key == "bonafide"}
    assert bona_fide == {clip.speaker for clip in spoof}
    assert len(bona_fide) == split.speakers
    starts = [clip.key for clip in clips[::2]]
    assert 0.3 < starts.count("spoof") / len(starts) < 0.7  # the order tells nothing


def test_splits_share_no_attack():
    assert not set(TRAIN.attacks) & set(DEV.attacks) & set(EVAL.attacks)
    assert set(EVAL.attacks.values()) == set(DEV.attacks.values())
    assert set(TRAIN.attacks.values()) | set(DEV.attacks.values()) == set(VOCODERS)
    assert not set(TRAIN.attacks.values()) & set(DEV.attacks.values())


def test_workers_change_no_byte(tiny, tmp_path):
    again = write_embedded_corpus(tmp_path / "tiny", train_clips=9, dev_clips=6, workers=2)
    assert digests(again) == digests(tiny)


def test_first_clips_do_not_depend_on_how_many_follow(tiny):
    clip = plan_clip(TRAIN, 3, seed=0)
    assert files(tiny, TRAIN_TARS)["flac_T/T_0000000003.flac"] == encode_clip(clip, seed=0)
    assert encode_clip(clip, seed=1) != encode_clip(clip, seed=0)


def test_same_corpus_is_left_alone_and_another_is_refused(tiny):
    before = {path: path.stat().st_mtime_ns for path in tiny.iterdir()}
    assert write_embedded_corpus(tiny, train_clips=9, dev_clips=6) == tiny
    with pytest.raises(FileExistsError, match="tiny"):
        write_embedded_corpus(tiny, train_clips=9, dev_clips=6, seed=1)
    assert before == {path: path.stat().st_mtime_ns for path in tiny.iterdir()}


def test_foreign_directory_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=tmp_path.name):
        write_embedded_corpus(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus, "_write_protocols", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_embedded_corpus(tmp_path / "half", train_clips=2, dev_clips=2, workers=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"train_clips": 1}, {"dev_clips": 0}, {"seed": -1}, {"workers": 0}])
def test_wrong_arguments_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="at least"):
        write_embedded_corpus(tmp_path / "wrong", **wrong)


def shortcut_features(waveform: np.ndarray) -> list[float]:
    """Level in dB, length, leading and trailing silence, DC."""
    level = np.sqrt(np.mean(waveform**2))
    loud = np.flatnonzero(np.abs(waveform) > 0.3 * level)
    return [20 * np.log10(level), len(waveform), loud[0], len(waveform) - loud[-1], 1e4 * waveform.mean()]


def logistic_regression(features: np.ndarray, spoof: np.ndarray, rounds: int = 500) -> np.ndarray:
    """Weights (features,) after gradient descent on the log loss."""
    weights = np.zeros(features.shape[1])
    for _ in range(rounds):
        weights -= 0.5 * features.T @ (1 / (1 + np.exp(-features @ weights)) - spoof) / len(spoof)
    return weights


def test_level_length_silence_and_dc_tell_nothing():
    sets = []
    for split, count in ((TRAIN, 120), (DEV, 80)):
        clips = [plan_clip(split, index, seed=0) for index in range(count)]
        waveforms = [make_clip(clip, seed=0) for clip in clips]
        assert max(np.abs(waveform).max() for waveform in waveforms) < 1
        features = np.array([shortcut_features(waveform) for waveform in waveforms])
        sets.append((features, np.array([clip.key == "spoof" for clip in clips])))
    (train, train_spoof), (dev, dev_spoof) = sets
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    weights = logistic_regression((train - mean) / deviation, train_spoof)
    assert 0.35 < equal_error_rate(-(dev - mean) / deviation @ weights, dev_spoof) < 0.65


def test_eval_has_codecs_that_say_nothing_of_the_class(tmp_path: Path):
    directory = write_embedded_corpus(tmp_path / "corpus", train_clips=2, dev_clips=2, eval_clips=32, workers=1)
    clips = load_asvspoof5(directory, "test", cache_dir=tmp_path / "cache")
    assert len(clips) == 32
    counts = Counter(zip(clips["codec"], clips["label"], strict=True))
    assert counts == {(codec, label): 4 for codec in ("-", *EVAL.codecs) for label in (0, 1)}
    assert set(zip(clips["codec"], clips["codec_quality"], strict=True)) == {
        ("-", "0"),
        *((c, "1") for c in EVAL.codecs),
    }
    fakes = {(row["attack"], row["codec"]) for row in clips.remove_columns("audio") if row["label"] == 1}
    assert fakes == {(attack, codec) for attack in EVAL.attacks for codec in ("-", *EVAL.codecs)}
    narrow = [waveform_of(row["audio"]) for row in clips if row["codec"] == "C09"]
    for waveform in narrow:
        power = np.abs(np.fft.rfft(waveform)) ** 2
        assert power[round(4_200 / 8_000 * len(power)) :].sum() < 1e-3 * power.sum()
