"""An epoch is what its seed and number say, whoever asks; shares and lengths are as they are wanted."""

from collections import Counter

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf.training.sampling import EpochSampler, balanced_weights, sampling_weights

LABELS = [0] * 6 + [1] * 30
ATTACKS = ["bonafide"] * 6 + ["A01"] * 20 + ["A02"] * 5 + ["-"] * 5
SPEAKERS = ["anna"] * 4 + ["ben"] * 2 + ["-"] * 30


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return Dataset.from_dict({"label": LABELS, "attack": ATTACKS, "speaker": SPEAKERS})


def test_seed_and_epoch_decide() -> None:
    sampler = EpochSampler(100, 10, seed=3, seconds=(1, 2))
    first = list(sampler)
    assert list(sampler) == first
    again = EpochSampler(100, 10, seed=3, seconds=(1, 2))
    again.set_epoch(1)
    second = list(again)
    again.set_epoch(0)
    assert list(again) == first
    assert second != first
    assert list(EpochSampler(100, 10, seed=4, seconds=(1, 2))) != first
    assert len({draw.seed for draw in first + second}) == 200


def test_every_clip_is_heard_before_any_is_heard_twice() -> None:
    sampler = EpochSampler(10, 4, seed=0)
    draws = list(sampler)
    assert len(draws) == len(sampler) == 12
    assert sorted(draw.row for draw in draws[:10]) == list(range(10))
    # What fills the last batch is heard otherwise than before.
    assert [draw.row for draw in draws[10:]] == [draw.row for draw in draws[:2]]
    assert len({draw.seed for draw in draws}) == 12


def test_whole_batches_alone_and_longer_epochs() -> None:
    assert len(list(EpochSampler(10, 4, seed=0, drop_last=True))) == 8
    draws = list(EpochSampler(10, 4, seed=0, length=25))
    assert len(draws) == 28
    assert set(Counter(draw.row for draw in draws).values()) == {2, 3}


def test_a_batch_hears_stretches_of_one_length() -> None:
    seconds = np.array([draw.seconds for draw in EpochSampler(4_000, 8, seed=0, seconds=(4, 10))]).reshape(-1, 8)
    assert (seconds == seconds[:, :1]).all()
    assert seconds.min() >= 4
    assert seconds.max() <= 10
    assert seconds.mean() == pytest.approx(7, abs=0.3)
    assert {draw.seconds for draw in EpochSampler(40, 8, seed=0, seconds=(4, 4))} == {4.0}
    assert {draw.seconds for draw in EpochSampler(40, 8, seed=0)} == {None}


def test_clips_of_like_size_share_a_batch_and_the_batches_are_in_no_order() -> None:
    sizes = np.random.default_rng(0).integers(10, 5_000, 800)
    sampler = EpochSampler(len(sizes), 8, seed=0, sizes=sizes.tolist())
    batches = sizes[[draw.row for draw in sampler]].reshape(-1, 8)
    assert sorted(batches.ravel()) == sorted(sizes)
    padding = 1 - batches.sum() / (8 * batches.max(1).sum())
    assert padding < 0.1
    assert abs(np.corrcoef(np.arange(len(batches)), batches.mean(1))[0, 1]) < 0.3


def test_weights_are_shares_of_the_epoch() -> None:
    weights = np.array([0, 0.5, 1, 1, 4, 3.5])
    sampler = EpochSampler(6, 4, seed=0, weights=weights, length=20)
    for epoch in range(20):
        sampler.set_epoch(epoch)
        counts = np.bincount([draw.row for draw in sampler], minlength=6)
        expected = weights / weights.sum() * 20
        assert (counts >= np.floor(expected)).all()
        assert (counts <= np.ceil(expected)).all()


def test_weighted_clips_come_in_no_order_and_each_in_its_turn() -> None:
    weights = np.ones(1_000)
    sampler = EpochSampler(1_000, 10, seed=0, weights=weights, length=100)
    heard = []
    for epoch in range(50):
        sampler.set_epoch(epoch)
        heard += [draw.row for draw in sampler]
    assert len(set(heard)) > 980  # all but 5 in 1,000 that nobody would miss
    assert abs(np.corrcoef(heard[:-1], heard[1:])[0, 1]) < 0.05


