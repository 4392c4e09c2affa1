"""From scores of clips that training has not heard to what the model's config notes of its calibration."""

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import AutoConfig, PreTrainedConfig
from transformers.utils import CONFIG_NAME

from crnn_hf.inference.verdicts import calibration_of
from crnn_hf.loading import load_detector
from crnn_hf.metrics import abstention_band, calibrate, operating_points
from crnn_hf.metrics.detection_cost import EFFECTIVE_PRIOR_OF_REAL
from crnn_hf.metrics.trials import Trials


def calibration_record(trials: Trials, data: str, prior_of_real: float = EFFECTIVE_PRIOR_OF_REAL) -> dict[str, Any]:
    """Fit a calibration, and gather all that serves to use it.

    Args:
        trials: clips with scores of the model without calibration.
        data: what the clips are called, for people.
        prior_of_real: as `crnn_hf.metrics.calibrate`.

    Returns:
        Plain values for the config's `calibration`: `scale`, `offset`, `prior_of_real`; `thresholds`, each with its
        `name`, `meaning`, `threshold`, `frr` and `far` on these clips; `abstain`, the lower and upper end of the band
        in which to say neither; `data`, `clips` (how many are real and fake) and `fingerprint` of the clips.

    Raises:
        ValueError: as `crnn_hf.metrics.calibrate`.
    """
    calibration = calibrate(trials.scores, trials.is_fake, prior_of_real)
    ratios = calibration(trials.scores)
    fakes = int(trials.is_fake.sum())
    return {
        **asdict(calibration),
        "thresholds": [asdict(point) for point in operating_points(ratios, trials.is_fake)],
        "abstain": list(abstention_band(ratios, trials.is_fake)),
        "data": data,
        "clips": {"real": len(trials) - fakes, "fake": fakes},
        "fingerprint": fingerprint(trials.utterances),
    }


def save_calibration(record: dict[str, Any], model: str | Path, output: Path | None = None) -> Path:
    """Store a calibration with a model, in place or with a copy of it.

    Args:
        record: from `calibration_record`.
        model: folder of the model; with an output, a Hub name will do.
        output: folder for a copy of the model with the calibration; by default the model's own config is replaced,
            and nothing else of it touched.

    Returns:
        The folder.

    Raises:
        OSError: the folder cannot be written to.
        ValueError: the model's class has no room for a calibration.
    """
    config = AutoConfig.from_pretrained(model)
    refuse_without_room(config, model)
    if output is not None:
        detector, feature_extractor = load_detector(model, device="cpu")
        detector.config.calibration = record
        detector.save_pretrained(output)
        feature_extractor.save_pretrained(output)
        return output
    config.calibration = record
    config.refuse_impossible_values()
    folder = Path(model)
    with TemporaryDirectory(dir=folder) as scratch:
        config.save_pretrained(scratch)
        # In one step, so that a model is never left with half a config.
        (Path(scratch) / CONFIG_NAME).replace(folder / CONFIG_NAME)
    return folder


def refuse_without_room(config: PreTrainedConfig, model: str | Path) -> None:
    """Raise ValueError for a model whose class would not apply a calibration: any but this package's."""
    if not hasattr(config, "calibration"):
        raise ValueError(f"{model}: a model of type {config.model_type!r} has no room for a calibration")


def is_calibrated_on(config: PreTrainedConfig, utterances: Sequence[str]) -> bool:
    """Whether a model was calibrated on just these clips, whose figures then flatter its calibration."""
    calibration = calibration_of(config)
    return calibration is not None and calibration.get("fingerprint") == fingerprint(utterances)


def fingerprint(utterances: Sequence[str]) -> str:
    """Short for a set of clips, by their names in whatever order."""
    digest = blake2b(digest_size=8)
    for utterance in sorted(utterances):
        digest.update(utterance.encode() + b"\n")
    return digest.hexdigest()
