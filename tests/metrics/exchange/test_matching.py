"""Scores meet keys by name; what does not match is said, and left out only where that was asked for."""

import numpy as np
import pytest

from crnn_hf.metrics.exchange.key_file import Keys
from crnn_hf.metrics.exchange.matching import match

KEYS = Keys(["a", "b", "c", "d"], np.array([True, False, True, False]), {"attack": ["A1", "-", "A2", "-"]})


def test_the_order_of_the_keys_is_kept() -> None:
    trials = match(["d", "b", "a", "c"], [4.0, 2.0, 1.0, 3.0], KEYS)
    assert trials.utterances == ["a", "b", "c", "d"]
    assert trials.scores.tolist() == [1, 2, 3, 4]
    assert trials.is_fake.tolist() == [True, False, True, False]
    assert trials.columns == {"attack": ["A1", "-", "A2", "-"]}


def test_a_part_is_scored_where_that_is_asked_for() -> None:
    trials = match(["d", "c"], [4.0, 3.0], KEYS, partial=True)
    assert (trials.utterances, trials.scores.tolist()) == (["c", "d"], [3, 4])
    assert (trials.is_fake.tolist(), trials.columns) == ([True, False], {"attack": ["A2", "-"]})
    assert len(match(["a", "b", "c", "d"], range(4), KEYS, partial=True)) == 4
    with pytest.raises(ValueError, match=r"^3 of 4 keys have no score: 'a', 'b', 'c'; .* say so: partial$"):
        match(["d"], [1.0], KEYS)


@pytest.mark.parametrize("partial", [False, True])
def test_a_score_without_a_key_is_an_error(partial: bool) -> None:
    names = ["a", "x", "y", "z", "w"]
    with pytest.raises(ValueError, match=r"^4 of 5 scores have no key: 'x', 'y', 'z', \.\.\.; ") as caught:
        match(names, range(5), KEYS, partial=partial)
    assert ("3 of 4 keys have no score: 'b', 'c', 'd'; " in str(caught.value)) == (not partial)
    assert str(caught.value).endswith("expected the names of the keys")


@pytest.mark.parametrize(
    ("scored", "keyed", "hint"),
    [
        (["a.flac", "b.flac"], ["a", "b"], "but for the extension: 'a.flac' and 'a'"),
        (["a", "b"], ["a.wav", "b.wav"], "but for the extension: 'a' and 'a.wav'"),
        (["a.flac", "b.flac"], ["a.wav", "b.wav"], "but for the extension: 'a.flac' and 'a.wav'"),
        (["flac_E_eval/a", "flac_E_eval/b"], ["a", "b"], "but for the folder: 'flac_E_eval/a' and 'a'"),
        (["x\\a", "x\\b"], ["y/z/a", "y/z/b"], r"but for the folder: 'x\\\\a' and 'y/z/a'"),
        (["./x/a.wav", "x/b.wav"], ["a", "b"], "but for folder and extension: './x/a.wav' and 'a'"),
    ],
)
def test_names_that_differ_by_folder_or_extension(scored: list[str], keyed: list[str], hint: str) -> None:
    keys = Keys(keyed, np.array([True, False]))
    with pytest.raises(ValueError, match=f"every score would have its key {hint}$"):
        match(scored, [1.0, 2.0], keys)


def test_no_hint_that_would_confuse_two_clips() -> None:
    keys = Keys(["a", "b"], np.array([True, False]))
    with pytest.raises(ValueError, match=r"expected the names of the keys$"):
        match(["x/a", "y/a"], [1.0, 2.0], keys)
    with pytest.raises(ValueError, match=r"expected the names of the keys$"):
        match([".hidden", "x.y/b"], [1.0, 2.0], keys)


def test_lengths_and_repetitions() -> None:
    with pytest.raises(ValueError, match=r"expected one score a name; found 2 and scores of shape \(1,\)"):
        match(["a", "b"], [1.0], KEYS)
    with pytest.raises(ValueError, match="found two or more of a"):
        match(["a", "a"], [1.0, 2.0], KEYS)
