"""The README's examples run, word for word."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_nothing_is_left_open() -> None:
    assert len(EXAMPLES) == 6
    assert "@@" not in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(
    example: str,
    tiny_detector: Path,
    tiny_corpus: Path,
    speech: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    clips = Path("runs/quickstart/clips")
    clips.mkdir(parents=True)
    soundfile.write(clips / "E_0000000000.flac", speech, 16_000)
    shutil.copytree(tiny_detector, "runs/quickstart/model")
    shutil.copytree(tiny_corpus, "asvspoof5")
    exec(compile(example, README.name, "exec"), {"__name__": "__main__"})
