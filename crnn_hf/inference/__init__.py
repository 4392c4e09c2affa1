"""Detectors at work."""

from crnn_hf.inference.detection import Verdict, detect
from crnn_hf.inference.scoring import Scores, score_clips
from crnn_hf.loading import load_detector

__all__ = ["Scores", "Verdict", "detect", "load_detector", "score_clips"]
