"""Scored clips and what was measured of them, to be handed on."""

import json
from typing import Any

import numpy as np
import pytest

from crnn_hf.metrics.report.measuring import measure
from crnn_hf.metrics.trials import Trials


@pytest.fixture(scope="package")
def trials() -> Trials:
    rng = np.random.default_rng(0)
    is_fake = rng.random(400) < 0.7
    scores = rng.normal(size=400) + np.where(is_fake, -1, 1)
    return Trials([f"E_{number:010d}" for number in range(400)], scores, is_fake)


@pytest.fixture(scope="package")
def figures(trials: Trials) -> dict[str, Any]:
    about = {"model": "owner/crnn", "command": "crnn-hf evaluate owner/crnn hub", "date": "2026-01-31"}
    return json.loads(json.dumps(measure(trials, about, resamples=50)))
