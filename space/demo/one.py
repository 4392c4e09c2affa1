"""The tab for one recording: a verdict, where it comes from, and what another threshold would say."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from crnn_hf.inference.explaining import Explanation, explain
from demo import costs, timeline, words
from demo.examples import LABELS
from demo.listening import MOST_MEGABYTES, MOST_MINUTES, Scores, judge, read
from demo.models import Served

# An ONNX graph is asked 64 times for 4 s; a longer recording is explained where it sounds most fake.
EXPLAINED_SECONDS = 20.0
NOTHING = ("", "", None, "")  # no stretches, no pictures, no scores, no name


def one_tab(served: Served, examples: list[str]) -> None:
    """Put the tab's parts in place, within a `gr.Tab`."""
    extractor, calibration = served.feature_extractor, served.calibration

    def listen(path: str | None, choice: str, wants_reasons: bool) -> tuple[Any, ...]:
        if path is None:
            return ("", *NOTHING)
        name = Path(path).name
        try:
            waveform = read(path, extractor.sampling_rate)
            scores = judge(served, waveform, name)
        except gr.Error as error:
            return (words.refused(error.message), *NOTHING)
        explanation, start = explained(served, waveform, scores) if wants_reasons else (None, 0.0)
        seen = timeline.seen(waveform, extractor, explanation, start)
        return (*told(scores, choice, name), seen, scores, name)

    def insist(path: str | None, *settings: Any) -> tuple[Any, ...]:
        if path is None:
            return (words.refused("Choose a recording first, or record one."), *NOTHING)
        return listen(path, *settings)

    def told(scores: Scores | None, choice: str, name: str = "") -> tuple[str, str]:
        if scores is None:
            return "", ""
        result = scores.result(served, costs.threshold_of(choice))
        return words.verdict(result, served, name, costs.threshold_of(choice)), timeline.stretches(result)

    def change(scores: Scores | None, choice: str, name: str) -> tuple[str, str, str]:
        return costs.cost(calibration, choice), *told(scores, choice, name)

    def detect(recording: str | None, threshold: str | None) -> dict[str, Any]:
        """Judge a recording: as crnn-hf detect FILE --json, at a threshold's name, or none for the default."""
        if recording is None:
            raise gr.Error("expected a recording", print_exception=False)
        names = [name for _, name in costs.choices(calibration)]
        if costs.threshold_of(threshold) is not None and threshold not in names:
            raise gr.Error(f"no threshold is named {threshold!r}; expected one of {names[1:]}", print_exception=False)
        scores = judge(served, read(recording, extractor.sampling_rate), Path(recording).name)
        return scores.result(served, costs.threshold_of(threshold))

    with gr.Column(elem_classes="tab-of-one"):
        audio = gr.Audio(
            sources=["upload", "microphone"],
            type="filepath",
            label=f"Speech, up to {MOST_MINUTES} min, {MOST_MEGABYTES} MB",
            buttons=[],
            elem_id="recording",
        )
        samples = gr.Examples(
            [[path] for path in examples],
            [audio],
            example_labels=list(LABELS.values()),
            label="Or try one of these: artificial voices, no real speech",
            cache_examples=False,
        )
        with gr.Row():
            reasons = gr.Checkbox(
                label="Also show what moved the score (takes longer)", elem_id="reasons", min_width=260
            )
            button = gr.Button("Judge this recording", variant="primary", elem_id="judge", min_width=260)
        verdict = gr.HTML(elem_id="verdict", elem_classes="announced")
        seen = gr.HTML(elem_id="seen")
        stretches = gr.HTML(elem_id="stretches")
        with gr.Group():
            choice = gr.Dropdown(
                costs.choices(calibration),
                value=costs.ABSTAIN,
                label="Threshold",
                info="Flagging more fakes means flagging more real recordings, too.",
                interactive=True,
                filterable=False,
                elem_id="threshold",
            )
            price = gr.HTML(costs.cost(calibration, costs.ABSTAIN), elem_id="cost", padding=True)
    # Numbers, no sound; forgotten after an hour.
    scores, name = gr.State(None, time_to_live=3600), gr.State("", time_to_live=3600)

    asked: dict[str, Any] = {
        "inputs": [audio, choice, reasons],
        "outputs": [verdict, stretches, seen, scores, name],
        "api_visibility": "private",
        "concurrency_id": "model",
        "show_progress_on": [verdict],
    }
    button.click(insist, **asked)
    audio.input(listen, **asked)
    reasons.input(lambda path, *rest: listen(path, *rest) if path else (gr.skip(),) * 5, **asked)
    samples.load_input_event.then(listen, **asked)
    choice.input(change, [scores, choice, name], [price, verdict, stretches], api_visibility="private")

    api_audio = gr.Audio(type="filepath", visible=False, label="recording")
    api_threshold = gr.Textbox(visible=False, label="threshold", value=None)
    gr.Button(visible=False).click(
        detect,
        [api_audio, api_threshold],
        gr.JSON(visible=False, label="result"),
        api_name="detect",
        concurrency_id="model",
    )


def explained(served: Served, waveform: NDArray[np.float32], scores: Scores) -> tuple[Explanation, float]:
    """What moved the score, and of the stretch from which second on: the whole, or where it sounds most fake."""
    rate, step = served.feature_extractor.sampling_rate, scores.timeline.step
    start, size = 0, round(EXPLAINED_SECONDS * rate)
    if len(waveform) > size and not np.isnan(scores.timeline.scores).all():
        middle = round((np.nanargmin(scores.timeline.scores) + 0.5) * step * rate)
        start = min(max(0, middle - size // 2), len(waveform) - size)
    return explain(served.detector, served.feature_extractor, waveform[start : start + size]), start / rate
