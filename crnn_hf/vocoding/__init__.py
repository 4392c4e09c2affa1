"""Fakes made from real speech: same speaker, room, level and length, but taken apart and put together again."""

from crnn_hf.vocoding.neural import NeuralVocoder
from crnn_hf.vocoding.on_the_fly import Vocoding
from crnn_hf.vocoding.vocoders import VOCODERS, Vocoder

__all__ = ["VOCODERS", "NeuralVocoder", "Vocoder", "Vocoding"]
