"""What the tests of a probe share."""

from pathlib import Path

import pytest

from crnn_hf.data import load_asvspoof5
from crnn_hf.inference import Probe, load_detector, probe


@pytest.fixture(scope="session")
def found(tiny_detector: Path, tiny_corpus: Path) -> Probe:
    """A random detector on 8 clips."""
    return probe(*load_detector(tiny_detector), load_asvspoof5(tiny_corpus, "validation"))
