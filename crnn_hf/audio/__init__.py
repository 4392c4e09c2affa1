"""Recordings in, waveforms out. Imports nothing else of the package."""

from crnn_hf.audio.errors import AudioReadError
from crnn_hf.audio.reading import read_audio
from crnn_hf.audio.resampling import resample

__all__ = ["AudioReadError", "read_audio", "resample"]
