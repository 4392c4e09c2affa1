"""Detectors at work."""

from crnn_hf.inference.calibrating import calibration_record, is_calibrated_on, refuse_without_room, save_calibration
from crnn_hf.inference.comparing import Pair, doubts, score_pair
from crnn_hf.inference.detection import detect
from crnn_hf.inference.probing import Probe, probe
from crnn_hf.inference.scoring import Scores, score_clips
from crnn_hf.inference.verdicts import Verdict, calibration_of, decision_band, verdict
from crnn_hf.loading import load_detector

__all__ = [
    "Pair",
    "Probe",
    "Scores",
    "Verdict",
    "calibration_of",
    "calibration_record",
    "decision_band",
    "detect",
    "doubts",
    "is_calibrated_on",
    "load_detector",
    "probe",
    "refuse_without_room",
    "save_calibration",
    "score_clips",
    "score_pair",
    "verdict",
]
