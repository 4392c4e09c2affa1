"""A corpus's measures as a picture."""

import os
from pathlib import Path

import numpy as np

from crnn_hf.data.statistics.describing import Statistics
from crnn_hf.data.statistics.measuring import MEASURES

# Colours of Okabe and Ito's palette, which colour-blind people tell apart as well.
COLOURS = {"real": "#0072B2", "fake": "#D55E00"}


def draw(statistics: Statistics, path: str | os.PathLike[str]) -> None:
    """Write a PNG of 2250 x 1350 pixels with a histogram of each measure, both classes in one; its folder is made.

    Of each measure, the outermost bins also hold the half percent of the clips beyond them.

    Raises:
        ValueError: no clip could be read.
    """
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    if not statistics.clips:
        raise ValueError("nothing to draw: no clip could be read")
    # Without pyplot, which would look for a screen.
    figure = Figure(figsize=(15, 9), dpi=150, layout="constrained")
    grid = list(figure.subplots(3, 4).flat)
    for axes, (name, measure) in zip(grid, MEASURES.items(), strict=False):
        values = {label: measure.factor * found.values[name] for label, found in statistics.by_class.items()}
        low, high = np.quantile(np.concatenate(list(values.values())), [0.005, 0.995])
        bins = np.linspace(low, high, 41) if high > low else np.linspace(low - 0.5, high + 0.5, 42)
        for label, of_class in values.items():
            shares = np.full(len(of_class), 100 / len(of_class))
            # The fakes as an outline over the filled real ones, so that neither hides the other.
            style = {"alpha": 0.5} if label == "real" else {"histtype": "step", "linewidth": 1.8}
            axes.hist(
                np.clip(of_class, bins[0], bins[-1]), bins, weights=shares, color=COLOURS[label], label=label, **style
            )
        alone = statistics.separation.get(name)
        axes.set_title(measure.title if alone is None else f"{measure.title}: EER alone {alone.eer:.1%}")
        axes.set_xlabel(measure.unit)
        axes.set_ylabel("clips of the class [%]")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    numbers = [f"{label} ({statistics.by_class[label].clips:,} clips)" for label in labels]
    for axes in grid[len(MEASURES) :]:
        axes.set_axis_off()
    figure.axes[-1].legend(handles, numbers, loc="center", frameon=False)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
