"""Scores in, figures out. Imports nothing else of the package."""

from crnn_hf.metrics.breakdown import breakdown, eer_matrix, length_buckets, macro_average
from crnn_hf.metrics.calibration import (
    Calibration,
    OperatingPoint,
    abstention_band,
    calibrate,
    cross_calibrated,
    operating_points,
)
from crnn_hf.metrics.cm_metrics import CM_METRICS
from crnn_hf.metrics.comparison import Comparison, compare
from crnn_hf.metrics.confidence import (
    Difference,
    bootstrap_intervals,
    paired_differences,
    paired_eer_differences,
)
from crnn_hf.metrics.decisions import decision_metrics
from crnn_hf.metrics.detection_cost import act_dcf, min_dcf
from crnn_hf.metrics.error_rates import ErrorRates, equal_error_rate, error_rates
from crnn_hf.metrics.exchange.key_file import Keys, read_keys, write_keys
from crnn_hf.metrics.exchange.matching import match
from crnn_hf.metrics.exchange.score_file import read_scores, write_scores
from crnn_hf.metrics.likelihood_ratio_cost import cllr
from crnn_hf.metrics.summary import HEADLINE, compute_cm_metrics, polarity_warning, real_scores

__all__ = [
    "CM_METRICS",
    "HEADLINE",
    "Calibration",
    "Comparison",
    "Difference",
    "ErrorRates",
    "Keys",
    "OperatingPoint",
    "abstention_band",
    "act_dcf",
    "bootstrap_intervals",
    "breakdown",
    "calibrate",
    "cllr",
    "compare",
    "compute_cm_metrics",
    "cross_calibrated",
    "decision_metrics",
    "eer_matrix",
    "equal_error_rate",
    "error_rates",
    "length_buckets",
    "macro_average",
    "match",
    "min_dcf",
    "operating_points",
    "paired_differences",
    "paired_eer_differences",
    "polarity_warning",
    "read_keys",
    "read_scores",
    "real_scores",
    "write_keys",
    "write_scores",
]
