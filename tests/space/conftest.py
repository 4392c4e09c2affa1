"""What the tests of the demo share: its modules, which lie outside of the package, and a calibrated detector."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from crnn_hf.inference import calibration_record, save_calibration
from crnn_hf.metrics.trials import Trials

SPACE = Path(__file__).parents[2] / "space"


sys.path.insert(0, str(SPACE))


@pytest.fixture(scope="session")
def calibrated(tiny_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector with random weights that was calibrated on what is not the artificial corpus."""
    folder = tmp_path_factory.mktemp("calibrated") / "mine"
    shutil.copytree(tiny_detector, folder)
    return save_calibration(_record([f"X_{index}" for index in range(400)]), folder)


@pytest.fixture(scope="session")
def artificial(tiny_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was calibrated on as many clips of the artificial corpus."""
    folder = tmp_path_factory.mktemp("artificial") / "toy"
    shutil.copytree(tiny_detector, folder)
    return save_calibration(_record([f"D_{index:010d}" for index in range(400)]), folder)


def _record(names: list[str]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    is_fake = np.arange(400) % 2 == 1
    scores = rng.normal(np.where(is_fake, -1.0, 1.0)) * 0.02
    return calibration_record(Trials(names, scores, is_fake), "some corpus, validation")


@pytest.fixture(scope="session")
def served(calibrated: Path) -> Any:
    """The calibrated detector, loaded as the demo loads it."""
    from demo.models import load

    return load(calibrated)


@pytest.fixture
def recording(tmp_path: Path, speech: np.ndarray) -> Path:
    """Six seconds as a file."""
    path = tmp_path / "a <recording>.wav"
    soundfile.write(path, np.tile(speech, 3), 16_000)
    return path


@pytest.fixture(scope="session")
def address(served: Any) -> Iterator[str]:
    """Where the demo is served."""
    from demo.page import build, settings

    page = build(served)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, **settings())
    yield address.rstrip("/")
    page.close()
