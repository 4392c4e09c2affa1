"""The metrics of a countermeasure for `evaluate.load`, which copies this file elsewhere before it imports it.

`evaluate` reads the names of the packages that it needs off the lines below, so that each package has a line of its
own. Its own classes keep their prefix: the first of its kind that has a name in this file is taken for the metric.
"""

from typing import Any

import evaluate
from datasets import Features, Value

from crnn_hf.metrics.summary import compute_cm_metrics

DESCRIPTION = """
Metrics of speech deepfake detection (countermeasures, CM) as ASVspoof 5's evaluation defines them: equal error rate
(EER), minimum and actual detection cost (minDCF, actDCF) and the cost of log-likelihood ratios (Cllr); and the area
under the ROC curve, accuracy, precision, recall and F1 with *fake* as the positive class.
"""

INPUTS = """
Args:
    predictions: a score a clip, higher for real (bona fide). actDCF and Cllr take it for a natural logarithm of
        a likelihood ratio.
    references: a label a clip: 0, "real" or "bonafide"; or 1, "fake" or "spoof". Numbers or texts, not a mix of both.
    threshold: a clip is called fake if its score is below; 0 by default. Of it depend accuracy, precision, recall and
        F1 alone.

Returns:
    `eer` in [0, 1], `min_dcf`, `act_dcf`, `cllr` in bits, `auc`, `accuracy`, `precision`, `recall`, `f1`;
    `balanced`: the last four if both classes had equally many clips;
    `thresholds`: of the decision, and where EER, minDCF and actDCF are taken;
    `counts`: of real clips and of fakes.

Examples:
    >>> import evaluate
    >>> from crnn_hf.metrics.cm_metrics import CM_METRICS
    >>> metric = evaluate.load(CM_METRICS)
    >>> results = metric.compute(predictions=[2.0, 0.5, -1.0, 1.0], references=["real", "real", "fake", "fake"])
    >>> results["eer"]
    0.5
"""

CITATION = """
@inproceedings{wang2024asvspoof5,
    title     = {{ASVspoof 5}: Crowdsourced speech data, deepfakes, and adversarial attacks at scale},
    author    = {Wang, Xin and Delgado, H{\\'e}ctor and Tak, Hemlata and Jung, Jee-weon and Shim, Hye-jin and
                 Todisco, Massimiliano and Kukanov, Ivan and Liu, Xuechen and Sahidullah, Md and Kinnunen, Tomi and
                 Evans, Nicholas and Lee, Kong Aik and Yamagishi, Junichi},
    booktitle = {The Automatic Speaker Verification Spoofing Countermeasures Workshop (ASVspoof 2024)},
    year      = {2024},
    pages     = {1--8},
    doi       = {10.21437/ASVspoof.2024-1},
}
"""


class CMMetrics(evaluate.Metric):
    """`crnn_hf.metrics.compute_cm_metrics` as a metric of `evaluate`."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            # The first that fits is taken. Numbers come first, or they would be taken for texts; and as float64, for
            # as integers labels that are none, such as 0.5, would be rounded to some.
            features=[
                Features({"predictions": Value("float64"), "references": Value("float64")}),
                Features({"predictions": Value("float64"), "references": Value("string")}),
            ],
            reference_urls=["https://github.com/asvspoof-challenge/asvspoof5"],
            license="Apache-2.0",
        )

    def _compute(self, predictions: list[float], references: list[Any], threshold: float = 0.0) -> dict[str, Any]:
        return compute_cm_metrics(predictions, references, threshold)
