"""A comparison as text: short where there is much, and safe whatever names the data has."""

import numpy as np

from crnn_hf.metrics.comparison import compare
from crnn_hf.metrics.report.comparing import MOST_ROWS, comparison_as_text, summary
from crnn_hf.metrics.trials import Trials

ATTACKS = MOST_ROWS + 5


def scored(names: list[str], worse: str | None = None) -> Trials:
    """Fifty real clips, and ten fakes of each attack."""
    attacks = ["-"] * 50 + [name for name in names for _ in range(10)]
    is_fake = np.repeat([False, True], [50, 10 * len(names)])
    scores = np.random.default_rng(0).normal(np.where(is_fake, -2.0, 2.0))
    scores += 8.0 * (np.array(attacks) == worse)
    return Trials([f"{index}" for index in range(len(attacks))], scores, is_fake, {"attack": attacks})


def test_of_many_attacks_those_that_changed_are_listed() -> None:
    names = [f"A{index:02}" for index in range(ATTACKS)]
    text = comparison_as_text(compare(scored(names), scored(names, worse="A07"), resamples=20))
    lines = text.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("A")] == ["A07"]
    assert f"Not listed: {ATTACKS - 1} of no shown difference." in lines
    assert f"Better on 0 of {ATTACKS} attacks, worse on 1 (A07: " in text


def test_few_attacks_are_listed_the_worst_change_first() -> None:
    text = comparison_as_text(compare(scored(["b", "c", "a"]), scored(["b", "c", "a"], worse="c"), resamples=20))
    assert [line[0] for line in text.splitlines() if line[:2] in ("a ", "b ", "c ")] == ["c", "a", "b"]


def test_names_cannot_command_the_terminal() -> None:
    names = ["\x1b[2Jevil", "x" * 60]
    trials = scored(names)
    text = comparison_as_text(compare(trials, scored(names, worse=names[0]), resamples=20))
    assert "\x1b" not in text
    assert "x" * 30 not in text


def test_without_known_attacks_there_are_pooled_figures_alone() -> None:
    trials = scored(["-"])
    said = summary(compare(trials, trials, resamples=20)).splitlines()
    assert [line.split()[0] for line in said] == ["Pooled", "Of", "Of"]
