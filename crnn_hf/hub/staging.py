"""A model's repository as it is going to be, in a folder here."""

import json
import shutil
from pathlib import Path

from huggingface_hub import ModelCard
from transformers import PreTrainedModel, SequenceFeatureExtractor

from crnn_hf.hub.card import REPORT_FOLDER
from crnn_hf.hub.history import published_records
from crnn_hf.hub.records import Report, Run
from crnn_hf.hub.shipped import copy_package, requirements
from crnn_hf.hub.versions import PAGE
from crnn_hf.metrics import write_keys, write_scores
from crnn_hf.metrics.exchange.arena import TASK_ID
from crnn_hf.metrics.exchange.hub_results import eval_results, write_eval_results
from crnn_hf.metrics.report import write_report

HANDLER = "handler.py"  # in this folder: what an Inference Endpoint runs
# Of the model's folder, as they are: what others of this package's commands have put there.
ONNX_FILE = "onnx/model.onnx"
TAKEN_ALONG = ("onnx", ".eval_results")
TRAINING_FOLDER = "training"


def stage_model(detector: tuple[PreTrainedModel, SequenceFeatureExtractor], run: Run, folder: Path) -> None:
    """Write the model with the code that loads it, its ONNX files, the endpoint's code and the run's records.

    Args:
        detector: the model and its feature extractor.
        run: of the model, with the folder it lies in.
        folder: empty, or not there yet.
    """
    for part in detector:
        part.save_pretrained(folder)
    for name in TAKEN_ALONG:
        if (run.folder / name).is_dir():
            shutil.copytree(run.folder / name, folder / name)
    _stage_endpoint(folder)
    for name, content in published_records(run).items():
        path = folder / TRAINING_FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _stage_endpoint(folder: Path) -> None:
    """What an Inference Endpoint runs: its code, the package, which is in no index, and what that needs."""
    shutil.copy(Path(__file__).with_name(HANDLER), folder)
    copy_package(folder)
    lines = "".join(f"{line}\n" for line in requirements("onnx"))
    (folder / "requirements.txt").write_text(lines, encoding="utf-8")


def stage_report(report: Report, folder: Path, dataset: str | None = None) -> None:
    """Write a report anew, from its scores and figures, and where its dataset is on the Hub, the result for it.

    Args:
        report: as it was read.
        folder: of the model.
        dataset: the name on the Hub of what the report is on.
    """
    trials, figures = report.trials, report.figures
    write_report(folder / REPORT_FOLDER, trials, figures)
    write_scores(folder / REPORT_FOLDER / "scores.tsv", trials.utterances, trials.scores)
    write_keys(folder / REPORT_FOLDER / "keys.tsv", trials.utterances, trials.is_fake, trials.columns)
    if dataset is not None:
        write_eval_results(folder, eval_results(figures, dataset_id=dataset, task_id=TASK_ID))


def stage_texts(card: ModelCard, comparison: str | None, folder: Path) -> None:
    """Write the card and, if there is one, the comparison with the version before."""
    (folder / "README.md").write_text(str(card).strip() + "\n", encoding="utf-8")
    if comparison is not None:
        (folder / PAGE).write_text(comparison, encoding="utf-8")
