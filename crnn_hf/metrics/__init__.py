"""Scores in, figures out. Imports nothing else of the package."""

from crnn_hf.metrics.confidence import bootstrap_intervals
from crnn_hf.metrics.decisions import decision_metrics
from crnn_hf.metrics.detection_cost import min_dcf
from crnn_hf.metrics.error_rates import ErrorRates, equal_error_rate, error_rates
from crnn_hf.metrics.score_file import read_scores, write_scores
from crnn_hf.metrics.summary import compute_metrics, real_scores

__all__ = [
    "ErrorRates",
    "bootstrap_intervals",
    "compute_metrics",
    "decision_metrics",
    "equal_error_rate",
    "error_rates",
    "min_dcf",
    "read_scores",
    "real_scores",
    "write_scores",
]
