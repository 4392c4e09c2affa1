"""Freq-MixStyle: the bands of a clip take on part of another clip's mean and spread."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Beta

from crnn_hf.augmentation.settings import check_positive, check_probability

# Added to a band's variance, so that a band without any does not divide by zero.
EPSILON = 1e-5


@dataclass(frozen=True)
class FreqMixStyle:
    """Mix each band's mean and standard deviation over time with those of another clip of the batch.

    MixStyle (K. Zhou et al., "Domain generalization with MixStyle", ICLR 2021) takes the statistics of a feature map
    for the style of its domain; of a spectrogram, those over time of each band are what a microphone, a room and a
    channel leave there (F. Schmid et al., "CP-JKU submission to DCASE22", 2022). With x of mean m and deviation s, and
    m', s' those of the other clip, the result is

        (x - m) / s * (w * s + (1 - w) * s') + w * m + (1 - w) * m',    w from Beta(alpha, alpha).

    Which clips share a batch, and which are mixed, has nothing to do with their labels, and the labels stay. Where the
    extractor has removed each band's mean already, the deviations alone are mixed. Padding counts in no statistic and
    stays as it is. PyTorch's generator draws.

    Attributes:
        probability: how often a clip is changed, in [0, 1].
        alpha: of the Beta distribution, above 0: below 1, most clips keep most of one of the two styles.

    Raises:
        ValueError: a setting that cannot be; the message names it.
    """

    probability: float = 0.5
    alpha: float = 0.3

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_positive("alpha", self.alpha)

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Change a batch as the collator makes it; see `SpecAugment` for its form.

        Returns:
            A new mapping with new `input_features`; what else was in the batch is passed on.
        """
        features = batch["input_features"]
        clips, frames, _ = features.shape
        valid = batch.get("attention_mask", torch.ones(clips, frames)).to(features.device).bool()
        # Drawn whether a clip is changed or not, so that the probability does not change what other clips get.
        applied = torch.rand(clips) < self.probability
        other = torch.randperm(clips).to(features.device)
        share = Beta(self.alpha, self.alpha).sample((clips, 1, 1)).to(features.device)
        mean, deviation = _statistics(features.float(), valid)
        mixed_mean = share * mean + (1 - share) * mean[other]
        mixed_deviation = share * deviation + (1 - share) * deviation[other]
        mixed = (features.float() - mean) / deviation * mixed_deviation + mixed_mean
        changed = applied[:, None, None].to(features.device) & valid[:, :, None]
        return {**batch, "input_features": torch.where(changed, mixed.to(features.dtype), features)}


def _statistics(features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each band over a clip's valid frames, both (clips, 1, mel)."""
    weights = valid[:, :, None] / valid.sum(1).clamp(min=1)[:, None, None]
    mean = (features * weights).sum(1, keepdim=True)
    variance = ((features - mean).square() * weights).sum(1, keepdim=True)
    return mean, (variance + EPSILON).sqrt()
