"""Scored clips to report on, of every kind that a report must bear."""

from collections.abc import Callable

import numpy as np
import pytest

from crnn_hf.metrics.trials import Trials


@pytest.fixture(scope="session")
def make_trials() -> Callable[..., Trials]:
    """Makes trials of clips whose scores overlap, with attacks, codecs, and a codec that only fakes have."""

    def make(clips: int = 600, attacks: tuple[str, ...] = ("A17", "A18", "A19"), speakers: int = 0) -> Trials:
        rng = np.random.default_rng(0)
        is_fake = rng.random(clips) < 0.6
        scores = rng.normal(size=clips) * 2 + np.where(is_fake, -1.5, 1.5)
        columns = {
            "attack": np.where(is_fake, rng.choice(attacks, clips), "-").tolist(),
            "codec": np.where(is_fake & (rng.random(clips) < 0.2), "C10", rng.choice(["-", "C01"], clips)).tolist(),
        }
        if speakers:
            columns["speaker"] = rng.choice([f"S{number}" for number in range(speakers)], clips).tolist()
        return Trials([f"E_{number}" for number in range(clips)], scores, is_fake, columns)

    return make
