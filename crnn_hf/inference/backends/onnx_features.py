"""The feature extractor as an ONNX graph."""

import math

import onnx
import torch
from torch import nn
from torch.nn import functional as F

from crnn_hf.contrast_crnn import FREQUENCY_VIEWS, LATER, LEAST_SAMPLES, MOMENT_VIEWS, PHASE_VIEW, View, measured
from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor
from crnn_hf.inference.backends.onnx_tracing import trace
from crnn_hf.spectra_crnn import FLOOR


def trace_features(extractor: CRNNFeatureExtractor) -> onnx.ModelProto:
    """The graph of a feature extractor.

    It goes from `waveforms`, (batch, samples), float32, and `lengths`, (batch,), int64, how many samples are each
    clip's, at least one frame's, to `input_features`, (batch, frames, mel), 0 where they are padding,
    `attention_mask`, (batch, frames), int64, and, if the extractor returns it, `contrast`, (batch, statistics). That
    is the same for clips of up to a minute; of longer ones the extractor measures the parts, and the graph the whole.
    """
    frames = 40
    samples = extractor.n_fft + (frames - 1) * extractor.hop_length
    examples = (torch.randn(2, samples), torch.tensor([samples, samples - 10 * extractor.hop_length]))
    axes = {
        "waveforms": {0: "batch", 1: "samples"},
        "lengths": {0: "batch"},
        "input_features": {0: "batch", 1: "frames"},
        "attention_mask": {0: "batch", 1: "frames"},
    }
    outputs = ["input_features", "attention_mask"] + ["contrast"] * extractor.return_contrast
    return trace(OnnxFeatures(extractor), examples, ["waveforms", "lengths"], outputs, axes)


