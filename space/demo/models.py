"""Which detector the demo asks, and what is known of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crnn_hf.data.embedded.corpus import DEV
from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.calibrating import is_calibrated_on
from crnn_hf.inference.verdicts import calibration_of

TOP = Path(__file__).parents[2]  # of a checkout
NAME_FILE = Path(__file__).parents[1] / "model.txt"  # written where the demo is published
QUICKSTART = Path("runs/quickstart/model")


@dataclass(frozen=True)
class Served:
    """A detector at work.

    Attributes:
        name: what people call it: its Hub name, or the last part of its folder.
        detector, feature_extractor: from `crnn_hf.inference.load_backend`.
        backend: what runs it.
        is_artificial: whether it was trained on the package's artificial voices.
        is_chosen: whether somebody named it, or it is the quickstart's for want of another.
    """

    name: str
    detector: Any
    feature_extractor: Any
    backend: str
    is_artificial: bool
    is_chosen: bool = True

    @property
    def calibration(self) -> dict[str, Any] | None:
        """What its config says of its calibration."""
        return calibration_of(self.detector.config)


def serve(environment: Mapping[str, str] = os.environ, top: Path = TOP, name_file: Path = NAME_FILE) -> Served | None:
    """Load the detector that `CRNN_MODEL` names, or the published demo's, or the quickstart's; None if there is none.

    Args:
        environment: `CRNN_MODEL`, a folder or Hub name; `CRNN_BACKEND`, by default "onnx" where the model has such a
            file and ONNX Runtime is there, and "torch" elsewhere.
        top: where the quickstart leaves its `runs`; it is looked for where the demo was started, too.
        name_file: holds the name of the model, in the published demo.

    Raises:
        OSError, ValueError, ImportError: as `crnn_hf.inference.load_backend`.
    """
    name = environment.get("CRNN_MODEL", "").strip()
    if not name and name_file.is_file():
        name = name_file.read_text(encoding="utf-8").strip()
    if name:
        return load(name, environment.get("CRNN_BACKEND") or None)
    for folder in (QUICKSTART, top / QUICKSTART):
        if (folder / "config.json").is_file():
            return load(folder, environment.get("CRNN_BACKEND") or None, is_chosen=False)
    return None


def load(model: str | Path, backend: str | None = None, *, is_chosen: bool = True) -> Served:
    """Load a detector; without a backend, with ONNX Runtime if that is possible. Raises as `serve`."""
    if backend is None:
        try:
            found, backend = load_backend(model, "onnx"), "onnx"
        except (FileNotFoundError, ImportError):
            found, backend = load_backend(model, "torch"), "torch"
    else:
        found = load_backend(model, backend)
    detector, feature_extractor = found
    name = Path(model).resolve().name if Path(model).is_dir() else str(model)
    is_artificial = not is_chosen or knows_artificial_voices(detector.config)
    return Served(name, detector, feature_extractor, backend, is_artificial, is_chosen)


def knows_artificial_voices(config: Any) -> bool:
    """Whether a model was calibrated on the artificial corpus: its clips are numbered without a gap, as no other's."""
    clips = (calibration_of(config) or {}).get("clips", {})
    copies = len((calibration_of(config) or {}).get("sets", [""]))  # each clip as it is, and changed
    names = [f"{DEV.letter}_{index:010d}" for index in range(sum(clips.values()) // copies)]
    return bool(names) and is_calibrated_on(config, names)
