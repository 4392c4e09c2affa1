"""Recordings in, waveforms out. Imports nothing else of the package."""

from crnn_hf.audio.errors import AudioReadError
from crnn_hf.audio.reading import read_audio
from crnn_hf.audio.resampling import StreamingResampler, resample
from crnn_hf.audio.samples import mono_samples
from crnn_hf.audio.streaming import stream_audio
from crnn_hf.audio.stretches import read_stretch, stretch

__all__ = [
    "AudioReadError",
    "StreamingResampler",
    "mono_samples",
    "read_audio",
    "read_stretch",
    "resample",
    "stream_audio",
    "stretch",
]
