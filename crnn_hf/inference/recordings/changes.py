"""Where a recording changes from one voice, room or microphone to another.

A window across such a change has a score of neither side. What is measured is the likelihood ratio by which S. Chen
and P. Gopalakrishnan, "Speaker, environment and channel change detection and clustering via the Bayesian information
criterion", DARPA Broadcast News Workshop 1998, part a recording: by how much two Gaussians explain the cepstra before
and after a point better than one does. Here it is taken of loud frames, which tell of voice and microphone, and of
quiet ones, which tell of the room and its noise; and of each coefficient alone, so that two seconds are enough.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.functional import create_dct

from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor

# Frames of 32 ms, 20 ms apart; of their bands' log power all cepstral coefficients but the first, which is the level.
FRAME_SECONDS, SHIFT_SECONDS = 0.032, 0.02
BANDS, CEPSTRA = 80, 40
# Frames before a point that are compared with as many from there on: 2 seconds each.
REACH = 100
# How much quiet frames count beside loud ones.
SHARE_OF_QUIET = 0.5
# What the ratio is above at a change, found on splices of clips: most speech of one voice stays below.
LEAST_RATIO = 0.09
# Frames between one change and the next, and from a change to the end of the recording: 0.7 s and 0.5 s.
APART, FROM_END = 35, 25
# Added to each variance, in squared nepers, for what never varies, as digital silence.
LEAST_VARIANCE = 0.05
# So many loud frames or quiet ones on either side count half as much as many do.
FEW = 10
# Frames that are looked at at a time; with REACH around them on each side, and as many around those.
BLOCK = 1000


class ChangeFinder:
    """Finds the changes of a recording that comes piece by piece, whatever the pieces, some 25 seconds late."""

    def __init__(self, sampling_rate: int) -> None:
        self._extractor = CRNNFeatureExtractor(
            num_mel_bins=BANDS,
            sampling_rate=sampling_rate,
            n_fft=round(FRAME_SECONDS * sampling_rate),
            hop_length=round(SHIFT_SECONDS * sampling_rate),
            mel_scale="linear",
        )
        self._samples = np.zeros(0, np.float32)  # of which no frame was taken yet
        self._log_power = np.zeros((0, BANDS), np.float32)  # the newest frames
        self._frames = 0  # taken so far
        self._ratios = np.zeros(0)  # of the newest points
        self._points = 0  # whose ratios are known
        self._decided = 0  # of which it is known whether they are changes

    @property
    def settled(self) -> int:
        """The sample before which all changes are found."""
        return self._sample_of(self._decided)

    def push(self, samples: NDArray[np.float32]) -> list[int]:
        """The changes, as the index of a sample each, that are certain once these samples, (samples,), are heard."""
        self._samples = np.concatenate([self._samples, samples])
        found = []
        while self._extractor.num_frames(len(self._samples)) >= BLOCK:
            self._take(BLOCK)
            self._rate(self._frames - 2 * REACH)
            found += self._decide(self._points - APART)
        return found

    def end(self) -> list[int]:
        """The changes that are certain because the recording ends here."""
        self._take(max(0, self._extractor.num_frames(len(self._samples))))
        self._rate(self._frames)
        self._ratios[max(0, len(self._ratios) - FROM_END) :] = -np.inf
        return self._decide(self._points)

    def _sample_of(self, point: int) -> int:
        """The sample in the middle between a point's frame and the one before it."""
        return point * self._extractor.hop_length + (self._extractor.n_fft - self._extractor.hop_length) // 2

    def _take(self, frames: int) -> None:
        """Transform so many frames."""
        if frames == 0:
            return
        heard = self._samples[: self._extractor.n_fft + (frames - 1) * self._extractor.hop_length]
        log_power = self._extractor.log_mel(torch.from_numpy(heard)[None])[0].numpy()
        self._samples = self._samples[frames * self._extractor.hop_length :]
        # A ratio depends on the frames around it, and their weights on those around them.
        kept = self._frames - max(0, self._points - 2 * REACH)
        self._log_power = np.concatenate([self._log_power[max(0, len(self._log_power) - kept) :], log_power])
        self._frames += frames

    def _rate(self, until: int) -> None:
        """Compute the ratios until that point."""
        if until <= self._points:
            return
        first = self._frames - len(self._log_power)
        ratios = change_ratios(self._log_power)[self._points - first : until - first]
        if self._points < FROM_END:
            ratios[: FROM_END - self._points] = -np.inf
        kept = self._points - max(0, self._decided - APART)
        self._ratios = np.concatenate([self._ratios[max(0, len(self._ratios) - kept) :], ratios])
        self._points = until

    def _decide(self, until: int) -> list[int]:
        """The changes among the points until there."""
        if until <= self._decided:
            return []
        padded = np.pad(self._ratios, APART, constant_values=-np.inf)
        highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * APART + 1).max(1)
        is_change = (self._ratios >= LEAST_RATIO) & (self._ratios == highest)
        points = self._points - len(self._ratios) + np.flatnonzero(is_change)
        found = [self._sample_of(int(point)) for point in points if self._decided <= point < until]
        self._decided = until
        return found


def change_ratios(log_power: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the frames from each frame on are unlike those before it.

    Args:
        log_power: of each frame's bands, (frames, bands), in nepers.

    Returns:
        (frames,), from 0 on: of loud frames and, counting half, of quiet ones, the mean over cepstral coefficients of
        `log(1 + b / w)`, where `b` and `w` are the variances between and within the two sides.
    """
    # NumPy's product would take threads from those that score.
    cepstra = torch.from_numpy(log_power) @ create_dct(CEPSTRA, log_power.shape[1], norm="ortho")
    cepstra = cepstra[:, 1:].double().numpy()
    loudness = log_power.mean(1, dtype=np.float64)
    # Loud and quiet are meant beside the frames around.
    first, last = _around(len(loudness), 1)
    total = _totals(loudness)
    above = loudness - (total[last] - total[first]) / np.maximum(1, last - first)
    loud = 1 / (1 + np.exp(-above))
    return _ratios(cepstra, loud) + SHARE_OF_QUIET * _ratios(cepstra, 1 - loud)


def _ratios(cepstra: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    weighted = weights[:, None] * cepstra
    count, total, squares = _totals(weights), _totals(weighted), _totals(weighted * cepstra)
    first, last = _around(len(cepstra), 0)
    here = np.arange(len(cepstra))
    before, after = ((count[end] - count[begin])[:, None] + 1e-3 for begin, end in ((first, here), (here, last)))
    mean_before, mean_after = (total[here] - total[first]) / before, (total[last] - total[here]) / after
    both = before + after
    within = (squares[last] - squares[first] - before * mean_before**2 - after * mean_after**2) / both
    between = before * after / both**2 * (mean_before - mean_after) ** 2
    fewer = np.minimum(before, after)[:, 0]
    return np.log1p(between / (np.maximum(within, 0) + LEAST_VARIANCE)).mean(1) * fewer / (fewer + FEW)


def _around(frames: int, more: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each frame, the first of those around it and the one behind the last."""
    here = np.arange(frames)
    return np.maximum(0, here - REACH), np.minimum(frames, here + REACH + more)


def _totals(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of the first 0, 1, 2, ... rows."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
