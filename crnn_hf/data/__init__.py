"""Corpora in, batches out."""

from crnn_hf.data.asvspoof5 import ASVspoof5, Coverage, coverage, load_asvspoof5
from crnn_hf.data.collation import Collator
from crnn_hf.data.corpora import load_corpus, overview
from crnn_hf.data.own import load_recordings
from crnn_hf.data.protocol import ProtocolError, Trial, parse_protocol
from crnn_hf.data.reading import Clip, ClipReader, stretch_of, waveform_of

__all__ = [
    "ASVspoof5",
    "Clip",
    "ClipReader",
    "Collator",
    "Coverage",
    "ProtocolError",
    "Trial",
    "coverage",
    "load_asvspoof5",
    "load_corpus",
    "load_recordings",
    "overview",
    "parse_protocol",
    "stretch_of",
    "waveform_of",
]
