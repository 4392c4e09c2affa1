"""Everything that a report says, as plain values: what metrics.json holds, and what the pages are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from crnn_hf.metrics.breakdown import breakdown, describes_fakes, eer_matrix, macro_average
from crnn_hf.metrics.calibration import ABSTAIN_SHARE, OperatingPoint, abstention_band, operating_points, rates_at
from crnn_hf.metrics.confidence import FEW_CLIPS, bootstrap_intervals
from crnn_hf.metrics.summary import compute_cm_metrics, polarity_warning
from crnn_hf.metrics.trials import UNKNOWN, Trials

FORMAT = 1  # of metrics.json; raised when a name in it changes its meaning
RESAMPLES = 1000
RESAMPLES_OF_GROUPS = 200
CONFIDENCE = 0.95
MOST_GROUPS = 200  # of a column; one with more names single clips rather than kinds of them
SPEAKER = "speaker"
MATRIX = ("attack", "codec")


def measure(
    trials: Trials,
    about: Mapping[str, Any],
    *,
    calibration: Mapping[str, Any] | None = None,
    is_calibrated: bool | None = False,
    warnings: Sequence[str] = (),
    threshold: float = 0.0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Measure scored clips in every way that a report shows.

    Args:
        trials: the clips. Columns that say the same of all clips are left out.
        about: what was measured with what, as people would want to read it: "model", "data", "command" and so on.
        calibration: what the model's config says of its calibration, whose thresholds are then held against the clips;
            without one, thresholds are found on the clips themselves, and there is no probability to speak of.
        is_calibrated: without one, whether the scores claim to be log-likelihood ratios; None where that is not known,
            as of another system's.
        warnings: what the reader is to be warned of, beside what is found here.
        threshold: of the verdicts, see `compute_cm_metrics`.
        resamples: bootstrap draws for the headline metrics.

    Returns:
        Names and plain values, which JSON can hold: `format`, `about`, `warnings`, `metrics`, `balanced`,
        `thresholds`, `counts`, `intervals` (`by_clip`, and `by_speaker` where all are known, two or more of each
        class, each a lower and an upper end by metric), `breakdowns` (by column: `describes_fakes`, `groups`,
        `macro`), `matrix` (EER by attack and codec; None where either is not known), `calibration`,
        `is_calibrated`, `operating_points` and `abstention`.

    Raises:
        ValueError: as `crnn_hf.metrics.trials.checked`.
    """
    scores, is_fake = trials.scores, trials.is_fake
    figures = compute_cm_metrics(scores, is_fake, threshold)
    if calibration is not None and not {"thresholds", "abstain"} <= set(calibration):
        is_calibrated, calibration = True, None
    own_warnings = filter(None, [polarity_warning(scores, is_fake), _few_clips(figures["counts"])])
    nested = ("balanced", "thresholds", "counts")
    telling = {name: values for name, values in trials.columns.items() if _tells_clips_apart(values)}
    draws = {"threshold": threshold, "resamples": resamples, "confidence": CONFIDENCE}
    return {
        "format": FORMAT,
        "about": dict(about),
        "warnings": [*warnings, *own_warnings],
        "metrics": {name: value for name, value in figures.items() if name not in nested},
        **{name: figures[name] for name in nested},
        "intervals": {
            "confidence": CONFIDENCE,
            "resamples": resamples,
            "by_clip": bootstrap_intervals(scores, is_fake, **draws),
            "by_speaker": _intervals_by_speaker(trials, draws),
        },
        "breakdowns": _breakdowns(trials, telling, threshold),
        "matrix": _matrix(trials, telling),
        "calibration": None if calibration is None else dict(calibration),
        "is_calibrated": True if calibration is not None else is_calibrated,
        "operating_points": _operating_points(trials, calibration),
        "abstention": _abstention(trials, calibration),
    }


def _few_clips(counts: Mapping[str, int]) -> str | None:
    rarer = min(counts, key=counts.get)
    if counts[rarer] >= FEW_CLIPS:
        return None
    return (
        f"{counts[rarer]} {rarer} clips are few: chance may move every figure by far more than its interval shows; an "
        "interval without any width says no more than that no clip here was an exception"
    )


def _tells_clips_apart(values: Sequence[str]) -> bool:
    return len(set(values)) > 1


def _intervals_by_speaker(trials: Trials, draws: Mapping[str, Any]) -> dict[str, tuple[float, float]] | None:
    speakers = trials.columns.get(SPEAKER)
    if speakers is None or UNKNOWN in speakers:
        return None
    by_class = [{speakers[clip] for clip in np.flatnonzero(chosen)} for chosen in (trials.is_fake, ~trials.is_fake)]
    if min(map(len, by_class)) < 2:
        return None
    return bootstrap_intervals(trials.scores, trials.is_fake, groups=speakers, **draws)


def _breakdowns(trials: Trials, telling: Mapping[str, Sequence[str]], threshold: float) -> dict[str, Any]:
    groupable = {name: values for name, values in telling.items() if len(set(values)) <= MOST_GROUPS}
    found = {name: _breakdown(trials, groupable[name], threshold) for name in groupable if name != SPEAKER}
    # One kind of fakes alone, beside real clips of which nothing is known, is all clips again.
    return {name: table for name, table in found.items() if len(table["groups"]) > 1}


def _breakdown(trials: Trials, values: Sequence[str], threshold: float) -> dict[str, Any]:
    groups = breakdown(trials.scores, trials.is_fake, values, threshold=threshold, resamples=RESAMPLES_OF_GROUPS)
    return {
        "describes_fakes": describes_fakes(trials.is_fake, values),
        "groups": [group._asdict() for group in groups],
        "macro": {**macro_average(groups), "groups": sum(group.metrics is not None for group in groups)},
    }


def _matrix(trials: Trials, telling: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    if not all(name in telling and len(set(telling[name])) <= MOST_GROUPS for name in MATRIX):
        return None
    rows, columns, eer = eer_matrix(trials.scores, trials.is_fake, *(telling[name] for name in MATRIX))
    return {
        "rows": MATRIX[0],
        "columns": MATRIX[1],
        "row_names": rows,
        "column_names": columns,
        "eer": [[None if np.isnan(value) else value for value in row] for row in eer.tolist()],
    }


def _operating_points(trials: Trials, calibration: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if calibration is None:
        return [asdict(point) for point in operating_points(trials.scores, trials.is_fake)]
    points = [OperatingPoint(**point) for point in calibration["thresholds"]]
    return [
        {**asdict(point), "frr": frr, "far": far, "frr_when_fitted": point.frr, "far_when_fitted": point.far}
        for point in points
        for frr, far in [rates_at(trials.scores, trials.is_fake, point.threshold)]
    ]


def _abstention(trials: Trials, calibration: Mapping[str, Any] | None) -> dict[str, float]:
    """The calibration's band, or else one of these clips, and what share of each class lies below, in and above it."""
    lower, upper = calibration["abstain"] if calibration else abstention_band(trials.scores, trials.is_fake)
    found = {"lower": lower, "upper": upper, "share": ABSTAIN_SHARE}
    for name, chosen in (("real", ~trials.is_fake), ("fake", trials.is_fake)):
        scores = trials.scores[chosen]
        found[f"{name}_called_fake"] = float(np.mean(scores < lower))
        found[f"{name}_unsure"] = float(np.mean((scores >= lower) & (scores < upper)))
        found[f"{name}_called_real"] = float(np.mean(scores >= upper))
    return found