class OnnxFeatures(nn.Module):
    """What `CRNNFeatureExtractor` does to a padded batch, in operators that ONNX has and that are fast there."""

    def __init__(self, extractor: CRNNFeatureExtractor) -> None:
        super().__init__()
        self.extractor = extractor
        self.spectra = OnnxSpectra(extractor.n_fft, extractor.hop_length, extractor.remove_dc)
        self.register_buffer("filters", extractor._filters())
        views = (*FREQUENCY_VIEWS, *MOMENT_VIEWS, PHASE_VIEW) if extractor.return_contrast else ()
        # Two views may be of the same frames.
        self.views = nn.ModuleDict(
            {_frames_of(view): OnnxSpectra(view.n_fft, view.hop_length, False) for view in views}
        )

    def forward(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """As `trace_features` says."""
        extractor = self.extractor
        if extractor.max_frames is not None:
            most = extractor.n_fft + (extractor.max_frames - 1) * extractor.hop_length
            waveforms, lengths = waveforms[:, :most], lengths.clamp(max=most)
        log_mel = (self.spectra.power(waveforms) @ self.filters).clamp(min=FLOOR).log()
        counts = (lengths - extractor.n_fft) // extractor.hop_length + 1
        mask = torch.arange(log_mel.shape[1]) < counts[:, None]
        features = self._normalize(log_mel, mask[..., None], counts[:, None, None]), mask.long()
        return (*features, self._contrast(waveforms, lengths)) if extractor.return_contrast else features

    def _contrast(self, waveforms: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """As `contrast_statistics`, of each clip."""
        is_clip = torch.arange(waveforms.shape[1]) < lengths[:, None]
        offset = (waveforms * is_clip).sum(1, keepdim=True) / lengths[:, None]
        waveforms = F.pad((waveforms - offset) * is_clip, (0, LEAST_SAMPLES))
        real, imaginary = self.views[_frames_of(PHASE_VIEW)](waveforms)
        later_real, later_imaginary = self.views[_frames_of(PHASE_VIEW)](waveforms[:, LATER:])
        real, imaginary = real[:, : later_real.shape[1]], imaginary[:, : later_real.shape[1]]
        cross_power = (
            later_real * real + later_imaginary * imaginary,
            later_imaginary * real - later_real * imaginary,
        )
        return measured(
            lambda view: self.views[_frames_of(view)].power(waveforms)[..., 1:],
            cross_power,
            lengths.clamp(min=LEAST_SAMPLES),
        )

    def _normalize(self, log_mel: torch.Tensor, mask: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """As the extractor's, over each clip's own frames; 0 elsewhere."""
        extractor = self.extractor
        if extractor.dynamic_range is not None:
            loudest = log_mel.masked_fill(~mask, -torch.inf).amax((1, 2), keepdim=True)
            log_mel = torch.maximum(log_mel, loudest - extractor.dynamic_range * math.log(10) / 10)
        log_mel = log_mel.masked_fill(~mask, 0)
        if extractor.normalization == "band_mean":
            log_mel = log_mel - log_mel.sum(1, keepdim=True) / counts
        elif extractor.normalization == "clip_mean_std":
            values = counts * extractor.num_mel_bins
            centered = (log_mel - log_mel.sum((1, 2), keepdim=True) / values) * mask
            deviation = (centered.square().sum((1, 2), keepdim=True) / values).sqrt()
            log_mel = centered / deviation.clamp(min=1e-5)
        return log_mel * mask


def _frames_of(view: View) -> str:
    """The name of the frames that a view is of."""
    return f"{view.n_fft}/{view.hop_length}"


class OnnxSpectra(nn.Module):
    """Spectra of a batch's frames.

    The Fourier transform is a product of matrices, since ONNX Runtime's own takes longer. The window is symmetric, so
    that the real part needs but the sums of the samples that lie mirrored in a frame, and the imaginary part their
    differences: half the work.
    """

    def __init__(self, n_fft: int, hop_length: int, remove_dc: bool) -> None:
        super().__init__()
        self.n_fft, self.hop_length = n_fft, hop_length
        # Samples are gathered by the largest pieces of which both frames and steps between them are made.
        self.piece = math.gcd(n_fft, hop_length)
        for name, matrix in _fourier(n_fft, remove_dc).items():
            self.register_buffer(name, matrix)

    def power(self, waveforms: torch.Tensor) -> torch.Tensor:
        """(batch, samples) to the power in each bin, (batch, frames, bins)."""
        real, imaginary = self(waveforms)
        return real * real + imaginary * imaginary

    def forward(self, waveforms: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, samples) to the real and the imaginary part of each bin, (batch, frames, bins)."""
        frames = self._frames(waveforms)
        # The first sample has no mirror, nor has the middle one, which a frame of odd length lacks.
        before, after = (self.n_fft + 1) // 2, self.n_fft // 2 + 1
        rising, falling = frames[..., 1:before], frames[..., after:].flip(-1)
        sums = torch.cat([frames[..., :1], rising + falling, frames[..., before:after]], dim=-1)
        return sums @ self.cosines, (rising - falling) @ self.sines

    def _frames(self, waveforms: torch.Tensor) -> torch.Tensor:
        """(batch, samples) to (batch, frames, n_fft)."""
        piece, n_fft, hop = self.piece, self.n_fft, self.hop_length
        count = (waveforms.shape[1] - n_fft) // hop + 1
        pieces = waveforms[:, : waveforms.shape[1] // piece * piece].reshape(waveforms.shape[0], -1, piece)
        index = torch.arange(count)[:, None] * (hop // piece) + torch.arange(n_fft // piece)
        return pieces[:, index].reshape(waveforms.shape[0], -1, n_fft)


def _fourier(n_fft: int, remove_dc: bool) -> dict[str, torch.Tensor]:
    """The windowed Fourier transform of a frame's mirrored sums and differences, without its mean if told so.

    Returns:
        `cosines`, (sums, bins), and `sines`, (differences, bins), float32.
    """
    samples, bins = torch.arange(n_fft, dtype=torch.float64), torch.arange(n_fft // 2 + 1)
    angles = samples[:, None] * bins * (2 * math.pi / n_fft)
    window = torch.hann_window(n_fft, dtype=torch.float64)[:, None]
    cosines, sines = window * angles.cos(), -window * angles.sin()
    if remove_dc:
        cosines = cosines - cosines.sum(0) / n_fft
    return {"cosines": cosines[: n_fft // 2 + 1].float(), "sines": sines[1 : (n_fft + 1) // 2].float()}
