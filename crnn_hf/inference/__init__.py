"""Detectors at work."""

from crnn_hf.inference.backends import BACKENDS, OnnxDetector, load_backend
from crnn_hf.inference.calibrating import calibration_record, is_calibrated_on, refuse_without_room, save_calibration
from crnn_hf.inference.comparing import Pair, doubts, score_pair
from crnn_hf.inference.explaining import Explanation, explain
from crnn_hf.inference.pipeline import DeepfakeDetectionPipeline
from crnn_hf.inference.probing import Probe, probe
from crnn_hf.inference.scoring import Scores, score_clips
from crnn_hf.inference.streaming import StreamingDetector, StreamVerdict
from crnn_hf.inference.verdicts import Verdict, calibration_of, decision_band, verdict
from crnn_hf.loading import load_detector

__all__ = [
    "BACKENDS",
    "DeepfakeDetectionPipeline",
    "Explanation",
    "OnnxDetector",
    "Pair",
    "Probe",
    "Scores",
    "StreamVerdict",
    "StreamingDetector",
    "Verdict",
    "calibration_of",
    "calibration_record",
    "decision_band",
    "doubts",
    "explain",
    "is_calibrated_on",
    "load_backend",
    "load_detector",
    "probe",
    "refuse_without_room",
    "save_calibration",
    "score_clips",
    "score_pair",
    "verdict",
]
