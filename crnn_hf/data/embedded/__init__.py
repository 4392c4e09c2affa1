"""A small artificial anti-spoofing corpus, made on the spot: a source-filter voice, vocoders, ASVspoof 5's layout.

It lets a fresh machine train, evaluate and detect within minutes. Its figures say nothing about real deepfakes.
"""

from crnn_hf.data.embedded.corpus import write_embedded_corpus
from crnn_hf.data.embedded.vocoders import VOCODERS
from crnn_hf.data.embedded.voice import Speaker, draw_speaker, place_in_room, synthesize_utterance

__all__ = [
    "VOCODERS",
    "Speaker",
    "draw_speaker",
    "place_in_room",
    "synthesize_utterance",
    "write_embedded_corpus",
]
