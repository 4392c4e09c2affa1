"""Corpora in, batches out."""

from crnn_hf.data.asvspoof5 import ASVspoof5, load_asvspoof5
from crnn_hf.data.collation import Collator
from crnn_hf.data.protocol import ProtocolError, Trial, parse_protocol

__all__ = ["ASVspoof5", "Collator", "ProtocolError", "Trial", "load_asvspoof5", "parse_protocol"]
