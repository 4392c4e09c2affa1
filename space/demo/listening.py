"""From a file to what a detector makes of it; no more than the limits allow, and nothing kept."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from crnn_hf.audio import AudioReadError
from crnn_hf.inference.recordings import Judge, Listening, blocks_of, describe
from crnn_hf.inference.recordings.timeline import Timeline
from crnn_hf.inference.waveforms import score_waveforms
from demo.models import Served

MOST_MINUTES = 10
MOST_MEGABYTES = 50
LISTENING = Listening()
BATCH_SIZE = 16


@dataclass(frozen=True)
class Scores:
    """What is kept of a recording while somebody looks at its verdict: numbers, no sound."""

    score: float
    timeline: Timeline
    duration: float
    sounding: float

    def result(self, served: Served, threshold: str | float | None = None) -> dict[str, Any]:
        """As the detection pipeline gives it, at a threshold."""
        return describe(
            self.score,
            self.timeline,
            self.duration,
            self.sounding,
            served.detector.config,
            least_sound=LISTENING.least_sound,
            shortest=LISTENING.shortest,
            threshold=threshold,
        )


def read(path: str, sampling_rate: int) -> NDArray[np.float32]:
    """The waveform of a file, (samples,).

    Raises:
        gr.Error: the file is too large or too long, or cannot be read; the message names the file, without its folder.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > MOST_MEGABYTES * 1_000_000:
            raise gr.Error(f"{name}: more than {MOST_MEGABYTES} MB.", print_exception=False)
        blocks, samples = [], 0
        for block in blocks_of(path, sampling_rate):
            blocks.append(block)
            samples += len(block)
            if samples > MOST_MINUTES * 60 * sampling_rate:
                raise gr.Error(
                    f"{name}: longer than {MOST_MINUTES} minutes. Cut out the part that matters, or run crnn-hf "
                    "detect on your own machine, which has no limit.",
                    print_exception=False,
                )
        return np.concatenate(blocks)
    except AudioReadError as error:
        raise gr.Error(f"{name}: {error.reason}", print_exception=False) from error
    except OSError as error:
        raise gr.Error(f"{name}: the file is not here any more; choose it again.", print_exception=False) from error


def judge(served: Served, waveform: NDArray[np.float32], name: str) -> Scores:
    """Score a waveform, (samples,). Raises gr.Error for one that is too short for the detector."""
    score = partial(score_waveforms, served.detector, served.feature_extractor)
    judge = Judge(score, served.feature_extractor.sampling_rate, LISTENING, BATCH_SIZE)
    (heard,) = judge.hear([waveform])
    if isinstance(heard, Exception):
        reason = heard.reason if isinstance(heard, AudioReadError) else str(heard)
        raise gr.Error(f"{name}: {reason}", print_exception=False)
    found = heard.result(served.detector.config)
    return Scores(found["score"], heard.timeline(), found["duration"], found["sounding"])
