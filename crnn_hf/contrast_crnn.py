"""A second opinion beside the CRNN's, formed of a clip's fine structure.

Vocoders smooth or roughen the fine structure of speech, whichever room, voice or language they imitate: that between
the harmonics of a voice, which long windows tell apart, and between its pulses, which short ones do. A pulse of a
voice is heard in all bands at once, and that of many a vocoder is not; and its phase, which many a vocoder makes up,
turns alike in neighbouring frequencies. Statistics of all this over a clip are few, and a network of one hidden layer
learns them from few clips, where a deep one learns the rooms, voices and languages of so few by heart as well. The two
err on different clips.

The feature extractor measures the statistics, for the CRNN's spectrogram is too coarse; the model judges them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from .configuration_crnn import CRNNConfig
from .spectra_crnn import FLOOR, power


class View(NamedTuple):
    """One spectrogram and how it is looked at.

    Attributes:
        n_fft: samples of a frame, all under a Hann window.
        hop_length: samples from one frame to the next.
        bands: of as many bins each; what is measured in a band's bins is averaged, or their power summed.
        steps: how many neighbourhoods there are, of 3 bins or frames, 9, 27 and so on.
    """

    n_fft: int
    hop_length: int
    bands: int
    steps: int = 0

    @property
    def pairs(self) -> list[int]:
        """Where in a square of all bands those are, that each two of them have."""
        return [low * self.bands + high for low in range(self.bands) for high in range(low + 1, self.bands)]

    def count(self, samples: torch.Tensor) -> torch.Tensor:
        """How many frames clips of so many samples have."""
        return (samples - self.n_fft) // self.hop_length + 1


# Frequencies are compared in frames of 32 and 128 ms, whose bins are 31 and 8 Hz wide; moments in frames of 8 and
# 4 ms, 4 and 2 ms apart. With frames twice as dense, or with those of 64 ms too, it takes more time and is hardly
# better; without any one of these it is worse.
FREQUENCY_VIEWS = (View(512, 480, 17, 3), View(2048, 1024, 34, 3))
MOMENT_VIEWS = (View(128, 64, 16, 4), View(64, 32, 8, 4))
# Phases are compared from frames of 32 ms to those 8 ms later.
PHASE_VIEW = View(512, 480, 16)
LATER = PHASE_VIEW.n_fft // 4
# What the statistics tell of, each one in turn: the fine structure between the harmonics of a voice, that between its
# pulses, whether those are heard in all bands at once, and the phase.
HARMONICS, PULSES, AT_ONCE, PHASE = KINDS = ("harmonics", "pulses", "bands", "phase")
KIND_OF_STATISTIC = (
    *(HARMONICS for view in FREQUENCY_VIEWS for _ in range(view.steps * 2 * view.bands)),
    *(
        kind
        for view in MOMENT_VIEWS
        for _ in range(view.steps)
        for kind in (*[PULSES] * (2 * view.bands), *[AT_ONCE] * len(view.pairs))
    ),
    *[PHASE] * (4 * PHASE_VIEW.bands),
)
NUM_STATISTICS = len(KIND_OF_STATISTIC)
# Samples that a clip is padded to with zeros, so that every view has frames enough.
LEAST_SAMPLES = 8192
# Samples that are measured at once: a minute at 16 kHz. Of more, the statistics are the mean of those of its parts.
MOST_SAMPLES = 960_000
# Samples of several waveforms that are measured at once, their padding included: 16 seconds. Waveforms one by one take
# twice the time, and with several threads thrice.
MOST_AT_ONCE = 256_000
# Decibels under the loudest bin and frame under which nothing is told apart, as the feature extractor's own.
DYNAMIC_RANGE = 80.0
# How fast a frame's weight grows with its loudness: per neper of its bins' mean power above that of the clip.
STEEPNESS = 2.0
# Standard deviations from the usual beyond which a statistic says no more, as those of digital silence.
FURTHEST = 5.0
# Of the hidden layer; 64 and 512 are within a point, and without the layer it errs more by up to three.
HIDDEN_UNITS = 256


class CRNNContrast(nn.Module):
    """Logits of the contrast alone: a hidden layer and a linear one on its statistics.

    It is fitted to statistics, by `crnn_hf.training`, and not trained with the rest: what it holds are buffers. Before
    that it says nothing, and its logits are 0.
    """

    def __init__(self, config: CRNNConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(NUM_STATISTICS))
        self.register_buffer("deviation", torch.ones(NUM_STATISTICS))
        self.register_buffer("hidden_weight", torch.zeros(HIDDEN_UNITS, NUM_STATISTICS))
        self.register_buffer("hidden_bias", torch.zeros(HIDDEN_UNITS))
        self.register_buffer("weight", torch.zeros(config.num_labels, HIDDEN_UNITS))
        self.register_buffer("bias", torch.zeros(config.num_labels))

    def forward(self, contrast: torch.Tensor) -> torch.Tensor:
        """Statistics as `contrast_statistics` gives them, (batch, statistics), to (batch, labels), float32."""
        hidden = F.linear(self.normalise(contrast.float()), self.hidden_weight.float(), self.hidden_bias.float())
        return F.linear(hidden.relu(), self.weight.float(), self.bias.float())

    def normalise(self, contrast: torch.Tensor) -> torch.Tensor:
        """Statistics relative to the usual ones; of the same shape."""
        return ((contrast - self.mean) / self.deviation).clamp(-FURTHEST, FURTHEST)


@torch.inference_mode()
def contrast_of_each(waveforms: Sequence[torch.Tensor]) -> torch.Tensor:
    """The statistics of waveforms of any lengths, (samples,) each, as `contrast_statistics` gives them of one.

    Returns:
        (waveforms, NUM_STATISTICS), float32.
    """
    by_length = sorted(range(len(waveforms)), key=lambda index: len(waveforms[index]))
    statistics: dict[int, torch.Tensor] = {}
    while by_length:
        # From the longest on, as many as are little enough once they are padded to its length.
        count = max(1, MOST_AT_ONCE // len(waveforms[by_length[-1]]))
        by_length, piece = by_length[:-count], by_length[-count:]
        lengths = torch.tensor([len(waveforms[index]) for index in piece])
        padded = pad_sequence([waveforms[index] for index in piece], batch_first=True)
        are_alike = bool((lengths == lengths[0]).all())
        found = contrast_statistics(padded, None if are_alike else lengths.to(padded.device))
        statistics.update(zip(piece, found, strict=True))
    return torch.stack([statistics[index] for index in range(len(waveforms))])


def contrast_statistics(waveforms: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
    """How a clip's fine structure varies while it is loud.

    In the frequency views, the difference of every third bin's log power from the mean of 3 bins around it, of 9 and
    of 27; in the moment views, that of each band's from the mean of 3, 9, 27 and 81 frames around it. Of these, over
    time and more of loud frames than of quiet ones, the mean absolute deviation and the standard deviation from the
    mean, which a recording channel does not change; of moments, also the correlation of each two bands. In the phase
    view, the mean of how far the phase turns between two frames, as a complex number on the unit circle, and that of
    how much further it turns than that of the bin below. Neither the level nor an offset of a waveform shows.

    Args:
        waveforms: (batch, samples), float32, of any length.
        lengths: how many samples are each clip's, (batch,), at most a minute, the rest being 0; by default all are.

    Returns:
        (batch, NUM_STATISTICS), float32: by view and neighbourhood, the deviations by kind and band, in nepers, and
        then the correlations, -1 to 1; and of the phase the real and imaginary parts of both means by band, -1 to 1.
    """
    if lengths is not None:
        is_clip = torch.arange(waveforms.shape[1], device=waveforms.device) < lengths[:, None]
        offset = waveforms.sum(1, keepdim=True) / lengths[:, None]
        return _part_statistics((waveforms - offset) * is_clip, lengths.clamp(min=LEAST_SAMPLES))
    parts = waveforms.tensor_split(max(1, math.ceil(waveforms.shape[1] / MOST_SAMPLES)), dim=1)
    return torch.stack([_part_statistics(part - part.mean(1, keepdim=True), None) for part in parts]).mean(0)


def _part_statistics(waveforms: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    waveforms = F.pad(waveforms, (0, max(0, LEAST_SAMPLES - waveforms.shape[1])))
    return measured(lambda view: power_of(waveforms, view), cross_power_of(waveforms), lengths)


def power_of(waveforms: torch.Tensor, view: View) -> torch.Tensor:
    """(batch, samples) to the power in each bin but that of 0 Hz, (batch, frames, n_fft / 2)."""
    return power(_spectra(waveforms, view))[..., 1:]


def cross_power_of(waveforms: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, samples) to each bin's product of a later frame and the conjugate of the phase view's.

    Returns:
        Its real and its imaginary part, (batch, frames, n_fft / 2 + 1).
    """
    later = _spectra(waveforms[:, LATER:], PHASE_VIEW)
    product = later * _spectra(waveforms, PHASE_VIEW)[:, : later.shape[1]].conj()
    real, imaginary = torch.view_as_real(product).movedim(-1, 0).contiguous()
    return real, imaginary


