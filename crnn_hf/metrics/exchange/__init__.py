"""Scores, keys and results as files that others write and read."""
