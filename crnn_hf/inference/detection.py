"""One recording in, a verdict out."""

import os
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.metrics import real_scores


@dataclass(frozen=True)
class Verdict:
    """What a detector says of a recording.

    Attributes:
        label: the likelier one of "real" and "fake".
        probability: the model's own of that label, in [0.5, 1] between the two; not calibrated.
        score: logit(real) - logit(fake); below 0 for fake.
    """

    label: str
    probability: float
    score: float


def detect(
    model: PreTrainedModel, feature_extractor: SequenceFeatureExtractor, recording: str | os.PathLike[str] | bytes
) -> Verdict:
    """Read a recording of any format and length, and tell whether it is real or fake.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        recording: a path, or the file's content.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the path does not lead to a readable file.
        AudioReadError: the content is not audio, cut off or damaged, or too short for the model.
        ValueError: the model gives logits that are not finite numbers.
    """
    waveform = read_audio(recording, feature_extractor.sampling_rate)
    try:
        inputs = feature_extractor(waveform, sampling_rate=feature_extractor.sampling_rate, return_tensors="pt")
    except ValueError as error:
        name = "<bytes>" if isinstance(recording, bytes) else str(recording)
        raise AudioReadError(name, str(error)) from error
    with torch.inference_mode():
        logits = model(**inputs.to(model.device)).logits.float().cpu()
    (score,) = real_scores(logits, model.config.label2id)
    probability = torch.tensor(abs(score)).sigmoid().item()
    return Verdict("fake" if score < 0 else "real", probability, float(score))
