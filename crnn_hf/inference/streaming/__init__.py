"""Recordings that are still going on."""

from crnn_hf.inference.streaming.detector import StreamingDetector, StreamVerdict

__all__ = ["StreamVerdict", "StreamingDetector"]