def _spectra(waveforms: torch.Tensor, view: View) -> torch.Tensor:
    frames = waveforms.unfold(-1, view.n_fft, view.hop_length)
    return torch.fft.rfft(frames * torch.hann_window(view.n_fft, device=waveforms.device))


def measured(
    power_in: Callable[[View], torch.Tensor],
    cross_power: tuple[torch.Tensor, torch.Tensor],
    lengths: torch.Tensor | None = None,
) -> torch.Tensor:
    """The statistics of a batch.

    Args:
        power_in: of a view's bins, (batch, frames, n_fft / 2), as `power_of` gives it.
        cross_power: as `cross_power_of` gives it.
        lengths: how many samples are each clip's, (batch,); by default all are.

    Returns:
        (batch, NUM_STATISTICS).
    """
    return torch.cat(
        [
            *(_of_frequencies(power_in(view), view, lengths) for view in FREQUENCY_VIEWS),
            *(_of_moments(power_in(view), view, lengths) for view in MOMENT_VIEWS),
            _of_phases(*cross_power, lengths),
        ],
        dim=1,
    )


def _of_frequencies(bins: torch.Tensor, view: View, lengths: torch.Tensor | None) -> torch.Tensor:
    log_power, weights = _heard(bins, None if lengths is None else view.count(lengths))
    shares = (weights / weights.sum(1, keepdim=True))[:, None]
    triples = log_power[..., : log_power.shape[2] // (3 * view.bands) * 3 * view.bands]
    low, middle, high = (triples[..., place::3] for place in range(3))
    total = low + middle + high
    # A channel's colour is taken off at once: what is left varies around 0 in every neighbourhood.
    middle, total = middle - shares @ middle, total - shares @ total
    statistics = []
    for contrast in _from_wider_means(middle, total, view.steps):
        deviations = torch.cat([shares @ contrast.abs(), _root(shares @ contrast.square())], dim=1)
        statistics.append(_in_bands(deviations, view.bands).mean(-1).flatten(1))
    return torch.cat(statistics, dim=1)


def _from_wider_means(middle: torch.Tensor, total: torch.Tensor, steps: int) -> Iterator[torch.Tensor]:
    """Differences of the middles of triples from the means of 1 triple, 3, 9 and so on, whose sums are given."""
    reach = 1
    for step in range(steps):
        if step > 0:
            # Three sums side by side are the sum of three times as many; at the edges the last one repeats.
            low, high = (total[..., edge, None].expand(-1, -1, reach) for edge in (0, -1))
            total = torch.cat([low, total, high], dim=-1)
            total = (total[..., : -2 * reach] + total[..., reach:-reach]).add_(total[..., 2 * reach :])
            reach *= 3
        yield torch.sub(middle, total, alpha=1 / (3 * reach))


def _of_moments(bins: torch.Tensor, view: View, lengths: torch.Tensor | None) -> torch.Tensor:
    counts = None if lengths is None else view.count(lengths)
    # A product with 0s and 1s is faster than sums of so few bins.
    bands = torch.eye(view.bands, device=bins.device).repeat_interleave(view.n_fft // 2 // view.bands, dim=0)
    log_power, weights = _heard(bins @ bands, counts)
    frames = torch.arange(log_power.shape[1], device=bins.device)
    pairs = torch.tensor(view.pairs, dtype=torch.long, device=bins.device)
    statistics = []
    for contrast, margin in _from_longer_means(log_power, view.steps):
        inner = weights[:, margin : weights.shape[1] - margin]
        if counts is not None:
            # A frame whose neighbourhood reaches beyond the clip is no frame of it.
            inner = inner * (frames[: inner.shape[1]] < counts[:, None] - 2 * margin)
        shares = (inner / inner.sum(1, keepdim=True))[:, None]
        apart = contrast.sub_(shares @ contrast)
        covariances = apart.transpose(1, 2) @ (apart * shares.transpose(1, 2))
        standard = _root(covariances.flatten(1)[:, None, :: view.bands + 1])
        correlations = covariances / (standard.transpose(1, 2) * standard)
        statistics += [(shares @ apart.abs()).flatten(1), standard.flatten(1), correlations.flatten(1)[:, pairs]]
    return torch.cat(statistics, dim=1)


def _from_longer_means(log_power: torch.Tensor, steps: int) -> Iterator[tuple[torch.Tensor, int]]:
    """The difference from the means of 3 frames, 9 and so on, and how many frames at each end have none."""
    total, reach, margin = log_power, 1, 0
    for _ in range(steps):
        total = (total[:, : -2 * reach] + total[:, reach:-reach]).add_(total[:, 2 * reach :])
        margin += reach
        reach *= 3
        yield torch.sub(log_power[:, margin : log_power.shape[1] - margin], total, alpha=1 / reach), margin


def _of_phases(real: torch.Tensor, imaginary: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    size = (real * real + imaginary * imaginary).sqrt_()
    log_size, weights = _heard(size, None if lengths is None else PHASE_VIEW.count(lengths - LATER))
    shares = (weights / weights.sum(1, keepdim=True))[:, None]
    # Of what is too quiet to be told apart, the phase is that of rounding: it counts the less the quieter it is.
    least = log_size.exp_()
    real, imaginary = real / least, imaginary / least
    (real, real_below), (imaginary, imaginary_below) = ((part[..., 1:], part[..., :-1]) for part in (real, imaginary))
    # A steady tone in the middle of a bin turns a quarter further than one in the bin below.
    angles = torch.arange(1, real.shape[2] + 1, device=real.device) * (math.pi / 2)
    cosines, sines = angles.cos(), angles.sin()
    mean_real, mean_imaginary = shares @ real, shares @ imaginary
    means = [
        mean_real * cosines + mean_imaginary * sines,
        mean_imaginary * cosines - mean_real * sines,
        shares @ (real * real_below + imaginary * imaginary_below),
        shares @ (imaginary * real_below - real * imaginary_below),
    ]
    return _in_bands(torch.cat(means, dim=1), PHASE_VIEW.bands).mean(-1).flatten(1)


def _heard(bins: torch.Tensor, counts: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The log power of what is loud enough, and the weight of each frame, 0 where it is no clip's.

    Args:
        bins: their power, (batch, frames, bins).
        counts: how many frames are each clip's, (batch,); None if all are.

    Returns:
        (batch, frames, bins), nepers, and (batch, frames), 0 to 1.
    """
    log_power = bins.clamp(min=FLOOR).log_()
    mask = None if counts is None else torch.arange(bins.shape[1], device=bins.device) < counts[:, None]
    heard = log_power if mask is None else log_power.masked_fill(~mask[..., None], -torch.inf)
    log_power = log_power.clamp_(min=heard.amax((1, 2), keepdim=True) - DYNAMIC_RANGE * math.log(10) / 10)
    loudness = log_power.mean(-1)
    if mask is None:
        return log_power, torch.sigmoid(STEEPNESS * (loudness - loudness.mean(1, keepdim=True)))
    mean = (loudness * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
    return log_power, torch.sigmoid(STEEPNESS * (loudness - mean)) * mask


def _in_bands(values: torch.Tensor, bands: int) -> torch.Tensor:
    """(batch, rows, bins) to (batch, rows, bands, bins / bands)."""
    # `unflatten` would write the example's sizes into a traced graph.
    return values.reshape(values.shape[0], values.shape[1], bands, -1)


def _root(squares: torch.Tensor) -> torch.Tensor:
    """The standard deviation whose square is given, 0.001 nepers at least."""
    return squares.clamp(min=1e-6).sqrt()
