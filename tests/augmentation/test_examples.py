"""Examples of augmentations can be heard and seen."""

from pathlib import Path

import numpy as np
import soundfile

from crnn_hf.augmentation.examples import write_examples
from crnn_hf.augmentation.level import Gain


def test_a_sound_and_a_picture_of_each(tmp_path: Path, speech: np.ndarray) -> None:
    written = write_examples(speech, 16_000, {"gain": Gain(0.0, (-6.0, -6.0))}, tmp_path / "new")
    assert [path.name for path in written] == ["original.flac", "original.png", "gain.flac", "gain.png"]
    original, quieter = (soundfile.read(tmp_path / "new" / f"{name}.flac")[0] for name in ("original", "gain"))
    np.testing.assert_allclose(quieter, original * 10 ** (-6 / 20), atol=1e-4)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written if path.suffix == ".png")
