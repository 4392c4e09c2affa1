"""The README's examples run, word for word."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_three() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(
    example: str, tiny_detector: Path, speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clips = Path("runs/quickstart/clips")
    clips.mkdir(parents=True)
    soundfile.write(clips / "D_0000000000.flac", speech, 16_000)
    shutil.copytree(tiny_detector, "runs/quickstart/model")
    exec(compile(example, README.name, "exec"), {"__name__": "__main__"})
