"""What the tests of training share: a run of a small model, for real."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crnn_hf.training import read_recipe, train

SETTINGS = {
    "architecture.conv_channels": "[4, 8]",
    "architecture.hidden_size": "8",
    "num_train_epochs": "2",
    "per_device_train_batch_size": "4",
    "crop_seconds": "1",
    "disable_tqdm": "true",
}


@pytest.fixture(scope="session")
def run_training(tiny_corpus: Path) -> Callable[..., dict[str, float]]:
    """Trains on the tiny corpus in four steps an epoch.

    Called with the folder of the run, and settings by name; None leaves one as it is by default.
    """

    def run(output: Path, **settings: str | None) -> dict[str, float]:
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        named = {"data": str(tiny_corpus), "output_dir": str(output), **SETTINGS, **dotted}
        return train(
            *read_recipe("quickstart", [f"--{name}={value}" for name, value in named.items() if value is not None])
        )

    return run
