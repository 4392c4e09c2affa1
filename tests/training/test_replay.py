"""Old clips heard again: as many as asked for, other ones each epoch, and told in figures of their own."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from crnn_hf.data import load_asvspoof5, load_recordings
from crnn_hf.training import read_recipe, train
from crnn_hf.training.arguments import DataArguments
from crnn_hf.training.corpus import Corpus
from crnn_hf.training.replay import Replay, epoch_clips, joined, replay_of, replay_weights
from crnn_hf.training.sampling import EpochSampler, sampling_weights


@pytest.mark.parametrize("share", [0.1, 0.3, 0.75])
def test_old_clips_have_their_share_whatever_their_number(share: float) -> None:
    for new, old in ((100, 1000), (1000, 100)):
        weights = replay_weights(np.ones(new), np.ones(old), share)
        assert weights[new:].sum() == pytest.approx(share)
        assert weights.sum() == pytest.approx(1)
        assert len(set(weights[:new])) == len(set(weights[new:])) == 1


def test_each_corpus_keeps_its_own_proportions() -> None:
    weights = replay_weights(np.array([1.0, 3.0]), np.array([2.0, 2.0, 4.0]), 0.5)
    assert weights == pytest.approx([0.125, 0.375, 0.125, 0.125, 0.25])


@pytest.mark.parametrize(("new", "share", "clips"), [(70, 0.3, 100), (10, 0.5, 20), (3, 0.4, 5)])
def test_an_epoch_hears_each_new_clip_once(new: int, share: float, clips: int) -> None:
    assert epoch_clips(new, share) == clips


def recordings(folder: Path, clips: int) -> Path:
    """Half of them real and half fake, of half a second each."""
    for index in range(clips):
        label = ("real", "fake")[index % 2]
        path = folder / "train" / label / f"{folder.name}_{index}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.random.default_rng(index).normal(0, 0.1, 8_000), 16_000)
    for label in ("real", "fake"):
        path = folder / "validation" / label / "clip.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, np.random.default_rng(clips).normal(0, 0.1, 8_000), 16_000)
    return folder


def test_epochs_draw_other_old_clips_and_all_new_ones(tmp_path: Path) -> None:
    new, old = (
        load_recordings(recordings(tmp_path / name, clips) / "train") for name, clips in (("new", 14), ("old", 40))
    )
    rows, weights, heard = joined(new, old, 0.3, lambda clips: sampling_weights(clips, balanced=True, evenness=0))
    assert (len(rows), heard) == (54, 20)
    sampler = EpochSampler(len(rows), 4, seed=0, weights=weights, length=heard)
    epochs = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        drawn = [draw.row for draw in sampler]
        assert len(drawn) == 20
        assert Counter(row for row in drawn if row < 14) == Counter(range(14))
        epochs.append({row for row in drawn if row >= 14})
        assert len(epochs[-1]) == 6
    assert epochs[0] != epochs[1]


def test_the_setting() -> None:
    assert replay_of(DataArguments("new")) is None
    settings = {"data": "old.csv", "share": 0.3, "label": "is_fake"}
    assert replay_of(DataArguments("new", replay=json.dumps(settings))) == Replay(
        Corpus("old.csv", {"label": "is_fake"}), 0.3
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.3}, r"^replay\.data must be a corpus; found None$"),
        ({"data": "old"}, r"^replay\.share must be a number above 0 and below 1, such as 0\.3; found None$"),
        ({"data": "old", "share": 1}, r"^replay\.share must be .*; found 1$"),
        ({"data": "old", "share": "half"}, r"^replay\.share must be .*; found 'half'$"),
        ({"data": "old", "share": 0.3, "lable": "x"}, "^replay has no setting lable; expected data, share, or a col"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replay_of(DataArguments("new", replay=json.dumps(settings)))


def test_a_run_with_replay(
    tiny_detector: Path, tiny_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", str(tiny_detector), "--data", str(recordings(tmp_path / "new", 6)), "--crop_seconds", "0.5"]
    options += ["--output_dir", str(tmp_path / "model"), "--num_train_epochs", "1", "--disable_tqdm", "true"]
    options += ["--per_device_train_batch_size", "4", "--replay.data", str(tiny_corpus), "--replay.share", "0.5"]
    metrics = train(*read_recipe("finetune", [*options, "--metric_for_best_model", "mean_eer"]))
    assert metrics["eval_mean_eer"] == pytest.approx((metrics["eval_eer"] + metrics["eval_replayed_eer"]) / 2)
    state = json.loads((tmp_path / "model" / "trainer_state.json").read_text())
    assert state["global_step"] == 3  # 6 new clips and 6 old ones, 4 at a time
    printed = capsys.readouterr().out
    assert f"replayed, train: {len(load_asvspoof5(tiny_corpus, 'train'))} clips" in printed
    assert "replayed, validation: 8 clips" in printed

    with pytest.raises(ValueError, match="'replayed' is what the corpus of replay is called; expected another name"):
        train(*read_recipe("finetune", [*options, "--evaluation_sets.replayed", str(tiny_corpus)]))
