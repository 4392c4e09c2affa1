"""Detectors at work."""

from crnn_hf.inference.detection import Verdict, detect
from crnn_hf.inference.loading import load_detector
from crnn_hf.inference.scoring import score_clips

__all__ = ["Verdict", "detect", "load_detector", "score_clips"]
