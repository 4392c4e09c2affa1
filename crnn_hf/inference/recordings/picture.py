"""A verdict as a picture: waveform, spectrogram and score over one axis of time, with the fake stretches marked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crnn_hf.inference.recordings.overview import Overview

# Okabe and Ito's palette, which colour-blind people tell apart as well; real and fake as in all other pictures.
COLOURS = {"real": "#0072B2", "fake": "#D55E00", "unsure": "#999999", "silence": "#FFFFFF"}
# Decibels below the loudest band under which the spectrogram is black.
RANGE = 70
DPI = 150


def draw_verdict(result: Mapping[str, Any], seen: Overview, path: Path, title: str) -> None:
    """Write a PNG of 1650 x 1050 pixels.

    Args:
        result: from the detection pipeline.
        seen: the same recording's overview.
        path: of the PNG; its folder is made.
        title: what the recording is called.
    """
    from matplotlib.figure import Figure  # slow to import, and only pictures need it
    from matplotlib.patches import Patch

    # Without pyplot, which would look for a screen.
    figure = Figure(figsize=(11, 7), dpi=DPI, layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(1, 2, 2))
    figure.suptitle(f"{_plain(title)}: {headline(result)}")

    times = np.linspace(0, seen.seconds, len(seen.waveform) + 1)
    low, high = (np.append(edge, edge[-1]) for edge in seen.waveform.T)
    top.fill_between(times, low, high, step="post", color="black", linewidth=0.4)
    top.set_ylabel("waveform")

    loudest = seen.spectrogram.max()
    middle.imshow(
        seen.spectrogram.T,
        origin="lower",
        aspect="auto",
        extent=(0, seen.seconds, 0, seen.spectrogram.shape[1]),
        cmap="magma",
        vmin=loudest - RANGE,
        vmax=loudest,
    )
    middle.set_ylabel("mel band, to 8 kHz")

    step, scores = result["timeline"]["step"], [np.nan if s is None else s for s in result["timeline"]["scores"]]
    edges = np.minimum(np.arange(len(scores) + 1) * step, seen.seconds)
    bottom.stairs(scores, edges, color="black", baseline=None, linewidth=1.4)
    bottom.axhline(0, color="grey", linewidth=0.8)
    bottom.set_ylabel("score: higher is more real" if result["calibrated"] else "score (not calibrated)")
    bottom.set_xlabel("seconds")
    bottom.set_xlim(0, seen.seconds)

    for segment in result["segments"]:
        for axes in (top, bottom):
            axes.axvspan(segment["start"], segment["end"], color=COLOURS[segment["label"]], alpha=0.25, linewidth=0)
        if segment["label"] == "fake":
            for edge in (segment["start"], segment["end"]):
                middle.axvline(edge, color=COLOURS["fake"], linewidth=1.5)
    shown = dict.fromkeys(segment["label"] for segment in result["segments"])
    handles = [Patch(facecolor=COLOURS[label], alpha=0.4, edgecolor="grey", label=label) for label in shown]
    top.legend(handles=handles, loc="upper right", ncols=len(handles))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def headline(result: Mapping[str, Any]) -> str:
    """A result in a few words: "fake, P(fake) 0.97"."""
    if result["probability"] is None:
        return f"{result['label']}, score {result['score']:+.2f}"
    return f"{result['label']}, P(fake) {result['probability']:.2f}"


def _plain(title: str) -> str:
    """A file's name may have dollars, which matplotlib would take for formulas."""
    return title.replace("$", r"\$")
