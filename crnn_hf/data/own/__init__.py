"""Anybody's own recordings, in folders, a table or a dataset, with the columns of a corpus."""

from crnn_hf.data.own.recordings import load_recordings

__all__ = ["load_recordings"]
