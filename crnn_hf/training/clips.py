"""The clips that training hears: stretches of a corpus's, vocoded and augmented as a seed decides."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from datasets import Dataset
from torch.utils.data import Dataset as TorchDataset

from crnn_hf.augmentation import Chain
from crnn_hf.data import Clip, stretch_of
from crnn_hf.training.sampling import FAKE, REAL, Draw
from crnn_hf.vocoding import Vocoding


@dataclass(frozen=True)
class TrainingClips(TorchDataset):
    """Clips by the draws of an `EpochSampler`. The same draw gives the same clip, whoever reads it and when.

    A stretch of the clip, begun anywhere, is read; if it is real it is vocoded with the vocoder's probability, which
    makes it a fake, but for digital silence, which stays as it is; then it is augmented, blindly to what it is.

    Attributes:
        rows: with the columns of `crnn_hf.data.columns`.
        sampling_rate: of the waveforms, in Hz.
        vocoding: what makes fakes of real clips, if anything is to.
        augmentation: what is done to each clip after that.
    """

    rows: Dataset
    sampling_rate: int = 16_000
    vocoding: Vocoding | None = None
    augmentation: Chain | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, draw: Draw) -> Clip:
        """Read a clip.

        Raises:
            AudioReadError: it cannot be read; the message names it.
        """
        row = self.rows[draw.row]
        rng = np.random.default_rng(draw.seed)
        waveform = stretch_of(row["audio"], draw.seconds, rng.random(), self.sampling_rate)
        label = row["label"]
        # A generator of its own, so that what augmentation draws does not depend on whether a clip is vocoded.
        of_vocoding = np.random.default_rng(rng.integers(2**62))
        is_vocoded = self.vocoding is not None and label == REAL and of_vocoding.random() < self.vocoding.probability
        # Of digital silence a vocoder makes the same silence, which nobody could tell from real speech's.
        if is_vocoded and waveform.any():
            waveform, label = self.vocoding(waveform, self.sampling_rate, of_vocoding), FAKE
        if self.augmentation is not None:
            waveform = self.augmentation(waveform, rng)
        return {"waveform": waveform, "label": label, "utterance": row["utterance"]}


def vocoding_of(settings: Mapping[str, Any]) -> Vocoding | None:
    """What a recipe's section asks for: its fields are those of `Vocoding`; None where it has none.

    Raises:
        ValueError: there is no such setting, or a value that it cannot have; the message names it.
        OSError: a model that is not there.
    """
    if not settings:
        return None
    known = [field.name for field in fields(Vocoding)]
    if unknown := sorted(set(settings) - set(known)):
        raise ValueError(f"vocoding has no setting {unknown[0]}; expected one of {', '.join(known)}")
    try:
        return Vocoding(**settings)
    except ValueError as error:
        raise ValueError(f"vocoding: {error}") from error
