"""Scoring in bulk: any number of clips, shared among processes, and gone on with where it was broken off."""

from crnn_hf.inference.bulk.job import score_to_file
from crnn_hf.inference.bulk.merging import errors_beside
from crnn_hf.inference.bulk.processes import processes

__all__ = ["errors_beside", "processes", "score_to_file"]
