"""What a model card says of how the model came to be: data and training, from what the run noted."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crnn_hf.data import asvspoof5
from crnn_hf.data.embedded.corpus import MANIFEST
from crnn_hf.data.locations import without_folder
from crnn_hf.hub.markdown import table
from crnn_hf.hub.paths import without_paths
from crnn_hf.hub.records import ASVSPOOF5_ON_HUB, ASVSPOOF5_SOURCES, RECORD, SETTINGS, SPEED, STATE, VALIDATION, Run
from crnn_hf.metrics.report import wording
from crnn_hf.metrics.report.pages import escaped_for_markdown

ARTIFICIAL = (
    "Trained on artificial voices, to show that the software works. Of no use on real speech: do not decide anything "
    "by it."
)
NOTHING = (None, "", "{}", {}, [], False, 0.0)


def is_artificial(run: Run) -> bool:
    """Whether the corpus is the embedded one, in which nobody speaks: as the run noted, or else as its folder says."""
    if run.record is not None:
        return bool(run.record["is_artificial"])
    return run.settings is not None and (Path(str(run.settings.get("data"))) / MANIFEST).is_file()


def dataset_trained_on(run: Run) -> str | None:
    """The name on the Hub of what the model was trained on, where that is known."""
    source = (run.settings or {}).get("data")
    return ASVSPOOF5_ON_HUB if source in ASVSPOOF5_SOURCES else None


def data(run: Run) -> str | None:
    """What the model was trained on, with its licence where that is known; None where nothing was noted."""
    settings = run.settings or {}
    if settings.get("data") is None:
        return None
    known, others = _known_corpus(run), _other_sources(settings)
    if known is not None and not others:
        return known
    paragraphs = [] if known is None else [known]
    names = ", ".join(_name(source) for source in (others if known else [settings["data"], *others]))
    paragraphs.append(
        f"Trained on {names}{' as well' if known else ''}. The run did not note whose recordings these are, nor under "
        "which licence."
    )
    if lines := (run.record or {}).get("clips"):
        paragraphs.append("\n".join(f"- {escaped_for_markdown(line)}" for line in lines))
    return "\n\n".join(paragraphs)


def _known_corpus(run: Run) -> str | None:
    """What is known of the corpus, if it is one of those that everybody can have."""
    if dataset_trained_on(run):
        citation = re.sub(r"\n {2,}", "\n  ", asvspoof5.CITATION)
        return (
            f"Trained on the train split of [ASVspoof 5](https://huggingface.co/datasets/{ASVSPOOF5_ON_HUB}), the "
            f"best epoch chosen on its dev split.\n\n{asvspoof5.LICENSE}\n\n```bibtex\n{citation}\n```"
        )
    if is_artificial(run):
        return (
            "Trained on the corpus that crnn-hf makes itself: nonsense syllables from a speech synthesiser, “real” as "
            "they are and “fake” after a vocoder. Nobody speaks in it, and nobody has rights in it."
        )
    return None


def _other_sources(settings: Mapping[str, Any]) -> list[str]:
    """What else the run learned from, beside its corpus."""
    sets = list(json.loads(settings.get("training_sets") or "{}").values())
    sets.append(json.loads(settings.get("replay") or "{}"))
    sources = [one.get("data") if isinstance(one, dict) else one for one in sets]
    return [str(source) for source in sources if source is not None]


def _name(source: str) -> str:
    if source in ASVSPOOF5_SOURCES:
        return "ASVspoof 5"
    return escaped_for_markdown(without_paths(without_folder(source)))


def training(run: Run) -> str | None:
    """How the model was trained: how long, which epoch was kept, its figures on the way, and all settings."""
    if run.settings is None and run.state is None:
        return None
    parts = [_course(run.state)] if run.state else []
    if run.record:
        parts.append(f"{run.record['date']}, {run.record['software']}, on {run.record['hardware']}.")
    if run.validation:
        parts.append(_validation(run.validation))
    if run.settings is not None:
        rows = [[name, _told(value)] for name, value in run.settings.items() if value not in NOTHING]
        parts.append(
            f"<details><summary>Settings other than 0, no and none, of {SETTINGS}</summary>\n\n"
            f"{table(['setting', 'value'], rows)}\n\n</details>"
        )
    return "\n\n".join(parts)


def speed(run: Run) -> str | None:
    """How fast the model is and on which hardware; None where nobody measured it."""
    if run.speed is None:
        return None
    rows = [[what, f"{milliseconds:.3g}"] for what, milliseconds in run.speed["milliseconds"].items()]
    return f"On {escaped_for_markdown(run.speed['hardware'])}.\n\n{table(['', 'ms'], rows)}"


def published_records(run: Run) -> dict[str, dict[str, Any]]:
    """What the run noted, by the name of its file, without the folders in which files lay."""
    noted = {
        SETTINGS: run.settings,
        STATE: run.state,
        VALIDATION: run.validation,
        RECORD: run.record,
        SPEED: run.speed,
    }
    return {name: without_paths(content) for name, content in noted.items() if content is not None}


def _course(state: Mapping[str, Any]) -> str:
    steps, best = state["global_step"], state.get("best_global_step")
    seconds = [line["train_runtime"] for line in state.get("log_history", []) if "train_runtime" in line]
    took = f", {_duration(seconds[-1])} in the last session" if seconds else ""
    kept = f" The weights of step {best:,} were kept, the best of those evaluated." if best else ""
    return f"{state['epoch']:g} epochs in {steps:,} steps of {state['train_batch_size']} clips{took}.{kept}"


def _validation(figures: Mapping[str, float]) -> str:
    named = [(name, figures.get(f"eval_{name}")) for name in ("eer", "eer_macro", "min_dcf", "act_dcf", "cllr")]
    labels = {"eer_macro": "mean EER over attacks"}
    told = ", ".join(
        f"{labels.get(name) or wording.METRICS[name].label} "
        + (wording.share(value) if name.startswith("eer") else f"{value:.4f}")
        for name, value in named
        if value is not None
    )
    return f"On the validation split, which chose the weights and so flatters them, before any calibration: {told}."


def _told(value: Any) -> str:
    return without_paths(value) if isinstance(value, str) else wording.plain(without_paths(value))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
