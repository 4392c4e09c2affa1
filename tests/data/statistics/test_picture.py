"""The figures of a corpus can be seen."""

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf.data.statistics import describe, draw


@pytest.mark.parametrize("rows", [range(10), range(4, 10)])
def test_the_picture_is_a_png(rows: range, quiet_fakes: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "new" / "picture"
    draw(describe(quiet_fakes.select(rows), progress=False), path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert np.frombuffer(content[16:24], ">u4").tolist() == [2250, 1350]


def test_nothing_cannot_be_drawn(quiet_fakes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no clip could be read"):
        draw(describe(quiet_fakes.select([2]), progress=False), tmp_path / "picture.png")
