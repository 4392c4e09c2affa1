"""A second opinion beside the CRNN's: how the difference of neighbouring frequencies, and of moments, varies.

Vocoders smooth or roughen the fine structure of speech, whichever room, voice or language they imitate: that between
the harmonics of a voice, which long windows tell apart, and between its pulses, which short ones do. A pulse of a
voice is heard in all bands at once, and that of many a vocoder is not. Statistics of all this over a clip are few, and
a linear layer learns them from few clips, where a deep network learns the rooms, voices and languages of so few by
heart as well. The two err on different clips.

The feature extractor measures the statistics, for the CRNN's spectrogram is too coarse; the model judges them.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from .configuration_crnn import CRNNConfig
from .spectra_crnn import FLOOR, power


class View(NamedTuple):
    """One spectrogram and how it is looked at.

    Attributes:
        n_fft: samples of a frame, all under a Hann window.
        hop_length: samples from one frame to the next.
        axis: along which neighbours are compared, of (batch, frames, bins): `TIME` or `FREQUENCY`.
        bands: of as many bins each; they share one statistic, which is the mean of the bins' own where neighbouring
            frequencies are compared, and that of their power together where moments are.
        steps: how many neighbourhoods there are, of 3 bins or frames, 9, 27 and so on.
    """

    n_fft: int
    hop_length: int
    axis: int
    bands: int
    steps: int

    @property
    def pairs(self) -> list[int]:
        """Where in a square of all bands the pairs are that are correlated: all, where moments are compared."""
        if self.axis == FREQUENCY:
            return []
        return [low * self.bands + high for low in range(self.bands) for high in range(low + 1, self.bands)]


TIME, FREQUENCY = 1, 2
# Frames of 32 and 128 ms, whose bins are 31 and 8 Hz wide; and of 8 and 4 ms, 4 and 2 ms apart. With frames twice as
# dense, or with those of 64 ms too, it takes more time and is hardly better; without any one of these it is worse.
VIEWS = (
    View(512, 480, FREQUENCY, 32, 3),
    View(2048, 1024, FREQUENCY, 32, 3),
    View(128, 64, TIME, 16, 4),
    View(64, 32, TIME, 8, 4),
)
NUM_STATISTICS = sum(view.steps * (2 * view.bands + len(view.pairs)) for view in VIEWS)
# Samples that a clip is padded to with zeros, so that every view has frames enough.
LEAST_SAMPLES = 8192
# Samples that are measured at once: a minute at 16 kHz. Of more, the statistics are the mean of those of its parts.
MOST_SAMPLES = 960_000
# Decibels under the loudest bin and frame under which nothing is told apart, as the feature extractor's own.
DYNAMIC_RANGE = 80.0
# How fast a frame's weight grows with its loudness: per neper of its bins' mean power above that of the clip.
STEEPNESS = 2.0
# Standard deviations from the usual beyond which a statistic says no more, as those of digital silence.
FURTHEST = 5.0


class CRNNContrast(nn.Module):
    """Logits of the contrast alone: a linear layer on its statistics.

    It is fitted to statistics, by `crnn_hf.training`, and not trained by gradients: what it holds are buffers. Before
    that it says nothing, and its logits are 0.
    """

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(NUM_STATISTICS))
        self.register_buffer("deviation", torch.ones(NUM_STATISTICS))
        self.register_buffer("weight", torch.zeros(config.num_labels, NUM_STATISTICS))
        self.register_buffer("bias", torch.zeros(config.num_labels))

    def forward(self, contrast: torch.Tensor) -> torch.Tensor:
        """Statistics as `contrast_statistics` gives them, (batch, statistics), to (batch, labels), float32."""
        return F.linear(self.normalise(contrast.float()), self.weight.float(), self.bias.float())

    def normalise(self, contrast: torch.Tensor) -> torch.Tensor:
        """Statistics relative to the usual ones; of the same shape."""
        return ((contrast - self.mean) / self.deviation).clamp(-FURTHEST, FURTHEST)


def contrast_statistics(waveforms: torch.Tensor) -> torch.Tensor:
    """How the difference of neighbouring bins, and of neighbouring frames, varies while clips are loud.

    Of each view's log power, each bin's difference from the mean of 3 around it, of 9 and of 27, and where moments are
    compared of 81; and of that, over time and more of loud frames than of quiet ones, the mean absolute deviation and
    the standard deviation from the mean, which a recording channel does not change; where moments are compared, also
    the correlation of each band with each other. Neither the level nor an offset of a waveform shows.

    Args:
        waveforms: (batch, samples), float32, of any length.

    Returns:
        (batch, NUM_STATISTICS), float32: by view and neighbourhood, the deviations by kind and band, in nepers, and
        then the correlations, -1 to 1.
    """
    parts = waveforms.tensor_split(max(1, math.ceil(waveforms.shape[1] / MOST_SAMPLES)), dim=1)
    return torch.stack([_part_statistics(part) for part in parts]).mean(0)


def _part_statistics(waveforms: torch.Tensor) -> torch.Tensor:
    missing = max(0, LEAST_SAMPLES - waveforms.shape[1])
    waveforms = F.pad(waveforms - waveforms.mean(1, keepdim=True), (0, missing))
    return measured(lambda view: power_of(waveforms, view))


def power_of(waveforms: torch.Tensor, view: View) -> torch.Tensor:
    """(batch, samples) to the power in each bin but that of 0 Hz, (batch, frames, n_fft / 2)."""
    frames = waveforms.unfold(-1, view.n_fft, view.hop_length)
    return power(torch.fft.rfft(frames * torch.hann_window(view.n_fft, device=waveforms.device)))[..., 1:]


def measured(
    power_in: Callable[[View], torch.Tensor], counts: Callable[[View], torch.Tensor] | None = None
) -> torch.Tensor:
    """The statistics of a batch.

    Args:
        power_in: of a view's bins, (batch, frames, n_fft / 2), as `power_of` gives it.
        counts: how many of a view's frames are each clip's, (batch,); by default all are.

    Returns:
        (batch, NUM_STATISTICS).
    """
    return torch.cat(
        [_of_view(power_in(view), view, None if counts is None else counts(view)) for view in VIEWS], dim=1
    )


def _of_view(bins: torch.Tensor, view: View, counts: torch.Tensor | None) -> torch.Tensor:
    if view.axis == TIME:
        bins = _in_bands(bins, view.bands).sum(-1)
    frames = torch.arange(bins.shape[1], device=bins.device)
    mask = None if counts is None else frames < counts[:, None]
    log_power = bins.clamp(min=FLOOR).log_()
    heard = log_power if mask is None else log_power.masked_fill(~mask[..., None], -torch.inf)
    loudest = heard.flatten(1).amax(1)[:, None, None]
    log_power = log_power.clamp_(min=loudest - DYNAMIC_RANGE * math.log(10) / 10)
    loudness = log_power.mean(-1)
    weights = torch.sigmoid(STEEPNESS * (loudness - _mean(loudness, mask)))
    pairs = torch.tensor(view.pairs, dtype=torch.long, device=bins.device)
    statistics = []
    for contrast, margin in _contrasts(log_power, view):
        inner = weights[:, margin : weights.shape[1] - margin]
        if counts is not None:
            # A frame whose neighbourhood reaches beyond the clip is no frame of it.
            inner = inner * (frames[: inner.shape[1]] < counts[:, None] - 2 * margin)
        shares = (inner / inner.sum(1, keepdim=True))[:, None]
        apart = contrast.sub_(shares @ contrast)
        standard = (shares @ apart.square()).clamp(min=1e-6).sqrt()
        deviations = torch.cat([shares @ apart.abs(), standard], dim=1)
        if view.axis == FREQUENCY:
            statistics.append(_in_bands(deviations, view.bands).mean(-1).flatten(1))
        else:
            covariances = (apart.transpose(1, 2) * shares) @ apart
            correlations = covariances / (standard.transpose(1, 2) * standard)
            statistics += [deviations.flatten(1), correlations.flatten(1)[:, pairs]]
    return torch.cat(statistics, dim=1)


def _contrasts(log_power: torch.Tensor, view: View) -> Iterator[tuple[torch.Tensor, int]]:
    """The difference from the means of ever larger neighbourhoods, and how many frames at each end have none."""
    total, reach, margin = log_power, 1, 0
    for _ in range(view.steps):
        # Three sums side by side are the sum of three times as many.
        if view.axis == FREQUENCY:
            low, high = (total[..., edge, None].expand(-1, -1, reach) for edge in (0, -1))
            total = torch.cat([low, total, high], dim=-1)
            total = (total[..., : -2 * reach] + total[..., reach:-reach]).add_(total[..., 2 * reach :])
        else:
            total = (total[:, : -2 * reach] + total[:, reach:-reach]).add_(total[:, 2 * reach :])
            margin += reach
        reach *= 3
        yield torch.sub(log_power[:, margin : log_power.shape[1] - margin], total, alpha=1 / reach), margin


def _in_bands(values: torch.Tensor, bands: int) -> torch.Tensor:
    """(batch, rows, bins) to (batch, rows, bands, bins / bands)."""
    # `unflatten` would write the example's sizes into a traced graph.
    return values.reshape(values.shape[0], values.shape[1], bands, -1)


def _mean(loudness: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Over a clip's frames, (batch, frames) to (batch, 1)."""
    if mask is None:
        return loudness.mean(1, keepdim=True)
    return (loudness * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
