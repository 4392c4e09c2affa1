"""What training hears of a clip depends on its draw and on nothing else."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from datasets import Dataset
from torch.utils.data import DataLoader

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.augmentation import augmentations
from crnn_hf.augmentation.chain import Chain, Waveform
from crnn_hf.data import load_asvspoof5
from crnn_hf.training.clips import TrainingClips, vocoding_of
from crnn_hf.training.sampling import Draw, EpochSampler


@dataclass(frozen=True)
class Reversed:
    """The shortest vocoder there is."""

    probability: float

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        return waveform[::-1] * np.float32(1 + 1e-3 * rng.random())


@pytest.fixture
def augmentation() -> Chain:
    return augmentations({"gain": {"probability": 1}, "noise": {"probability": 0.5}}, 16_000)[0]


def heard(clips: TrainingClips, sampler: EpochSampler, workers: int = 0) -> list[dict]:
    loader = DataLoader(clips, 4, sampler=sampler, num_workers=workers, collate_fn=list)
    return [clip for batch in loader for clip in batch]


def assert_same_clips(one: list[dict], other: list[dict]) -> None:
    assert [clip["utterance"] for clip in one] == [clip["utterance"] for clip in other]
    assert [clip["label"] for clip in one] == [clip["label"] for clip in other]
    for clip, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(clip["waveform"], same["waveform"])


def test_neither_workers_nor_what_was_drawn_before_matter(tiny_corpus: Path, augmentation: Chain) -> None:
    clips = TrainingClips(load_asvspoof5(tiny_corpus, "train"), 16_000, Reversed(0.5), augmentation)
    sampler = EpochSampler(len(clips), 4, seed=0, seconds=(0.3, 0.6))
    first = heard(clips, sampler)
    torch.manual_seed(1)
    np.random.seed(1)
    assert_same_clips(first, heard(clips, sampler))
    assert_same_clips(first, heard(clips, sampler, workers=2))
    for begin in range(0, 16, 4):
        # As many samples in all clips of a batch, for none of these is shorter.
        assert len({len(clip["waveform"]) for clip in first[begin : begin + 4]}) == 1
    sampler.set_epoch(1)
    assert not np.array_equal(first[0]["waveform"], heard(clips, sampler)[0]["waveform"])


def test_stretches_begin_anywhere(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    whole = read_audio(rows[0]["audio"]["bytes"])
    windows = np.lib.stride_tricks.sliding_window_view(whole, 100)
    starts = set()
    for seed in range(20):
        crop = TrainingClips(rows)[Draw(0, seed, 0.5)]["waveform"]
        (start,) = np.flatnonzero((windows == crop[:100]).all(axis=1))
        np.testing.assert_array_equal(whole[start : start + 8_000], crop)
        starts.add(int(start))
    assert len(starts) > 15
    np.testing.assert_array_equal(TrainingClips(rows)[Draw(0, 3, None)]["waveform"], whole)


def test_real_clips_become_fakes_as_often_as_wanted(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    real, fake = rows["label"].index(0), rows["label"].index(1)
    clips, plain = TrainingClips(rows, vocoding=Reversed(0.3)), TrainingClips(rows)
    became_fake = 0
    for seed in range(300):
        clip, same = clips[Draw(real, seed, 0.1)], plain[Draw(real, seed, 0.1)]
        became_fake += clip["label"]
        # The stretch is the same, and vocoded if the label says so.
        expected = same["waveform"][::-1] if clip["label"] else same["waveform"]
        np.testing.assert_allclose(clip["waveform"], expected, rtol=2e-3)
    assert became_fake / 300 == pytest.approx(0.3, abs=0.1)
    assert all(clips[Draw(fake, seed, 0.1)]["label"] == 1 for seed in range(20))
    np.testing.assert_array_equal(clips[Draw(fake, 5, 0.1)]["waveform"], plain[Draw(fake, 5, 0.1)]["waveform"])


def test_digital_silence_is_not_called_fake(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    row = rows[rows["label"].index(0)]
    waveform = read_audio(row["audio"]["bytes"])
    waveform[: len(waveform) // 2] = 0
    file = io.BytesIO()
    soundfile.write(file, waveform, 16_000, format="FLAC")
    half_silent = Dataset.from_list([{**row, "audio": {**row["audio"], "bytes": file.getvalue()}}])
    clips = TrainingClips(half_silent, vocoding=Reversed(1.0))
    found = [clips[Draw(0, seed, 0.1)] for seed in range(40)]
    assert all(clip["label"] == clip["waveform"].any() for clip in found)
    assert {clip["label"] for clip in found} == {0, 1}


def test_augmentation_is_blind_to_vocoding(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    real = rows["label"].index(0)
    gain = augmentations({"gain": {"probability": 1, "decibels": [-12, 12]}}, 16_000)[0]

    def level(vocoding: Reversed | None, chain: Chain | None) -> float:
        return float(np.abs(TrainingClips(rows, 16_000, vocoding, chain)[Draw(real, 7, 0.5)]["waveform"]).max())

    ratios = [level(vocoding, gain) / level(vocoding, None) for vocoding in (None, Reversed(1.0))]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-5)
    assert ratios[0] != pytest.approx(1, abs=1e-3)


def test_a_damaged_clip_is_named(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train").select([0])
    content = rows[0]["audio"]["bytes"]
    damaged = rows.map(lambda row: {"audio": {**row["audio"], "bytes": content[: len(content) // 2]}})
    with pytest.raises(AudioReadError, match="T_0000000000"):
        TrainingClips(damaged)[Draw(0, 0, None)]


def test_a_recipe_says_how_to_vocode() -> None:
    assert vocoding_of({}) is None
    assert vocoding_of({"probability": 0.4}).probability == 0.4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.3}, "vocoding has no setting share; expected one of probability, "),
        ({"probability": 2}, r"vocoding: probability must be a number in \[0, 1\]; found 2"),
        ({"vocoders": ["echo"]}, "vocoding: there is no vocoder echo; expected one of "),
    ],
)
def test_what_a_recipe_cannot_mean_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vocoding_of(settings)


def test_every_vocoder_of_the_package_works_on_a_short_stretch(tiny_corpus: Path) -> None:
    rows = load_asvspoof5(tiny_corpus, "train")
    clips = TrainingClips(rows, vocoding=vocoding_of({"probability": 1}))
    real = rows["label"].index(0)
    for seed in range(8):
        clip = clips[Draw(real, seed, 0.3)]
        assert (clip["label"], clip["waveform"].shape, clip["waveform"].dtype) == (1, (4_800,), np.float32)
        np.testing.assert_array_equal(clip["waveform"], clips[Draw(real, seed, 0.3)]["waveform"])
