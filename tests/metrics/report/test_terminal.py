"""The gist in the terminal: every headline metric, the worst groups, and nothing that a terminal obeys."""

from collections.abc import Callable

import numpy as np

from crnn_hf.metrics import HEADLINE
from crnn_hf.metrics.report import as_text, measure
from crnn_hf.metrics.report.terminal import MOST_GROUPS
from crnn_hf.metrics.trials import Trials


def line_of(text: str, beginning: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(beginning)]
    return line


def test_each_metric_stands_with_its_intervals(make_trials: Callable[..., Trials]) -> None:
    figures = measure(make_trials(speakers=20), {}, resamples=10)
    text = as_text(figures)
    assert "95 % over clips" in text
    assert "95 % over speakers" in text
    for name in HEADLINE:
        ends = [figures["intervals"][kind][name] for kind in ("by_clip", "by_speaker")]
        intervals = [f"{lower:.4f} to {upper:.4f}" for lower, upper in ends]
        assert line_of(text, f"{name} ").split(maxsplit=2)[1:] == [
            f"{figures['metrics'][name]:.4f}",
            "  ".join(intervals),
        ]


def test_without_speakers_and_columns_there_is_no_word_of_them(make_trials: Callable[..., Trials]) -> None:
    trials = make_trials()
    text = as_text(measure(Trials(trials.utterances, trials.scores, trials.is_fake), {}, resamples=2))
    assert "speakers" not in text
    assert "EER by" not in text


def test_groups_come_worst_first_and_only_some_of_many(make_trials: Callable[..., Trials]) -> None:
    figures = measure(make_trials(attacks=tuple(f"A{number:02d}" for number in range(10))), {}, resamples=2)
    line = line_of(as_text(figures), "EER by attack")
    assert f"{figures['breakdowns']['attack']['macro']['eer']:.1%} on average over 10" in line
    eers = {group["name"]: group["metrics"]["eer"] for group in figures["breakdowns"]["attack"]["groups"]}
    worst_first = sorted(eers, key=lambda name: -eers[name])[:MOST_GROUPS]
    listed = ", ".join(f"{name} {eers[name]:.1%}" for name in worst_first)
    assert line.endswith(f"worst first: {listed}, and 2 more")


def test_a_group_of_one_class_is_counted(make_trials: Callable[..., Trials]) -> None:
    text = as_text(measure(make_trials(), {}, resamples=2))
    assert line_of(text, "EER by codec").endswith("; 1 of one class alone")


def test_calibration_and_warnings_are_told(make_trials: Callable[..., Trials]) -> None:
    figures = measure(make_trials(), {}, warnings=["mind the gap"], resamples=2)
    assert "not calibrated" in as_text(figures)
    text = as_text(figures | {"is_calibrated": True, "calibration": {"data": "the validation clips"}})
    assert "They were calibrated on the validation clips." in text
    assert "not calibrated" not in text
    assert text.endswith("\nWarning: mind the gap")


def test_names_from_data_cannot_command_the_terminal(make_trials: Callable[..., Trials]) -> None:
    trials = make_trials(attacks=("\x1b[2Jgone", "new\nline", "A" * 300))
    trials = Trials(trials.utterances, trials.scores, trials.is_fake, {"\x1b]0;title\x07": trials.columns["attack"]})
    figures = measure(trials, {}, warnings=["\x1b[31mred\nEER by all"], resamples=2)
    text = as_text(figures | {"calibration": {"data": "\x1b[1A"}})
    assert all(line.isprintable() for line in text.splitlines())
    # Each name and warning stays on its line, and none floods it.
    assert len([line for line in text.splitlines() if line.startswith("EER by")]) == 1
    assert "A" * 30 not in text


def test_a_coin_and_a_perfect_detector_have_figures() -> None:
    is_fake = np.arange(40) % 2 == 1
    for scores in (np.zeros(40), np.where(is_fake, -1.0, 1.0)):
        text = as_text(measure(Trials([""] * 40, scores, is_fake), {}, resamples=2))
        assert "nan" not in text
        assert line_of(text, "eer ")
