"""The pictures of a recording over one axis of time, as HTML; what a click on them does is in static/timeline.js."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.inference.explaining import Explanation
from demo import pictures
from demo.reasons import parts_of_score
from demo.words import LABELS, clock, percent

# Scores beyond this are drawn at the edge.
MOST_SCORE = 6.0
TICKS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120)


def seen(
    waveform: NDArray[np.float32],
    extractor: CRNNFeatureExtractor,
    explanation: Explanation | None = None,
    start: float = 0.0,
) -> str:
    """Player, waveform and spectrogram of a recording, with what moved its score above and laid over the latter.

    Args:
        waveform: (samples,).
        extractor: the detector's own.
        explanation: of a stretch.
        start: of that stretch, in seconds.
    """
    rate = extractor.sampling_rate
    seconds = len(waveform) / rate
    end = start if explanation is None else start + len(explanation.effects) * extractor.hop_length / rate
    end = min(end, seconds)
    marks = "".join(
        f'<span style="bottom:{100 * height:.1f}%">{label}</span>' for label, height in pictures.heights(extractor)
    )
    columns = min(pictures.COLUMNS, len(waveform))
    return f"""
<div class="seen" data-seconds="{seconds:.3f}">
  <audio controls preload="auto" src="{pictures.sound(waveform, rate)}"
    aria-label="The recording"></audio>
  {"" if explanation is None else parts_of_score(explanation)}
  {_switch(explanation, start, end, seconds)}
  <div class="tracks" role="slider" tabindex="0" aria-label="Time in the recording. Arrow keys move by a second, space
    plays and pauses." aria-valuemin="0" aria-valuemax="{seconds:.1f}" aria-valuenow="0" aria-valuetext="0:00.0">
    <svg class="waveform" viewBox="0 -1 {columns} 2" preserveAspectRatio="none" role="img" aria-label="Waveform">
      <path d="{pictures.outline(waveform)}"/></svg>
    <div class="spectrogram"><img alt="Log-mel spectrogram, low frequencies below"
      src="{pictures.spectrogram(waveform, extractor)}">{_overlay(explanation, start, end, seconds)}
      <div class="hertz" aria-hidden="true">{marks}</div></div>
    <div class="marks" aria-hidden="true"></div><div class="cursor" aria-hidden="true"></div>
  </div>
  {_axis(seconds)}
</div>"""


def stretches(result: Mapping[str, Any]) -> str:
    """The stretches of a result and its score over time, as HTML on the same axis, and as buttons that play them."""
    seconds = result["duration"]
    segments = result["segments"]
    blocks = "".join(
        f'<div class="part {segment["label"]}" style="{_place(segment["start"], segment["end"], seconds)}">'
        f"<span>{LABELS[segment['label']]}</span></div>"
        for segment in segments
    )
    buttons = "".join(f"<li>{_button(segment)}</li>" for segment in segments)
    data = escape(json.dumps([[segment["label"], segment["start"], segment["end"]] for segment in segments]))
    return f"""
<div class="stretches" data-segments="{data}" data-seconds="{seconds}">
  <div class="tracks slim" aria-hidden="true">{blocks}<div class="cursor"></div></div>
  <div class="tracks score"><svg viewBox="0 -1 1000 2" preserveAspectRatio="none" role="img"
    aria-label="Score over time; the line in the middle is 0, above it is more real">
    <path class="zero" d="M0,0H1000"/><path class="line" d="{_line(result)}"/></svg>
    <span class="up" aria-hidden="true">score: more real ↑</span>
    <span class="down" aria-hidden="true">more fake ↓</span>
    <div class="cursor" aria-hidden="true"></div></div>
  <h3>Stretches</h3><ol>{buttons}</ol>
</div>"""


def _button(segment: Mapping[str, Any]) -> str:
    chance = "" if segment["probability"] is None else f", {percent(segment['probability'])} likely fake"
    return (
        f'<button type="button" class="stretch {segment["label"]}" data-seek="{segment["start"]}" '
        f'data-until="{segment["end"]}"><span aria-hidden="true">▶ </span><span class="sr">Play </span>'
        f"{clock(segment['start'])} to {clock(segment['end'])}: <strong>{LABELS[segment['label']]}</strong>"
        f"{chance}</button>"
    )


def _place(start: float, end: float, seconds: float) -> str:
    return f"left:{100 * start / seconds:.3f}%;width:{100 * (end - start) / seconds:.3f}%"


def _line(result: Mapping[str, Any]) -> str:
    """The score as a path, broken where too little sounds."""
    step, seconds = result["timeline"]["step"], result["duration"]
    path, is_drawn = [], False
    for index, score in enumerate(result["timeline"]["scores"]):
        if score is not None:
            first, last = (1000 * min(at * step, seconds) / seconds for at in (index, index + 1))
            height = -max(-1.0, min(1.0, score / MOST_SCORE))
            path.append(f"{'L' if is_drawn else 'M'}{first:.1f},{height:.3f}H{last:.1f}")
        is_drawn = score is not None
    return "".join(path)


def _switch(explanation: Explanation | None, start: float, end: float, seconds: float) -> str:
    if explanation is None:
        return ""
    is_part = end - start < seconds - 0.1
    where = f", from {clock(start)} to {clock(end)}, where it sounds most fake" if is_part else ""
    return (
        '<label class="switch"><input type="checkbox" class="show-effects" checked> Show what moved the score: '
        '<span class="key fake">orange</span> spoke for fake, <span class="key real">blue</span> for real '
        f"(by {escape(explanation.method)}{where})</label>"
    )


def _overlay(explanation: Explanation | None, start: float, end: float, seconds: float) -> str:
    if explanation is None:
        return ""
    return (
        f'<img class="effects" style="{_place(start, end, seconds)}" src="{pictures.effects(explanation.effects)}" '
        f'alt="What moved the score, from {clock(start)} to {clock(end)}">'
    )


def _axis(seconds: float) -> str:
    step = next((step for step in TICKS if seconds / step <= 6), TICKS[-1])
    ticks = np.arange(0, seconds * 0.97, step)
    labels = "".join(
        f'<span style="left:{100 * at / seconds:.2f}%">{int(at) // 60}:{at % 60:04.1f}</span>'
        if step < 1
        else f'<span style="left:{100 * at / seconds:.2f}%">{int(at) // 60}:{int(at) % 60:02d}</span>'
        for at in ticks
    )
    return f'<div class="axis" aria-hidden="true">{labels}</div>'
