"""The metrics as a module of `evaluate`; where it lies is known without importing that package."""

from pathlib import Path

CM_METRICS = str(Path(__file__).parent)
"""What `evaluate.load` takes: `evaluate.load(CM_METRICS).compute(predictions=scores, references=labels)`."""
