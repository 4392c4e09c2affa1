"""What is said: verdicts in words, costs as they were measured, pictures on one axis."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("gradio", reason="needs crnn-hf[space]")


@pytest.fixture
def result() -> dict[str, Any]:
    """Ten seconds, of which three are fake and one is silence."""
    spans = [(0, 4, "real", 0.1), (4, 7, "fake", 0.97), (7, 8, "silence", None), (8, 10, "real", 0.2)]
    segments = [
        {"start": float(start), "end": float(end), "label": label, "score": 0.0, "probability": chance}
        for start, end, label, chance in spans
    ]
    scores = [2.0] * 8 + [-3.0] * 6 + [None] * 2 + [1.0] * 4
    return {
        "label": "real",
        "reason": None,
        "score": 1.0,
        "probability": 0.27,
        "duration": 10.0,
        "segments": segments,
        "timeline": {"step": 0.5, "scores": scores},
    }


def test_a_verdict_in_words(result: dict[str, Any], served: Any) -> None:
    from demo import words

    said = words.verdict(result, served, "<b>.wav")
    assert "<h2>Likely real</h2>" in said
    assert "27 % likely to be fake" in said
    assert "parts of it sound fake: 0:04.0 to 0:07.0" in said
    assert "&lt;b&gt;.wav" in said
    assert "<b>" not in said
    assert "artificial" not in said
    assert "<h2>Not flagged</h2>" in words.verdict(result, served, threshold="real_flagged_1%")


def test_it_says_when_it_cannot_tell(result: dict[str, Any], served: Any) -> None:
    from demo import words

    said = words.verdict({**result, "label": "unsure", "reason": "too little sounds: 0.1 s"}, served)
    assert "Can't tell" in said
    assert "Too little sounds" in said
    assert "% likely" not in said


def test_no_probability_without_calibration(result: dict[str, Any], tiny_detector: Path) -> None:
    from demo import costs, words
    from demo.models import load

    served = load(tiny_detector)
    assert "No probability" in words.verdict({**result, "probability": None}, served)
    assert "not calibrated" in costs.cost(served.calibration, costs.ABSTAIN)
    assert len(costs.choices(served.calibration)) == 1


@pytest.mark.parametrize(("chance", "said"), [(0.001, "under 1 %"), (0.999, "over 99 %"), (0.5, "50 %")])
def test_nothing_is_certain(chance: float, said: str) -> None:
    from demo.words import percent

    assert percent(chance) == said


def test_costs_are_those_that_were_measured(served: Any) -> None:
    from demo import costs

    names = [name for _, name in costs.choices(served.calibration)]
    points = {point["name"]: point for point in served.calibration["thresholds"]}
    assert names[0] == costs.ABSTAIN
    assert [points[name]["threshold"] for name in names[1:]] == sorted(p["threshold"] for p in points.values())
    for name, point in points.items():
        said = costs.cost(served.calibration, name)
        assert f"{100 * point['frr']:.1f} % of real clips" in said
        assert f"{100 * point['far']:.1f} % of fakes" in said
        assert "200 real and 200 fake clips of “some corpus, validation”" in said
    assert "% of real clips" in costs.cost(served.calibration, costs.ABSTAIN)


def test_pictures_and_stretches_share_their_axis(result: dict[str, Any], served: Any) -> None:
    from demo import timeline

    extractor = served.feature_extractor
    waveform = np.random.default_rng(0).standard_normal(160_000).astype(np.float32) * 0.1
    seen = timeline.seen(waveform, extractor)
    assert 'data-seconds="10.000"' in seen
    assert seen.count('src="data:') == 2
    assert "show-effects" not in seen
    found = timeline.stretches(result)
    places = re.findall(r'class="part (\w+)" style="left:([\d.]+)%;width:([\d.]+)%', found)
    assert places[1] == ("fake", "40.000", "30.000")
    assert 'data-seek="4.0" data-until="7.0"' in found
    assert found.count("M") == found.count("M0,0H") + 2  # the score's line is broken by the silence


@pytest.mark.parametrize(("worst", "start"), [(0, 0.0), (40, 10.25), (79, 20.0)])
def test_what_moved_the_score_lies_where_it_was_heard(served: Any, worst: int, start: float) -> None:
    from demo import timeline
    from demo.listening import Scores
    from demo.one import explained

    from crnn_hf.inference.recordings.timeline import Timeline

    waveform = np.random.default_rng(0).standard_normal(40 * 16_000).astype(np.float32) * 0.1
    scores = Scores(0.0, Timeline(0.5, np.where(np.arange(80) == worst, -1.0, 1.0)), 40.0, 40.0)
    explanation, found = explained(served, waveform, scores)
    assert found == start
    seen = timeline.seen(waveform, served.feature_extractor, explanation, found)
    place = re.search(r'class="effects" style="left:([\d.]+)%;width:([\d.]+)%', seen)
    assert float(place[1]) == pytest.approx(100 * start / 40, abs=0.01)
    assert float(place[2]) == pytest.approx(50, abs=0.2)
    assert "(by gradient x input, from 0:" in seen
    assert ", the sum of five parts" in seen


def test_the_parts_of_a_score_add_up_to_it() -> None:
    from demo.reasons import parts_of_score

    from crnn_hf.contrast_crnn import KINDS
    from crnn_hf.inference import Explanation

    effects = dict(zip(KINDS, (-2.0, 0.25, -0.5, 0.0), strict=True))
    told = parts_of_score(Explanation(np.zeros((1, 80), np.float32), "gradient x input", -1.0, effects))
    assert "score of what is marked is -1.00, the sum of five parts" in told
    assert re.findall(r"<strong>([-+.\d]+)</strong>, for (\w+)", told) == [
        ("-2.00", "fake"),
        ("+0.25", "real"),
        ("-0.50", "fake"),
        ("+0.00", "neither"),
        ("+1.25", "real"),
    ]
    assert re.findall(r'class="(\w+)" style="width:(\d+)%', told)[::4] == [("fake", "100"), ("real", "62")]


def test_of_a_graph_no_parts_are_told() -> None:
    from demo.reasons import parts_of_score

    from crnn_hf.inference import Explanation

    assert parts_of_score(Explanation(np.zeros((1, 80), np.float32), "occlusion", -1.0, None)) == ""


def test_the_spectrogram_is_upright() -> None:
    import base64
    import io

    from demo import pictures
    from PIL import Image

    from crnn_hf import CRNNFeatureExtractor

    low = 0.5 * np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000).astype(np.float32)
    address = pictures.spectrogram(low, CRNNFeatureExtractor())
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))).astype(int).sum(2)
    assert pixels[-20:].mean() > 2 * pixels[:20].mean()
    assert pictures.heights(CRNNFeatureExtractor())[-1][0] == "4 kHz"
