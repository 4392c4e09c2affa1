"""Augmented evaluation sets: always the same, whoever makes them, made once, and nothing but the sound is changed."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset

from crnn_hf.audio import AudioReadError
from crnn_hf.augmentation import Chain
from crnn_hf.augmentation.codec import Coding
from crnn_hf.augmentation.level import Gain
from crnn_hf.data import load_corpus
from crnn_hf.data.reading import waveform_of
from crnn_hf.training.augmented_sets import augmented

CODED = Chain([Coding(probability=1.0, codecs=["g711", "amr"]), Gain(probability=1.0)])


def recordings(folder: Path) -> Dataset:
    """Seven recordings that are kept as paths."""
    for seed, name in enumerate(["real/a", "real/b", "real/c", "fake/one/d", "fake/two/e", "fake/two/f", "fake/g"]):
        path = folder / "validation" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(seed).normal(0, 0.1, 8_000), 16_000)
    return load_corpus(folder, "validation")


def contents(dataset: Dataset) -> dict[str, bytes]:
    return {row["utterance"]: row["audio"]["bytes"] for row in dataset}


def test_sound_changes_and_nothing_else(tiny_corpus: Path) -> None:
    clips = load_corpus(tiny_corpus, "validation")
    coded = augmented(clips, CODED)
    assert coded.features == clips.features
    assert coded.remove_columns("audio").to_dict() == clips.remove_columns("audio").to_dict()
    for before, after in zip(clips, coded, strict=True):
        assert after["audio"]["path"] == before["audio"]["path"]
        old, new = waveform_of(before["audio"]), waveform_of(after["audio"])
        assert len(old) == len(new)
        # What is coded for the telephone has nothing above 4 kHz.
        spectrum = np.abs(np.fft.rfft(new))
        assert spectrum[len(spectrum) * 5 // 8 :].max() < 0.01 * spectrum.max()


def test_a_clips_sound_depends_on_its_name_alone(tmp_path: Path) -> None:
    clips = recordings(tmp_path / "some")
    everything = contents(augmented(clips, CODED))
    assert len(set(everything.values())) == 7
    order = np.random.default_rng(0).permutation(len(clips))
    assert contents(augmented(clips.select(order), CODED)) == everything
    assert contents(augmented(clips.select(range(3)), CODED)).items() <= everything.items()


def test_it_is_made_once_for_the_same_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    first = augmented(recordings(folder), CODED)
    again = augmented(load_corpus(folder, "validation"), CODED)
    assert first.cache_files == again.cache_files != []
    other = augmented(load_corpus(folder, "validation"), Chain([Gain(probability=1.0)]))
    assert other.cache_files != first.cache_files
    soundfile.write(folder / "validation" / "real" / "a.wav", np.zeros(9_000), 16_000)
    changed = contents(augmented(load_corpus(folder, "validation"), CODED))
    assert changed.keys() == contents(first).keys()
    assert soundfile.info(io.BytesIO(changed["real/a"])).frames == 9_000


def test_a_clip_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    recordings(folder)
    (folder / "validation" / "fake" / "g.wav").write_bytes(b"RIFF and no more")
    with pytest.raises(AudioReadError, match=r"g\.wav: "):
        augmented(load_corpus(folder, "validation"), CODED)
