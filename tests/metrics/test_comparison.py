"""Two detectors on the same clips: nothing is named where nothing changed, and what changed is."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crnn_hf.metrics import compute_cm_metrics, equal_error_rate
from crnn_hf.metrics.comparison import BETTER, METRICS, TOO_FEW, UNDECIDED, WORSE, Comparison, Row, compare
from crnn_hf.metrics.trials import Trials

RESAMPLES = 200
REAL, ATTACKS, OF_ATTACK = 120, ("A1", "A2", "A3"), 40


def scored(seed: int = 0, speakers: int | None = None) -> Trials:
    """Real clips, and as many fakes of each attack, whose scores overlap."""
    fakes = len(ATTACKS) * OF_ATTACK
    is_fake = np.repeat([False, True], [REAL, fakes])
    columns = {"attack": ["bonafide"] * REAL + [attack for attack in ATTACKS for _ in range(OF_ATTACK)]}
    if speakers is not None:
        columns["speaker"] = [f"s{index % speakers}" for index in range(REAL + fakes)]
    scores = np.random.default_rng(seed).normal(np.where(is_fake, -1.0, 1.0))
    return Trials([f"clip {index}" for index in range(REAL + fakes)], scores, is_fake, columns)


def moved(trials: Trials, attack: str, by: float) -> Trials:
    return replace(trials, scores=trials.scores + by * (np.array(trials.columns["attack"]) == attack))


def all_rows(comparison: Comparison) -> list[Row]:
    tables = comparison.tables.values()
    return [*comparison.pooled, *(row for table in tables for row in (*table.rows, table.mean))]


def test_a_detector_is_no_better_than_itself() -> None:
    trials = scored(speakers=10)
    found = compare(trials, trials, resamples=RESAMPLES)
    for row in all_rows(found):
        assert row.verdict == UNDECIDED
        assert row.p_value == 1
        for test in (row.by_clip, row.by_speaker):
            assert (test.difference, test.lower, test.upper) == (0, 0, 0)
    assert all(
        not flips.newly_wrong and not flips.newly_right and flips.p_value == 1 for flips in found.flips.values()
    )
    assert not found.is_worse


def test_what_changed_is_named_and_nothing_else() -> None:
    old = scored()
    found = compare(old, moved(moved(old, "A1", -2.5), "A3", 2.5), resamples=RESAMPLES)
    rows = {row.name: row for row in found.tables["attack"].rows}
    assert {name: row.verdict for name, row in rows.items()} == {"A1": BETTER, "A2": UNDECIDED, "A3": WORSE}
    assert [(row.real, row.fake) for row in rows.values()] == [(REAL, OF_ATTACK)] * 3
    assert rows["A1"].by_clip.upper < 0 < rows["A3"].by_clip.lower
    assert rows["A2"].by_clip.difference == 0
    assert found.is_worse


def test_figures_are_those_of_the_metrics() -> None:
    old, new = scored(0), scored(1)
    found = compare(old, new, resamples=RESAMPLES)
    figures = [compute_cm_metrics(trials.scores, trials.is_fake) for trials in (old, new)]
    assert [row.name for row in found.pooled] == list(METRICS)
    for row in found.pooled:
        assert row.by_clip[:2] == tuple(figure[row.name] for figure in figures)
    chosen = ~old.is_fake | (np.array(old.columns["attack"]) == "A2")
    eers = [equal_error_rate(trials.scores[chosen], trials.is_fake[chosen]) for trials in (old, new)]
    table = found.tables["attack"]
    assert list(table.rows[1].by_clip[:2]) == eers
    assert table.mean.by_clip.first == pytest.approx(np.mean([row.by_clip.first for row in table.rows]))
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["pooled"][0]["old"] == figures[0]["eer"]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 12]))
def test_the_other_way_round_everything_is_the_opposite(seed: int, speakers: int | None) -> None:
    old, new = scored(seed, speakers), scored(seed + 1, speakers)
    there, back = compare(old, new, (0.2, -0.3), resamples=50), compare(new, old, (-0.3, 0.2), resamples=50)
    opposite = {BETTER: WORSE, WORSE: BETTER, UNDECIDED: UNDECIDED}
    for one, other in zip(all_rows(there), all_rows(back), strict=True):
        assert opposite[one.verdict] == other.verdict
        assert one.p_value == other.p_value
        first, second, difference, lower, upper, _ = other.wider
        assert one.wider[:5] == pytest.approx((second, first, -difference, -upper, -lower))
    for label, flips in there.flips.items():
        assert flips.newly_wrong == back.flips[label].newly_right
        assert flips.p_value == back.flips[label].p_value


def test_verdicts_that_flipped() -> None:
    names, is_fake = ["a", "b", "c", "d", "e"], np.array([False, False, False, True, True])
    old = Trials(names, np.array([1.0, 1.0, -1.0, -1.0, -1.0]), is_fake)
    new = Trials(names, np.array([1.4, 1.6, 2.0, 1.6, 1.4]), is_fake)
    found = compare(old, new, (0.0, 1.5), resamples=10).flips
    assert (found["real"].newly_wrong, found["real"].newly_right) == (["a"], ["c"])
    assert (found["fake"].newly_wrong, found["fake"].newly_right) == (["d"], [])
    assert [flips.p_value for flips in found.values()] == [1, 1]


def test_one_speaker_who_gains_is_not_everybody() -> None:
    old = scored(speakers=4)
    gains = np.array(old.columns["speaker"]) == "s0"
    new = replace(old, scores=old.scores + 3 * gains * np.where(old.is_fake, -1, 1))
    eer = compare(old, new, resamples=RESAMPLES).pooled[0]
    assert eer.by_clip.p_value < 0.05 < eer.by_speaker.p_value
    assert eer.wider is eer.by_speaker
    assert eer.verdict == UNDECIDED


def test_a_handful_of_clips_gives_no_verdict() -> None:
    old = scored()
    kept = np.flatnonzero(~old.is_fake | (np.arange(len(old)) < REAL + OF_ATTACK + 9))  # of A2, nine
    columns = {name: [values[place] for place in kept] for name, values in old.columns.items()}
    few = Trials([old.utterances[place] for place in kept], old.scores[kept], old.is_fake[kept], columns)
    found = compare(few, moved(few, "A2", -5.0), resamples=RESAMPLES)
    first, second = found.tables["attack"].rows
    assert (first.verdict, first.p_value) == (UNDECIDED, 1)
    assert (second.verdict, second.p_value) == (TOO_FEW, None)
    assert second.by_clip.difference < 0


def test_many_attacks_do_not_hide_what_changed() -> None:
    attacks = [f"A{index:02}" for index in range(20)]
    is_fake = np.repeat([False, True], [50, 12 * len(attacks)])
    names = ["bonafide"] * 50 + [attack for attack in attacks for _ in range(12)]
    scores = np.random.default_rng(0).normal(np.where(is_fake, -0.5, 0.5))
    old = Trials([str(index) for index in range(len(names))], scores, is_fake, {"attack": names})
    found = compare(old, moved(old, "A07", -6.0), resamples=10)
    assert [row.name for row in found.tables["attack"].rows if row.verdict == BETTER] == ["A07"]


def test_codecs_divide_both_classes() -> None:
    old = scored()
    codecs = ["C1" if index % 2 else "-" for index in range(len(old))]
    old = replace(old, columns={"codec": codecs, "attack": ["-"] * len(old)})
    coded = np.array(codecs) == "C1"
    new = replace(old, scores=np.where(coded, -old.scores, old.scores))
    found = compare(old, new, resamples=RESAMPLES)
    assert list(found.tables) == ["codec"]  # all attacks are unknown
    assert [(row.name, row.real, row.fake, row.verdict) for row in found.tables["codec"].rows] == [
        ("-", 60, 60, UNDECIDED),
        ("C1", 60, 60, WORSE),
    ]


def test_other_clips_are_refused() -> None:
    old = scored()
    other = replace(old, utterances=list(reversed(old.utterances)))
    with pytest.raises(ValueError, match="expected two detectors' scores of the same clips; found 240 and 240"):
        compare(old, other)
    only = Trials(["a"], np.array([1.0]), np.array([False]))
    with pytest.raises(ValueError, match="found real clips only"):
        compare(only, only)
