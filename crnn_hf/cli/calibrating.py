"""`crnn-hf calibrate`."""

import argparse
import os
from pathlib import Path
from typing import Any

from crnn_hf.cli.shared import add_corpus, add_split, corpus_name, corpus_scored, faults_told, loaded


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "calibrate",
        help="turn a model's scores into likelihood ratios",
        description="Fit a calibration to clips that training has not heard, and store it with the model.",
        allow_abbrev=False,
    )
    command.set_defaults(command=calibrate)
    command.add_argument("model", help="folder or Hub name of a detector")
    add_corpus(command)
    add_split(command)
    command.add_argument("--output", type=Path, help="folder for the calibrated model; default: the model's own")
    command.add_argument(
        "--prior-of-real",
        type=float,
        help="where calibration is to be best; default: 0.655, where ASVspoof 5's costs lie",
    )


def calibrate(options: argparse.Namespace) -> int:
    """Fit a calibration to clips that training has not heard, and store it and its thresholds with the model."""
    from crnn_hf.inference import calibration_record, refuse_without_room, save_calibration
    from crnn_hf.metrics import compute_cm_metrics, cross_calibrated
    from crnn_hf.metrics.confidence import FEW_CLIPS
    from crnn_hf.metrics.detection_cost import EFFECTIVE_PRIOR_OF_REAL

    if options.output is None and not Path(options.model).is_dir():
        raise ValueError(f"{options.model} is not a folder that a calibration can be stored in; expected --output")
    prior = EFFECTIVE_PRIOR_OF_REAL if options.prior_of_real is None else options.prior_of_real
    model, feature_extractor = loaded(options.model)
    # What would keep the calibration from being stored is said before the clips are scored, which can take hours.
    refuse_without_room(model.config, options.model)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
    elif not os.access(options.model, os.W_OK):
        raise PermissionError(f"{options.model} cannot be written to; expected --output, another folder")
    model.config.calibration = None
    scored, _ = corpus_scored(options, model, feature_extractor)
    trials = scored.trials
    # The config may be published: it says which corpus, not where it lay.
    record = calibration_record(trials, corpus_name(options), prior)
    before = compute_cm_metrics(trials.scores, trials.is_fake)
    after = compute_cm_metrics(cross_calibrated(trials.scores, trials.is_fake, prior), trials.is_fake)
    folder = save_calibration(record, options.model, options.output)

    rarer = min(record["clips"], key=record["clips"].get)
    if record["clips"][rarer] < FEW_CLIPS:
        print(f"Warning: {record['clips'][rarer]} {rarer} clips are few; another draw would calibrate otherwise.")
    if after["cllr"] >= 1 or after["act_dcf"] > before["act_dcf"]:
        print("Warning: on clips that it was not fitted to, it makes nothing better; do not rely on its chances.")

    print(f"\nlog-likelihood ratio = {record['scale']:.4g} * score {record['offset']:+.4g}")
    print(f"\n{'':8}  before   after   (after: each clip by a calibration that was fitted without it)")
    for name in ("act_dcf", "min_dcf", "cllr"):
        print(f"{name:8} {before[name]:7.4f} {after[name]:7.4f}")
    print(f"\n{'threshold':20} {'value':>7}  {'real flagged':>12}  {'fakes missed':>12}")
    for point in record["thresholds"]:
        print(f"{point['name']:20} {point['threshold']:+7.2f}  {point['frr']:12.1%}  {point['far']:12.1%}")
    lower, upper = record["abstain"]
    print(f"Between {lower:+.2f} and {upper:+.2f} the verdict is unsure.")
    print(f"The calibration is stored in {folder / 'config.json'}.")
    return faults_told(scored.faults, len(trials) + len(scored.faults), "clips could not be scored, and were left out")
