"""What the demo hears is what the pipeline hears, within its limits, and its errors name files without folders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from transformers import pipeline

pytest.importorskip("gradio", reason="needs crnn-hf[space]")


def test_it_says_what_the_pipeline_says(served: Any, calibrated: Path, recording: Path) -> None:
    from demo.listening import judge, read

    scores = judge(served, read(str(recording), 16_000), recording.name)
    detector = pipeline("audio-deepfake-detection", model=str(calibrated))
    for threshold in (None, "real_flagged_1%"):
        expected = detector(str(recording), threshold=threshold)
        assert scores.result(served, threshold) == expected


def test_limits(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gradio as gr
    from demo import listening

    monkeypatch.setattr(listening, "MOST_MINUTES", 0.05)
    with pytest.raises(gr.Error, match=f"^'{recording.name}: longer than 0.05 minutes"):
        listening.read(str(recording), 16_000)
    monkeypatch.setattr(listening, "MOST_MEGABYTES", 0.1)
    with pytest.raises(gr.Error, match=r"more than 0\.1 MB"):
        listening.read(str(recording), 16_000)


def test_faults_name_the_file_alone(served: Any, tmp_path: Path) -> None:
    import gradio as gr
    from demo.listening import judge, read

    (tmp_path / "text.wav").write_text("no sound at all")
    with pytest.raises(gr.Error) as error:
        read(str(tmp_path / "text.wav"), 16_000)
    assert error.value.message.startswith("text.wav: no audio")
    assert str(tmp_path) not in error.value.message
    with pytest.raises(gr.Error, match=r"gone\.wav: the file is not here any more"):
        read(str(tmp_path / "gone.wav"), 16_000)
    with pytest.raises(gr.Error, match=r"short\.wav"):
        judge(served, np.zeros(100, np.float32), "short.wav")


def test_examples_are_heard(tmp_path: Path) -> None:
    from demo.examples import LABELS, write_examples

    paths = write_examples(tmp_path)
    assert [Path(path).name for path in paths] == list(LABELS)
    voice, vocoded, spliced = (soundfile.read(path)[0] for path in paths)
    assert len(voice) == len(vocoded) == len(spliced) == 96_000
    # The channel is the same for all, so that the ends tell the spliced one from the vocoded.
    near, far = (np.corrcoef(spliced[:30_000], other[:30_000])[0, 1] for other in (voice, vocoded))
    assert near > 0.99 > far
