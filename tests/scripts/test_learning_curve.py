"""Shares of the training clips are drawn as the table says, and the curve runs on a real corpus."""

from pathlib import Path

import learning_curve
import numpy as np
import pytest

IS_FAKE = np.array([False] * 8 + [True] * 12)
GROUPS = np.array(["here", "there"] * 4 + ["A01"] * 3 + ["A02"] * 3 + ["A03"] * 6)


@pytest.mark.parametrize("way", learning_curve.WAYS.values())
@pytest.mark.parametrize("seed", range(4))
def test_every_way_takes_as_many_clips(way: tuple[bool, bool], seed: int) -> None:
    chosen = learning_curve.share_of(IS_FAKE, GROUPS, way, 0.5, seed)
    assert len(set(chosen)) == len(chosen)
    assert (~IS_FAKE[chosen]).sum() == 4
    assert IS_FAKE[chosen].sum() == 6


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_taken_whole(seed: int) -> None:
    chosen = learning_curve.share_of(IS_FAKE, GROUPS, (True, True), 0.5, seed)
    assert len(set(GROUPS[chosen[:4]])) == 1
    names, counts = np.unique(GROUPS[chosen[4:]], return_counts=True)
    whole = [count == (name == GROUPS).sum() for name, count in zip(names, counts, strict=True)]
    assert len(whole) - sum(whole) <= 1


def test_another_seed_takes_others() -> None:
    drawn = {tuple(learning_curve.share_of(IS_FAKE, GROUPS, (True, True), 0.25, seed)) for seed in range(8)}
    assert len(drawn) > 1


def test_a_share_has_a_clip_of_each_class() -> None:
    chosen = learning_curve.share_of(IS_FAKE, GROUPS, (False, False), 0.001, 0)
    assert sorted(IS_FAKE[chosen]) == [False, True]


def test_the_curve_of_a_corpus(tiny_corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learning_curve.main([str(tiny_corpus), "--draws", "1", "--seeds", "1", "--workers", "0"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| clips | of all origins and systems |")
    assert len(lines) == 2 + len(learning_curve.SHARES)
    assert lines[2].count("%") == len(learning_curve.WAYS)
    assert lines[-1].count("%") == 1
