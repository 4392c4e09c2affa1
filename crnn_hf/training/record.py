"""What a run notes of itself beside its settings, for whoever reads about the model later: a model card, a demo."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from crnn_hf.data.embedded.corpus import MANIFEST

RECORD_FILE = "training.json"
PACKAGES = ("torch", "transformers")


def note_run(output: Path, source: str, clips: Sequence[str]) -> None:
    """Write `training.json` into the model's folder.

    Args:
        output: the model's folder, which is made.
        source: of the corpus.
        clips: of each set that was heard, what it holds, in a line.
    """
    record = {
        "clips": list(clips),
        "is_artificial": (Path(source) / MANIFEST).is_file(),
        "date": str(date.today()),
        "software": f"crnn-hf {version('crnn-hf')}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "hardware": _hardware(),
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _hardware() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"{os.cpu_count()} cores, {platform.machine()}"
