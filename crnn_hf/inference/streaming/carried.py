"""A live recording and a model that looks back alone: every state is carried, and no frame is heard twice.

What stands after each step is what the model says of the whole recording until there, as if it were a clip.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crnn_hf.feature_extraction_crnn import CRNNFeatureExtractor, RunningBandMean
from crnn_hf.inference.recordings.hearing import Listening
from crnn_hf.inference.recordings.sound import FRAME_SECONDS, Loudness, levels
from crnn_hf.inference.streaming.running import NOTHING, Standing
from crnn_hf.metrics import real_scores
from crnn_hf.modeling_crnn import CRNNAttentiveStatisticsPooling, CRNNForAudioClassification

States = list[tuple[torch.Tensor, torch.Tensor] | None]


def can_be_carried(detector: Any, feature_extractor: Any) -> bool:
    """Whether a detector's score of a growing recording can be had without hearing all of it again.

    It needs PyTorch, one direction of time, neither a transformer nor a second opinion beside, and features that do
    not depend on what follows.
    """
    if not isinstance(detector, CRNNForAudioClassification) or not isinstance(feature_extractor, CRNNFeatureExtractor):
        return False
    looks_back = feature_extractor.normalization == "running_band_mean" or (
        feature_extractor.normalization is None and feature_extractor.dynamic_range is None
    )
    config = detector.config
    is_alone = config.backbone is None and not config.contrast
    return looks_back and is_alone and not config.bidirectional and feature_extractor.max_frames is None


class Carried:
    """A live recording. `push` it step by step; nothing grows with its length.

    Attributes:
        standing: the scores so far.
    """

    def __init__(
        self,
        detector: CRNNForAudioClassification,
        feature_extractor: CRNNFeatureExtractor,
        listening: Listening,
    ) -> None:
        """See `can_be_carried` for which detectors."""
        self.detector = detector
        self.sampling_rate = feature_extractor.sampling_rate
        self._step = round(listening.step * self.sampling_rate)
        self._rest = np.zeros(0, np.float32)
        self._loudness = Loudness()
        self._sounding_frames = 0
        self._heard = 0
        self._features = _Features(feature_extractor)
        self._encoder = _Encoder(detector)
        self._states: States = [None] * len(detector.crnn.layers)
        self._pooled = _Pooled(detector)
        self.standing = NOTHING

    def push(self, samples: NDArray[np.float32]) -> Standing:
        """Hear more of it, (samples,); what stands changes when a step is full."""
        held = np.concatenate([self._rest, samples])
        full = len(held) // self._step * self._step
        self._rest = held[full:].copy()
        return self._heard_more(held[:full])

    def end(self) -> Standing:
        """Hear what is left of a step: the recording ends here."""
        rest, self._rest = self._rest, np.zeros(0, np.float32)
        return self._heard_more(rest)

    @torch.inference_mode()
    def _heard_more(self, samples: NDArray[np.float32]) -> Standing:
        if len(samples) == 0:
            return self.standing
        for begin in range(0, len(samples), self._step):
            sounding = self._loudness.sounding(levels(samples[begin : begin + self._step], self.sampling_rate))
            self._sounding_frames += int(sounding.sum())
        self._heard += len(samples)
        frames = self._features.push(torch.from_numpy(samples)).to(self.detector.device)
        settled, tail = self._encoder.push(frames)
        hidden_states, self._states = self._recur(settled, self._states)
        self._pooled = self._pooled.with_steps(hidden_states)
        # What the next frames will change is heard as the end of a clip would be, and then forgotten.
        until_now = self._pooled.with_steps(self._recur(tail, self._states)[0])
        score = self._score(until_now) if until_now.has_steps else np.nan
        self.standing = Standing(self._heard / self.sampling_rate, self._sounding_frames * FRAME_SECONDS, score, score)
        return self.standing

    def _recur(self, hidden_states: torch.Tensor, states: States) -> tuple[torch.Tensor, States]:
        """Through the LSTM from the given states on; (1, steps, size), and the states behind the last step."""
        if hidden_states.shape[1] == 0:
            size = self.detector.config.hidden_size
            return hidden_states.new_zeros(1, 0, size), states
        behind: States = []
        for layer, state in zip(self.detector.crnn.layers, states, strict=True):
            hidden_states, state = layer.forward_lstm(hidden_states, state)
            behind.append(state)
        return hidden_states, behind

    def _score(self, pooled: "_Pooled") -> float:
        model, config = self.detector, self.detector.config
        values = pooled.value()
        if model.projector is not None:
            values = torch.relu(model.projector(values))
        logits = model.classifier(values)
        if config.calibration is not None:
            logits = model._calibrated(logits)
        return float(np.atleast_1d(real_scores(logits.float().cpu(), config.label2id))[0])


class _Features:
    """Samples in, normalised frames out."""

    def __init__(self, feature_extractor: CRNNFeatureExtractor) -> None:
        self._extractor = feature_extractor
        self._held = torch.zeros(0)
        is_running = feature_extractor.normalization == "running_band_mean"
        self._normalize: Callable[[torch.Tensor], torch.Tensor] = (
            RunningBandMean(feature_extractor.dynamic_range) if is_running else lambda log_mel: log_mel
        )

    def push(self, samples: torch.Tensor) -> torch.Tensor:
        """The frames, (frames, mel), that these samples complete."""
        self._held = torch.cat([self._held, samples])
        count = max(0, self._extractor.num_frames(len(self._held)))
        if count == 0:
            return torch.zeros(0, self._extractor.num_mel_bins)
        hop = self._extractor.hop_length
        whole = self._held[: self._extractor.n_fft + (count - 1) * hop]
        self._held = self._held[count * hop :].clone()
        return self._normalize(self._extractor.log_mel(whole[None])[0])


class _Encoder:
    """Frames in, what the convolutions make of them out; the frames that they look back at are held."""

    def __init__(self, detector: CRNNForAudioClassification) -> None:
        self._encoder = detector.crnn.encoder
        self._dtype = detector.dtype
        self._held: torch.Tensor | None = None
        self._first = 0  # of the recording's frames, the first that is held
        self._settled = 0  # steps that no later frame changes

    def push(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The steps that are settled now, and those after them as they are if the recording ends here."""
        held = frames if self._held is None else torch.cat([self._held, frames])
        if len(held) == 0:
            nothing = frames.new_zeros(1, 0, self._encoder.output_size)
            return nothing, nothing
        reduction, context = self._encoder.time_reduction, self._encoder.context
        steps, _ = self._encoder(held[None].to(self._dtype), None)
        heard = self._first + len(held)
        settled = max(self._settled, (heard - context) // reduction)
        offset = self._first // reduction
        found = steps[:, self._settled - offset : settled - offset], steps[:, settled - offset :]
        keep_from = max(0, settled * reduction - context)
        self._held, self._first, self._settled = held[keep_from - self._first :].clone(), keep_from, settled
        return found


class _Pooled:
    """The pooling of all steps so far: weighted sums, their weights relative to the largest of all."""

    def __init__(self, detector: CRNNForAudioClassification) -> None:
        self._pooling = detector.crnn.pooling
        self._largest = torch.tensor(-torch.inf, dtype=torch.float64)
        self._weight: torch.Tensor | float = 0.0
        self._total: torch.Tensor | float = 0.0
        self._squares: torch.Tensor | float = 0.0

    @property
    def has_steps(self) -> bool:
        """Whether there is anything to pool."""
        return bool(torch.isfinite(self._largest))

    def with_steps(self, hidden_states: torch.Tensor) -> "_Pooled":
        """The same with more steps, (1, steps, size)."""
        if hidden_states.shape[1] == 0:
            return self
        steps = hidden_states[0].double()
        scores = self._scores(hidden_states)
        result = object.__new__(_Pooled)
        result._pooling = self._pooling
        result._largest = torch.maximum(self._largest.to(scores.device), scores.max())
        before = torch.exp(self._largest.to(scores.device) - result._largest)
        weights = torch.exp(scores - result._largest)[:, None]
        # In float64, for sums over hours.
        result._weight = self._weight * before + weights.sum()
        result._total = self._total * before + (weights * steps).sum(0)
        result._squares = self._squares * before + (weights * steps.square()).sum(0)
        return result

    def value(self) -> torch.Tensor:
        """What the pooling gives, (1, size)."""
        mean = self._total / self._weight
        if not isinstance(self._pooling, CRNNAttentiveStatisticsPooling):
            return mean[None].float()
        variance = self._squares / self._weight - mean.square()
        return torch.cat([mean, variance.clamp(min=1e-6).sqrt()])[None].float()

    def _scores(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """How much each step counts, (steps,), as a logarithm."""
        if isinstance(self._pooling, CRNNAttentiveStatisticsPooling):
            hidden: nn.Module = self._pooling.hidden
            return self._pooling.score(torch.tanh(hidden(hidden_states)))[0, :, 0].double()
        return hidden_states.new_zeros(hidden_states.shape[1], dtype=torch.float64)
