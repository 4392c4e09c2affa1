"""Detectors at work."""

from crnn_hf.inference.calibrating import calibration_record, is_calibrated_on, refuse_without_room, save_calibration
from crnn_hf.inference.detection import detect
from crnn_hf.inference.scoring import Scores, score_clips
from crnn_hf.inference.verdicts import Verdict, calibration_of, decision_band, verdict
from crnn_hf.loading import load_detector

__all__ = [
    "Scores",
    "Verdict",
    "calibration_of",
    "calibration_record",
    "decision_band",
    "detect",
    "is_calibrated_on",
    "load_detector",
    "refuse_without_room",
    "save_calibration",
    "score_clips",
    "verdict",
]
