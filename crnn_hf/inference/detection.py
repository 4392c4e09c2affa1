"""One recording in, a verdict out."""

import os

import torch
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.inference.verdicts import Verdict, verdict
from crnn_hf.metrics import real_scores


def detect(
    model: PreTrainedModel,
    feature_extractor: SequenceFeatureExtractor,
    recording: str | os.PathLike[str] | bytes,
    *,
    threshold: float | str | None = None,
    prior_of_fake: float = 0.5,
) -> Verdict:
    """Read a recording of any format and length, and tell whether it is real or fake.

    Args:
        model: from `load_detector`.
        feature_extractor: the model's own.
        recording: a path, or the file's content.
        threshold, prior_of_fake: as `crnn_hf.inference.verdicts.verdict`.

    Raises:
        FileNotFoundError, IsADirectoryError, PermissionError: the path does not lead to a readable file.
        AudioReadError: the content is not audio, cut off or damaged, or too short for the model.
        ValueError: the model gives logits that are not finite numbers; or as `verdict`.
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
    return verdict(float(score), model.config, threshold, prior_of_fake)