def shares(weights: np.ndarray, names: list[str]) -> dict[str, float]:
    return {name: float(weights[[found == name for found in names]].sum()) for name in dict.fromkeys(names)}


def test_balanced_classes(rows: Dataset) -> None:
    weights = sampling_weights(rows, balanced=True, evenness=0)
    assert weights[:6] == pytest.approx(1 / 12)
    assert weights[6:] == pytest.approx(1 / 60)


def test_even_groups(rows: Dataset) -> None:
    weights = sampling_weights(rows, balanced=True, evenness=1)
    assert shares(weights, ATTACKS) == pytest.approx({"bonafide": 0.5, "A01": 1 / 6, "A02": 1 / 6, "-": 1 / 6})
    assert shares(weights, SPEAKERS) == pytest.approx({"anna": 0.25, "ben": 0.25, "-": 0.5})


def test_groups_by_the_square_root_of_their_size(rows: Dataset) -> None:
    weights = sampling_weights(rows, balanced=False, evenness=0.5)
    assert weights.sum() == pytest.approx(1)
    assert weights[:6].sum() == pytest.approx(6 / 36)
    found = shares(weights, ATTACKS)
    assert found["A01"] / found["A02"] == pytest.approx(2)
    assert sampling_weights(rows, balanced=False, evenness=0) is None


def test_an_epoch_of_balanced_classes_is_balanced(rows: Dataset) -> None:
    sampler = EpochSampler(36, 12, seed=0, weights=sampling_weights(rows, balanced=True, evenness=1))
    for epoch in range(10):
        sampler.set_epoch(epoch)
        heard = Counter(ATTACKS[draw.row] for draw in sampler)
        for attack, expected in {"bonafide": 18, "A01": 6, "A02": 6, "-": 6}.items():
            assert abs(heard[attack] - expected) <= 1


def test_what_cannot_be_balanced_is_refused(rows: Dataset) -> None:
    with pytest.raises(ValueError, match=r"group_evenness must be a number in \[0, 1\]; found 2"):
        sampling_weights(rows, balanced=True, evenness=2)
    with pytest.raises(ValueError, match="no clip is real, all 30 are not"):
        sampling_weights(rows.select(range(6, 36)), balanced=True, evenness=0)
    with pytest.raises(ValueError, match="no clip is fake, all 6 are not"):
        sampling_weights(rows.select(range(6)), balanced=True, evenness=0)
    assert sampling_weights(rows.select(range(6)), balanced=False, evenness=1).sum() == pytest.approx(1)


def test_balanced_weights() -> None:
    assert balanced_weights([0, 1, 1, 1], {"real": 0, "fake": 1}) == pytest.approx([2, 2 / 3])
    assert balanced_weights([0, 1, 1, 1], {"fake": 0, "other": 1, "real": 2}) == pytest.approx([2 / 3, 0, 2])
    with pytest.raises(ValueError, match="no clip is real, all 2 are not"):
        balanced_weights([1, 1], {"real": 0, "fake": 1})


def test_balanced_weights_of_what_is_heard() -> None:
    label2id = {"real": 0, "fake": 1}
    # Of four real clips one becomes a fake.
    assert balanced_weights([0, 0, 0, 0, 1], label2id, vocoded=0.25) == pytest.approx([5 / 6, 5 / 4])
    # What sampling balances the loss need not.
    assert balanced_weights([0, 1, 1], label2id, np.array([0.5, 0.25, 0.25])) == pytest.approx([1, 1])
    assert balanced_weights([0, 1, 1], label2id, np.array([0.5, 0.2, 0.3]), 0.5) == pytest.approx([2, 2 / 3])
    with pytest.raises(ValueError, match="makes fakes of all real clips"):
        balanced_weights([0, 1], label2id, vocoded=1)
