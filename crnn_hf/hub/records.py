"""What a run and a report left in their folders, read without trusting that they belong together."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig

from crnn_hf.data import asvspoof5
from crnn_hf.hub.paths import without_paths
from crnn_hf.metrics import compute_cm_metrics
from crnn_hf.metrics.exchange.arena import trials_of_report
from crnn_hf.metrics.trials import Trials

SETTINGS = "settings.json"
STATE = "trainer_state.json"
VALIDATION = "all_results.json"
SPEED = "speed.json"
RECORD = "training.json"
REPORT = "metrics.json"
ASVSPOOF5_ON_HUB = "jungjee/asvspoof5"
ASVSPOOF5_SOURCES = ("hub", ASVSPOOF5_ON_HUB, asvspoof5.HUB)


@dataclass(frozen=True)
class Run:
    """What training left in the model's folder; None for what is not there.

    Attributes:
        folder: of the model.
        settings: all that decided the run, by name.
        state: the Trainer's: epochs, steps, the best step, the log.
        validation: figures of the kept model on the evaluation sets, such as `eval_eer`.
        record: what the run noted of its clips, date, software and hardware.
        speed: `hardware`, on which `milliseconds`, by what was done, were measured.
    """

    folder: Path
    settings: dict[str, Any] | None
    state: dict[str, Any] | None
    validation: dict[str, Any] | None
    record: dict[str, Any] | None
    speed: dict[str, Any] | None


@dataclass(frozen=True, eq=False)
class Report:
    """A report's clips and figures.

    Attributes:
        trials: the scored clips.
        figures: what metrics.json holds, but for the folders in which files lay.
    """

    trials: Trials
    figures: dict[str, Any]

    @property
    def dataset(self) -> str | None:
        """The name on the Hub of what was measured on, where the report says that it came from there."""
        source = str(self.figures["about"].get("data", "")).rpartition(", ")[0]
        return ASVSPOOF5_ON_HUB if source in ASVSPOOF5_SOURCES else None

    @property
    def split(self) -> str | None:
        """The split of it, where the report says which."""
        split = str(self.figures["about"].get("data", "")).rpartition(", ")[2]
        return split if split in asvspoof5.SPLITS else None


def read_run(folder: Path) -> Run:
    """Read what training left in a model's folder.

    Raises:
        ValueError: one of the files is not JSON.
    """
    return Run(folder, *(_json(folder / name) for name in (SETTINGS, STATE, VALIDATION, RECORD, SPEED)))


def read_report(folder: Path) -> Report:
    """Read a report of `crnn-hf evaluate` or `crnn-hf metrics`.

    Raises:
        FileNotFoundError: there is no report in the folder, or a file of it is missing.
        ValueError: a file is not what a report writes, or the figures are not those of the scores beside them.
    """
    path = folder / REPORT
    figures = _json(path)
    if figures is None:
        raise FileNotFoundError(f"{folder}: no {REPORT} here; expected a report that crnn-hf evaluate wrote")
    if not {"format", "about", "metrics", "thresholds", "breakdowns"} <= set(figures):
        raise ValueError(f"{path}: expected what a report writes; found {', '.join(figures) or 'nothing'}")
    trials, _ = trials_of_report(folder)
    _refuse_other_scores(path, trials, figures)
    return Report(trials, {**figures, "about": without_paths(figures["about"])})


def refuse_report_of_another(figures: Mapping[str, Any], config: PreTrainedConfig, folder: Path) -> None:
    """Raise ValueError for a report whose scores were not calibrated as the model is: it is of another one."""
    noted = getattr(config, "calibration", None)
    if noted is not None and not {"thresholds", "abstain"} <= set(noted):
        return  # of which a report keeps nothing
    if figures["calibration"] != noted:
        raise ValueError(
            f"{folder}: the report's scores were not calibrated as this model is: it is of another model, or of this "
            "one before crnn-hf calibrate; run crnn-hf evaluate again"
        )


def _refuse_other_scores(path: Path, trials: Trials, figures: Mapping[str, Any]) -> None:
    found = compute_cm_metrics(trials.scores, trials.is_fake, figures["thresholds"]["decision"])
    for name, value in figures["metrics"].items():
        if not math.isclose(value, found[name], rel_tol=1e-6, abs_tol=1e-6):
            raise ValueError(
                f"{path}: {name} is {value:.6g}, but that of scores.tsv and keys.tsv beside it is {found[name]:.6g}: "
                "the files are of different reports; write it again"
            )


def _json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected names and values; found {type(content).__name__}")
    return content
