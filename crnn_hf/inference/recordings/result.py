"""What a detector has to say of a whole recording."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedConfig

from crnn_hf.inference.recordings.segments import SILENCE, Segment, segments
from crnn_hf.inference.recordings.timeline import Timeline
from crnn_hf.inference.verdicts import Verdict, calibration_of, verdict

# Significant digits behind the point: a millisecond, and less than batches of another size change a score by.
DIGITS = 3
SCORE_DIGITS = 4


def describe(
    score: float,
    timeline: Timeline,
    duration: float,
    sounding: float,
    config: PreTrainedConfig,
    *,
    least_sound: float,
    shortest: float,
    threshold: float | str | None = None,
    prior_of_fake: float = 0.5,
) -> dict[str, Any]:
    """All that is known of a recording, as plain values.

    Args:
        score: of the recording as a whole.
        timeline: its scores step by step.
        duration, sounding: how long it is, and how much of it is no pause, in seconds.
        config: the model's.
        least_sound: seconds of sound below which nothing is said but "unsure".
        shortest: as [`crnn_hf.inference.recordings.segments.segments`].
        threshold, prior_of_fake: as [`crnn_hf.inference.verdicts.verdict`].

    Returns:
        `label`: "real", "fake" or "unsure"; `reason`, why it is unsure, else None; `score`, higher for real;
        `probability`, that it is fake, or None without calibration; `calibrated`; `duration` and `sounding` in
        seconds; `segments`, each with `start`, `end`, `label`, `score`, `probability`; `timeline`, with `step` and
        `scores`, None where too little sounds.
    """

    def judged(score: float) -> Verdict:
        return verdict(score, config, threshold, prior_of_fake)

    whole = judged(score)
    label, reason = whole.label, None
    if sounding < least_sound:
        label, reason = "unsure", f"too little sounds: {sounding:.2f} s; expected at least {least_sound:g} s"
    elif label == "unsure":
        reason = "the score lies where the detector errs too often either way"
    found = segments(timeline, lambda score: judged(score).label, shortest)
    return {
        "label": label,
        "reason": reason,
        "score": round(score, SCORE_DIGITS),
        "probability": _rounded(whole.probability_of_fake),
        "calibrated": calibration_of(config) is not None,
        "duration": round(duration, DIGITS),
        "sounding": round(min(sounding, duration), DIGITS),
        "segments": [_segment(segment, timeline, duration, judged(segment.score)) for segment in found],
        "timeline": {"step": timeline.step, "scores": _scores(timeline.scores)},
    }


def _segment(segment: Segment, timeline: Timeline, duration: float, judged: Verdict) -> dict[str, Any]:
    is_silence = segment.label == SILENCE
    return {
        "start": round(timeline.edge(segment.first), DIGITS),
        "end": round(min(timeline.edge(segment.last), duration), DIGITS),
        "label": segment.label,
        "score": None if is_silence else round(segment.score, SCORE_DIGITS),
        "probability": None if is_silence else _rounded(judged.probability_of_fake),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, SCORE_DIGITS)


def _scores(scores: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(score) else round(float(score), SCORE_DIGITS) for score in scores]
