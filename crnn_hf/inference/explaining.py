"""What of a recording moved its score, and which way: times and frequencies, and kinds of fine structure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crnn_hf.contrast_crnn import KIND_OF_STATISTIC, KINDS
from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor
from crnn_hf.inference.recordings import Listening
from crnn_hf.inference.recordings.scale import Scale

# What occlusion hides at a time: half a second of an eighth of the bands.
PATCH_SECONDS, PATCHES_OF_BANDS = 0.5, 8
# As many patches as one call of a model is fastest with, on a CPU.
BATCH_SIZE = 16
# Of the way from usual statistics to a recording's own, at which gradients are taken.
STEPS = 32


@dataclass(frozen=True)
class Explanation:
    """What moved a score.

    Attributes:
        effects: (frames, mel), one for each cell of the log-mel spectrogram of the whole recording, in nats of the
            score: above 0 where a cell spoke for real, below 0 where it spoke for fake.
        method: of these, "gradient x input" or "occlusion".
        score: of the recording, as the pipeline gives it.
        fine_structure: what each kind of statistic that a second opinion is formed of added to the score, in nats, by
            the `KINDS` of `crnn_hf.contrast_crnn`; None of a detector without one, or one that gives no gradient.
    """

    effects: NDArray[np.float32]
    method: str
    score: float
    fine_structure: dict[str, float] | None


def explain(
    detector: Any,
    feature_extractor: CRNNFeatureExtractor,
    waveform: NDArray[np.float32],
    listening: Listening | None = None,
) -> Explanation:
    """Tell which cells of a recording's log-mel spectrogram moved its score, against each band's mean over a window.

    The windows are those whose mean score is that of the whole; where they overlap, a cell has its mean effect.

    A PyTorch model is asked for its gradient, times how far a cell is from its band's mean (Shrikumar et al., 2016,
    arXiv:1605.01713); one pass there and back for each window. Whatever else, such as an ONNX graph, is asked again
    with one patch after the other set to the mean of its bands, and the difference spread evenly over the patch
    (Zeiler and Fergus, 2014, arXiv:1311.2901); 64 passes for each window of 4 s. Neither is exact: effects
    need not add up to the score, and what several cells say together is shared out among them. What a backbone hears
    is left as it is.

    A second opinion is explained beside the cells, by integrated gradients (Sundararajan et al., 2017,
    arXiv:1703.01365) on the way from the statistics that were usual in training to the recording's own. They add up to
    how much higher the score is than with usual ones.

    Args:
        detector, feature_extractor: from `crnn_hf.inference.load_backend`; the extractor is this package's.
        waveform: (samples,), at the extractor's rate.
        listening: as the recording was listened to; by default as the pipeline does.

    Raises:
        ValueError: the extractor is not this package's, or the waveform shorter than a frame.
    """
    if not isinstance(feature_extractor, CRNNFeatureExtractor):
        raise ValueError(f"expected a CRNNFeatureExtractor, of log-mel; found {type(feature_extractor).__name__}")
    listening = Listening() if listening is None else listening
    rate, hop = feature_extractor.sampling_rate, feature_extractor.hop_length
    frames = feature_extractor.num_frames(len(waveform))
    if frames < 1:
        raise ValueError(f"expected at least {feature_extractor.n_fft} samples, a frame; found {len(waveform)}")
    is_torch = isinstance(detector, nn.Module)
    effects_of = _gradient_times_input if is_torch else _occlusion
    of_whole, _ = listening.windowers(rate)
    scale = Scale(of_whole, rate, listening.least_sound)
    parts = [*scale.push(waveform), *scale.end()]
    total = np.zeros((frames, feature_extractor.num_mel_bins), np.float64)
    heard = np.zeros((frames, 1))
    fine_structures = []
    for part, counts, start in zip(parts, scale.counts, scale.starts, strict=True):
        if not counts:
            continue
        batch = feature_extractor(part.waveform, sampling_rate=rate, return_tensors="pt").to(detector.device)
        count = int(batch["attention_mask"].sum())
        score, effects = effects_of(detector, batch, count, round(PATCH_SECONDS * rate / hop))
        part.note(score)
        first = round(start * rate) // hop
        last = min(first + count, frames)
        total[first:last] += effects[: last - first]
        heard[first:last] += 1
        if is_torch and "contrast" in batch:
            fine_structures.append(_integrated_gradients(detector, batch["contrast"]))
    return Explanation(
        (total / np.maximum(heard, 1)).astype(np.float32),
        "gradient x input" if is_torch else "occlusion",
        scale.mean(),
        _by_kind(np.mean(fine_structures, axis=0)) if fine_structures else None,
    )


def _gradient_times_input(detector: nn.Module, batch: Any, count: int, _: int) -> tuple[float, NDArray[np.float32]]:
    """The score of a window, and the effects of its cells, (count, mel)."""
    features = batch["input_features"].detach().clone().requires_grad_()
    # cuDNN has no way back through an LSTM that is not in training.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        (score,) = _scores(detector, {**batch, "input_features": features})
        (gradient,) = torch.autograd.grad(score, features)
    own = features.detach()[0, :count]
    return score.item(), (gradient[0, :count] * (own - own.mean(0))).cpu().numpy()


def _integrated_gradients(detector: nn.Module, contrast: torch.Tensor) -> NDArray[np.float64]:
    """(statistics,), of those of one clip, (1, statistics)."""
    usual, labels, calibration = detector.contrast.mean, detector.config.label2id, detector.config.calibration
    places = (torch.arange(STEPS, device=contrast.device)[:, None] + 0.5) / STEPS
    way = (usual + places * (contrast - usual)).requires_grad_()
    with torch.enable_grad():
        # They are added to the network's, which need not be asked.
        logits = detector.contrast(way)
        (gradients,) = torch.autograd.grad((logits[:, labels["real"]] - logits[:, labels["fake"]]).sum(), way)
    scale = 1.0 if calibration is None else calibration["scale"]
    return scale * (gradients.mean(0) * (contrast[0] - usual)).double().cpu().numpy()


def _by_kind(effects: NDArray[np.float64]) -> dict[str, float]:
    kinds = np.array(KIND_OF_STATISTIC)
    return {kind: float(effects[kinds == kind].sum()) for kind in KINDS}


@torch.inference_mode()
def _occlusion(detector: Any, batch: Any, count: int, patch_frames: int) -> tuple[float, NDArray[np.float32]]:
    """The score of a window, and the effects of its cells, (count, mel)."""
    features = batch["input_features"]
    means = features[0, :count].mean(0)
    whole = float(_scores(detector, batch)[0])
    effects = np.zeros((count, features.shape[2]), np.float32)
    patches = list(_patches(count, features.shape[2], patch_frames))
    for begin in range(0, len(patches), BATCH_SIZE):
        hidden = patches[begin : begin + BATCH_SIZE]
        copies = {name: tensor.repeat_interleave(len(hidden), 0) for name, tensor in batch.items()}
        for row, (times, bands) in zip(copies["input_features"], hidden, strict=True):
            row[times, bands] = means[bands]
        for (times, bands), score in zip(hidden, _scores(detector, copies).tolist(), strict=True):
            cells = effects[times, bands]
            cells[...] = (whole - score) / cells.size
    return whole, effects


def _patches(frames: int, bands: int, patch_frames: int) -> Iterator[tuple[slice, slice]]:
    times = np.linspace(0, frames, max(1, round(frames / max(1, patch_frames))) + 1).round().astype(int)
    heights = np.linspace(0, bands, min(bands, PATCHES_OF_BANDS) + 1).round().astype(int)
    for first, last in pairwise(times):
        for low, high in pairwise(heights):
            yield slice(first, last), slice(low, high)


def _scores(detector: Any, batch: Any) -> torch.Tensor:
    """logit(real) - logit(fake) of each clip, (clips,)."""
    logits, labels = detector(**batch).logits, detector.config.label2id
    return logits[:, labels["real"]] - logits[:, labels["fake"]]
