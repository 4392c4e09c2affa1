"""`crnn-hf vocode`, as a user types it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.cli import main
from crnn_hf.data import load_corpus, load_recordings
from crnn_hf.vocoding import VOCODERS

SPEAKERS = ("ann", "bo", "cy", "di", "ed")


@pytest.fixture(scope="session")
def mine(tmp_path_factory: pytest.TempPathFactory, voice) -> Path:
    """Ten recordings of five speakers, in two formats and at two rates."""
    folder = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(0)
    for speaker in SPEAKERS:
        (folder / speaker).mkdir()
        for number, (suffix, rate) in enumerate((("wav", 16_000), ("flac", 22_050))):
            begin = rng.integers(len(voice) - 12_000)
            soundfile.write(folder / speaker / f"{number}.{suffix}", voice[begin : begin + 12_000], rate)
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_it_writes_is_read_by_the_corpora(mine, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["vocode", str(mine), str(out), "--per-clip", "2", "--vocoders", "upsampled,lpc_vocoder"]) == 0
    assert f"crnn-hf train crnn-asvspoof5 --data {out}" in capsys.readouterr().out

    splits = {split: load_corpus(out, split) for split in ("train", "validation")}
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 24, "validation": 6}
    assert set(splits["train"]["attack"]) == {"-", "upsampled", "lpc_vocoder"}

    table = load_recordings(out / "recordings.parquet")
    assert len(table) == 30
    speakers = [
        {row["speaker"] for row in table if row["utterance"].startswith(split)} for split in ("train", "validation")
    ]
    assert not speakers[0] & speakers[1]
    assert speakers[0] | speakers[1] == set(SPEAKERS)
    for row in table:
        sound, rate = soundfile.read(row["audio"]["path"])
        assert rate == 16_000
        assert (row["label"] == 0) == (row["attack"] == "-")
        assert np.abs(sound).max() > 0.01


def test_a_recording_of_16_bits_at_16_khz_is_copied_to_the_bit(mine, tmp_path):
    main(["vocode", str(mine), str(tmp_path), "--vocoders", "upsampled"])
    (copy,) = tmp_path.rglob("real/ann/ann__0.flac")
    np.testing.assert_array_equal(soundfile.read(copy)[0], soundfile.read(mine / "ann" / "0.wav")[0])


def test_a_fake_is_as_long_and_loud_as_its_original(mine, tmp_path):
    out = tmp_path / "out"
    main(["vocode", str(mine), str(out), "--vocoders", "phase_vocoder"])
    fakes = sorted(out.rglob("fake/phase_vocoder/*.flac"))
    assert len(fakes) == 10
    for fake in fakes:
        (original,) = out.rglob(f"real/*/{fake.name}")
        (before, _), (after, _) = (soundfile.read(path) for path in (original, fake))
        assert len(before) == len(after)
        assert np.std(after) == pytest.approx(np.std(before), rel=0.05)
        assert np.abs(before - after).max() > 0.01


def vocode(mine: Path, out: Path, *more: str) -> dict[str, str]:
    assert main(["vocode", str(mine), str(out), "--vocoders", "upsampled,phase_vocoder", *more]) == 0
    return digests(out)


def test_the_same_seed_gives_the_same_bytes_and_a_killed_run_goes_on(mine, tmp_path):
    first = vocode(mine, tmp_path / "a")
    assert vocode(mine, tmp_path / "b") == first
    for name in list(first)[::3]:
        (tmp_path / "b" / name).unlink()
    (tmp_path / "b" / "vocoding.json").write_bytes((tmp_path / "a" / "vocoding.json").read_bytes())
    assert vocode(mine, tmp_path / "b") == first
    assert vocode(mine, tmp_path / "c", "--seed", "1") != first


@pytest.mark.slow
def test_workers_change_no_byte(mine, tmp_path):
    assert vocode(mine, tmp_path / "a", "--workers", "2") == vocode(mine, tmp_path / "b")


def test_another_run_and_a_folder_in_use_are_refused(mine, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["vocode", str(mine), str(out), "--vocoders", "upsampled"]) == 0
    before = digests(out)
    assert main(["vocode", str(mine), str(out), "--vocoders", "upsampled", "--seed", "1"]) == 2
    assert "holds another run (seed 0 there, 1 here)" in capsys.readouterr().err
    assert digests(out) == before
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("mine")
    assert main(["vocode", str(mine), str(tmp_path / "used")]) == 2
    assert "is not empty; expected an empty folder" in capsys.readouterr().err
    assert digests(tmp_path / "used").keys() == {"thesis.txt"}


def test_what_cannot_be_read_is_named_and_the_rest_is_done(tmp_path, voice, capsys):
    source = tmp_path / "mine"
    source.mkdir()
    for number in range(3):
        soundfile.write(source / f"{number}.wav", voice[:8_000], 16_000)
    soundfile.write(source / "silent.wav", np.zeros(8_000), 16_000)
    (source / "broken.wav").write_bytes((source / "0.wav").read_bytes()[:5_000])
    assert main(["vocode", str(source), str(tmp_path / "out"), "--vocoders", "upsampled"]) == 1
    told = capsys.readouterr().err
    assert f"{source / 'broken.wav'}: cut off" in told
    assert f"{source / 'silent.wav'}: digital silence throughout" in told
    assert "2 of 5 recordings could not be read" in told
    assert len(list((tmp_path / "out").rglob("fake/*/*.flac"))) == 3
    assert len(load_recordings(tmp_path / "out" / "recordings.parquet")) == 6


def test_networks_and_a_corpus_as_the_source(tiny_corpus, network, tmp_path):
    out = tmp_path / "out"
    models = ["--neural", network("encodec"), "--neural", network("speecht5_hifigan")]
    command = ["vocode", str(tiny_corpus), str(out), "--vocoders", "none", *models, "--split", "train"]
    assert main([*command, "--per-clip", "2"]) == 0
    assert sorted(path.name for path in (out / "train" / "fake").iterdir()) == ["encodec", "speecht5_hifigan"]
    assert not (out / "validation").exists()
    table = load_recordings(out / "recordings.parquet")
    real = load_corpus(tiny_corpus, "train").filter(lambda row: row["label"] == 0)
    assert set(table["speaker"]) == set(real["speaker"])
    assert len(table) == 3 * len(real)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vocoders", "word"], f"there is no vocoder word; expected one of {', '.join(VOCODERS)}"),
        (["--vocoders", "none"], "vocoders and neural are both empty"),
        (["--per-clip", "99"], f"expected 1 to {len(VOCODERS)} fakes of a recording"),
        (["--neural", "nowhere/at/all"], "nowhere/at/all: no model of transformers"),
        (["--workers", "0"], "expected one worker at least; found 0"),
        (["--split", "test"], "has no test split"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(arguments, message, mine, tmp_path, capsys):
    assert main(["vocode", str(mine), str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_run_is_on_record(mine, tmp_path):
    main(["vocode", str(mine), str(tmp_path), "--vocoders", "upsampled", "--seed", "7"])
    run = json.loads((tmp_path / "vocoding.json").read_text())
    assert (run["vocoders"], run["seed"], run["source"]) == (["upsampled"], 7, str(mine))
