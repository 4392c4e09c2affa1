"""Recordings of any length: read as a stream, heard in windows, judged step by step and as a whole."""

from crnn_hf.inference.recordings.hearing import Hearing, Listening
from crnn_hf.inference.recordings.judging import Judge
from crnn_hf.inference.recordings.result import describe
from crnn_hf.inference.recordings.sources import blocks_of

__all__ = ["Hearing", "Judge", "Listening", "blocks_of", "describe"]
