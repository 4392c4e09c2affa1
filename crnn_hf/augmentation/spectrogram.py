"""SpecAugment: stretches of time and bands of the log-mel spectrogram are hidden."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from crnn_hf.augmentation.settings import check_count, check_probability, check_range

MOST_HIDDEN = 0.5  # share of a clip's frames, and of its bands


@dataclass(frozen=True)
class SpecAugment:
    """Hide stretches of frames and of mel bands (D. S. Park et al., "SpecAugment", Interspeech 2019).

    What is hidden takes one value, the mean of the clip over all bands and its frames that are no padding. Under both
    of the extractor's normalisations that is 0, what a band or a clip is on average; without one it is the clip's own
    level, where 0 would be a loud noise. Padding stays as it is.

    A mask's width is drawn evenly from 0 to its largest, then its place. Together the masks hide at most half of a
    clip's frames and half of its bands: where the bands are few, masks are narrower than `mel_bands`. PyTorch's
    generator draws, which a `DataLoader` seeds in its workers.

    Attributes:
        probability: how often a clip is changed, in [0, 1].
        time_masks: stretches of frames.
        time_share: the largest share of the clip's frames that one stretch takes.
        mel_masks: stretches of bands.
        mel_bands: the most bands that one takes.

    Raises:
        ValueError: a setting that cannot be; the message names it.
    """

    probability: float = 0.5
    time_masks: int = 2
    time_share: float = 0.1
    mel_masks: int = 2
    mel_bands: int = 8

    def __post_init__(self) -> None:
        check_probability(self.probability)
        for name in ("time_masks", "mel_masks", "mel_bands"):
            check_count(name, getattr(self, name))
        try:
            check_range("time_share", (0, self.time_share), 0, 1)
        except ValueError:
            raise ValueError(f"time_share must be a number in [0, 1]; found {self.time_share!r}") from None
        if self.time_masks * self.time_share > MOST_HIDDEN:
            raise ValueError(
                f"time_masks x time_share must be at most {MOST_HIDDEN:g} of a clip; found "
                f"{self.time_masks} x {self.time_share:g}"
            )

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Change a batch as the collator makes it.

        Args:
            batch: among others `input_features`, (batch, frames, mel), and optionally `attention_mask`,
                (batch, frames), 1 for the frames of a clip, which come first, and 0 for padding.

        Returns:
            A new mapping with new `input_features`; what else was in the batch is passed on.
        """
        features = batch["input_features"]
        clips, frames, mel = features.shape
        valid = batch.get("attention_mask", torch.ones(clips, frames)).to(features.device).bool()
        lengths = valid.sum(1).cpu()
        # Drawn whether a clip is changed or not, so that the probability does not change what other clips get.
        applied = torch.rand(clips) < self.probability
        time = _masks(self.time_masks, (self.time_share * lengths).long(), lengths, frames)
        widest = min(self.mel_bands, int(MOST_HIDDEN * mel) // max(1, self.mel_masks))
        bands = _masks(self.mel_masks, torch.full((clips,), widest), torch.full((clips,), mel), mel)
        hidden = (time[:, :, None] | bands[:, None, :]) & applied[:, None, None]
        hidden = hidden.to(features.device) & valid[:, :, None]
        return {**batch, "input_features": torch.where(hidden, _means(features, valid), features)}


def _masks(count: int, widest: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Draw `count` stretches within each clip's length, 0 to `widest` long; (clips, size), true where any is."""
    widths = (torch.rand(len(lengths), count) * (widest[:, None] + 1)).long()
    starts = (torch.rand(len(lengths), count) * (lengths[:, None] - widths + 1)).long()
    places = torch.arange(size)
    return ((places >= starts[..., None]) & (places < (starts + widths)[..., None])).any(1)


def _means(features: Tensor, valid: Tensor) -> Tensor:
    """Each clip's mean over its valid frames and all bands, (clips, 1, 1), computed in float32."""
    of_frames = features.float().mean(2)
    means = (of_frames * valid).sum(1) / valid.sum(1).clamp(min=1)
    return means[:, None, None].to(features.dtype)
