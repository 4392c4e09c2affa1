"""The tab that listens to the microphone, and says all the while what it makes of it."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from crnn_hf.inference.streaming import StreamingDetector, StreamVerdict
from demo import costs
from demo.models import Served
from demo.timeline import MOST_SCORE
from demo.words import ARTIFICIAL, HEADLINES, SYMBOLS, clock, probability

MOST_SECONDS = 300  # after which somebody else may be waiting
SHOWN_SECONDS = 60.0
STEP = 0.5
NOTHING = '<div class="live"><p>Nothing was heard yet.</p></div>'


@dataclass
class Session:
    """What one visitor's microphone was heard to say; a few seconds of sound, until it is reset."""

    stream: StreamingDetector
    latest: list[float] = field(default_factory=list)
    seconds: float = 0.0


def live_tab(served: Served) -> None:
    """Put the tab's parts in place, within a `gr.Tab`."""

    def hear(chunk: tuple[int, NDArray[Any]] | None, session: Session | None, choice: str) -> tuple[str, Any]:
        if chunk is None:
            return gr.skip(), session
        rate, samples = chunk
        samples = _mono(samples)
        if session is None or session.stream.sampling_rate != rate:
            stream = StreamingDetector(
                served.detector,
                served.feature_extractor,
                sampling_rate=rate,
                threshold=costs.threshold_of(choice),
                step=STEP,
            )
            session = Session(stream)
        heard = session.stream.push(samples)
        if heard.latest is not None and heard.seconds > session.seconds:
            session.seconds = heard.seconds
            session.latest = [*session.latest, heard.latest][-round(SHOWN_SECONDS / STEP) :]
        return _said(heard, session.latest, served), session

    def reset() -> tuple[str, None]:
        return NOTHING, None

    gr.Markdown("The verdict is on all that was heard since the start; the line shows how the last two seconds sound.")
    audio = gr.Audio(
        sources=["microphone"], type="numpy", streaming=True, label="Your microphone", elem_id="microphone"
    )
    choice = gr.Dropdown(
        costs.choices(served.calibration),
        value=costs.ABSTAIN,
        label="Threshold, from the next start on",
        interactive=True,
        filterable=False,
    )
    said = gr.HTML(NOTHING, elem_id="said")
    gr.HTML('<p class="live-voice sr" role="status" aria-live="polite"></p>')
    button = gr.Button("Forget what was heard", elem_id="reset")
    session = gr.State(None, time_to_live=3600)
    audio.stream(
        hear,
        [audio, session, choice],
        [said, session],
        stream_every=STEP,
        time_limit=MOST_SECONDS,
        concurrency_limit=8,
        show_progress="hidden",
        api_visibility="private",
    )
    gr.on([button.click, audio.start_recording], reset, None, [said, session], api_visibility="private")


def _mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    """16-bit samples, (samples,) or (samples, channels), as floats of one channel."""
    floats = samples.astype(np.float32) / 32768 if samples.dtype == np.int16 else samples.astype(np.float32)
    return floats if floats.ndim == 1 else floats.mean(1)


def _said(heard: StreamVerdict, latest: list[float], served: Served) -> str:
    warning = f'<p class="fine">{ARTIFICIAL}</p>' if served.is_artificial else ""
    heights = [-max(-1.0, min(1.0, score / MOST_SCORE)) for score in latest]
    places = np.linspace(0, 1000, round(SHOWN_SECONDS / STEP))
    line = "L".join(f"{x:.0f},{y:.3f}" for x, y in zip(places, heights, strict=False))
    return (
        f'<div class="live"><div class="verdict {heard.label}"><span class="symbol" aria-hidden="true">'
        f"{SYMBOLS[heard.label]}</span><div><h2>{HEADLINES[heard.label]}</h2>"
        f"<p>{probability(heard.probability, heard.score)}</p>"
        f'<p class="fine">{clock(heard.seconds)} heard, {clock(heard.sounding)} of it no pause</p>{warning}'
        "</div></div>"
        '<svg viewBox="0 -1 1000 2" preserveAspectRatio="none" role="img" aria-label="Score of the last minute; above '
        f'the middle is more real"><path class="zero" d="M0,0H1000"/><path d="{f"M{line}" if line else ""}"/></svg>'
        "</div>"
    )
