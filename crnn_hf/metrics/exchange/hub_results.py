"""Figures in the forms that the Hub shows: `.eval_results/*.yaml`, and the model index in a model card's head.

All are taken from what `crnn_hf.metrics.report.measure` found and metrics.json holds, so that none is typed by hand.
"""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, ModelCard, eval_result_entries_to_yaml

from crnn_hf.metrics.report.wording import METRICS, interval

# What a metric is called by `evaluate` or, where it has none, by this package.
TYPES = {name: "roc_auc" if name == "auc" else name for name in METRICS}
LOWER_IS_BETTER = ("eer", "min_dcf", "act_dcf", "cllr")
OF_FAKES = ("precision", "recall", "f1")  # which take fake for the positive class
OF_VERDICTS = ("accuracy", *OF_FAKES)  # which depend on the threshold
DIGITS = 6  # that are kept of a figure; its interval leaves no sense to more


def eval_results(
    figures: Mapping[str, Any],
    *,
    dataset_id: str,
    task_id: str,
    metric: str = "eer",
    dataset_revision: str | None = None,
    source_url: str | None = None,
) -> list[EvalResultEntry]:
    """The result on a benchmark, as the Hub's leaderboards read it in `.eval_results/*.yaml` of a model's repository.

    A task of a benchmark has one value, so this is one entry for one metric: by default the EER, which the Speech
    Anti-Spoofing Arena's benchmarks rank by. Shares, such as the EER, are given in percent. The notes say which metric
    it is, on how many clips, with which interval, and by which command it was found.

    Args:
        figures: what metrics.json holds.
        dataset_id: the benchmark's name on the Hub, such as "SpeechAntiSpoofingBenchmarks/ASVspoof5".
        task_id: the task, as an `id` in the benchmark's eval.yaml gives it. It is "antispoofing_eval" in the Arena's.
        metric: which figure, one of `HEADLINE`.
        dataset_revision: commit of the benchmark that was scored.
        source_url: where more can be read about the result.

    Raises:
        ValueError: no such metric, or a name that no dataset on the Hub can have.

    Source: https://huggingface.co/docs/hub/eval-results
    """
    check_dataset_id(dataset_id)
    if metric not in figures["metrics"]:
        raise ValueError(f"no metric {metric!r}; expected one of {', '.join(figures['metrics'])}")
    value = figures["metrics"][metric] * (100 if METRICS[metric].is_share else 1)
    entry = EvalResultEntry(
        dataset_id=dataset_id,
        task_id=task_id,
        value=round(value, DIGITS),
        dataset_revision=dataset_revision,
        date=figures["about"].get("date"),
        source_url=source_url,
        notes=_notes(figures, metric),
    )
    return [entry]


def write_eval_results(
    repository: str | os.PathLike[str], entries: Sequence[EvalResultEntry], name: str | None = None
) -> Path:
    """Write results into a model's repository, as `.eval_results/<name>.yaml`; its folder is made.

    Args:
        repository: folder of the model's files.
        entries: at least one.
        name: of the file; by default the first benchmark's, without its owner.

    Returns:
        The file.
    """
    path = Path(repository) / ".eval_results" / f"{name or entries[0].dataset_id.rsplit('/', 1)[-1]}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    as_yaml = yaml.safe_dump(eval_result_entries_to_yaml(list(entries)), sort_keys=False, allow_unicode=True)
    path.write_bytes(as_yaml.encode())
    return path


def model_index(
    figures: Mapping[str, Any],
    *,
    dataset_name: str,
    dataset_type: str,
    split: str | None = None,
    config: str | None = None,
    revision: str | None = None,
) -> list[EvalResult]:
    """All headline metrics, for `huggingface_hub.ModelCardData(model_name=..., eval_results=...)`.

    Values are shares in [0, 1], as `evaluate` gives them, or what the metric's own unit is.

    Args:
        figures: what metrics.json holds.
        dataset_name: the corpus as people call it, such as "ASVspoof 5".
        dataset_type: its name on the Hub, such as "jungjee/asvspoof5".
        split: the part of it that was scored.
        config: the configuration of the dataset.
        revision: the commit of the dataset.

    Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
    """
    threshold = {"threshold": figures["thresholds"]["decision"]}
    return [
        EvalResult(
            task_type="audio-classification",
            task_name="Speech deepfake detection",
            dataset_type=dataset_type,
            dataset_name=dataset_name,
            dataset_config=config,
            dataset_split=split,
            dataset_revision=revision,
            metric_type=TYPES[name],
            metric_name=METRICS[name].label + (" (positive: fake)" if name in OF_FAKES else ""),
            metric_value=round(value, DIGITS),
            metric_args=threshold if name in OF_VERDICTS else None,
        )
        for name, value in figures["metrics"].items()
    ]


def write_model_index(
    card: str | os.PathLike[str], figures: Mapping[str, Any], *, dataset_id: str, split: str | None = None
) -> None:
    """Write all headline metrics into the head of a model card, in place of what it said of the same dataset.

    Args:
        card: the README.md of a model. Its text stays as it is.
        figures: what metrics.json holds.
        dataset_id: the dataset on the Hub, by owner and name.
        split: the part of it that was scored.

    Raises:
        ValueError: a name that no dataset on the Hub can have, or a card whose head cannot be read.
    """
    check_dataset_id(dataset_id)
    read = ModelCard.load(card)
    others = [result for result in read.data.eval_results or [] if result.dataset_type != dataset_id]
    name = dataset_id.rsplit("/", 1)[-1]
    read.data.eval_results = [*others, *model_index(figures, dataset_name=name, dataset_type=dataset_id, split=split)]
    read.data.model_name = read.data.model_name or Path(card).absolute().parent.name
    read.save(card)


def check_dataset_id(dataset_id: str) -> None:
    """Raise ValueError for what cannot be the name of a dataset on the Hub."""
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", dataset_id, re.ASCII):
        raise ValueError(f"expected a dataset on the Hub, by owner and name; found {dataset_id!r}")


def _notes(figures: Mapping[str, Any], metric: str) -> str:
    counts, intervals = figures["counts"], figures["intervals"]
    unit = ", in %" if METRICS[metric].is_share else ""
    better = "lower" if metric in LOWER_IS_BETTER else "higher"
    ends = interval(metric, intervals["by_clip"][metric])
    sentences = [
        f"{METRICS[metric].label} as ASVspoof 5 defines it{unit}; {better} is better.",
        f"{counts['real'] + counts['fake']} clips: {counts['real']} real, {counts['fake']} fake.",
        f"{intervals['confidence'] * 100:g} % interval over clips: {ends}.",
    ]
    if metric in OF_VERDICTS:
        threshold = f"{figures['thresholds']['decision']:g}"
        sentences.append(f"Called fake below a score of {threshold}; fake is the positive class.")
    sentences += [f"Warning: {warning}." for warning in figures["warnings"]]
    command = _without_folders(figures["about"].get("command") or "")
    return " ".join([*sentences, *([f"Found by: {command}"] if command else [])])


def _without_folders(command: str) -> str:
    """A command that names files without where they lay, if that was an absolute path: it is going to be published."""
    words = []
    for word in shlex.split(command):
        option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
        words.append(option + equals + (Path(value).name if Path(value).is_absolute() else value))
    return shlex.join(words)
