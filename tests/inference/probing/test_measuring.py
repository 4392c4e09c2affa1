"""A probe's moves are those of scores that anybody can have, and a shortcut shows in them."""

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.data import load_asvspoof5, waveform_of
from crnn_hf.data.columns import features
from crnn_hf.data.statistics import describe
from crnn_hf.inference import Probe, load_detector, probe, score_clips
from crnn_hf.inference.probing import CHANGES
from crnn_hf.inference.probing.measuring import movement
from crnn_hf.metrics import equal_error_rate


def rows(waveforms: dict[str, np.ndarray | bytes], is_fake: Callable[[int], bool]) -> Dataset:
    """A corpus of named waveforms, or of bytes that are none."""

    def content(waveform: np.ndarray | bytes) -> bytes:
        if isinstance(waveform, bytes):
            return waveform
        stream = io.BytesIO()
        soundfile.write(stream, waveform, 16_000, format="WAV", subtype="FLOAT")
        return stream.getvalue()

    unknown = dict.fromkeys(("speaker", "gender", "codec", "codec_quality", "codec_seed", "attack_tag", "attack"), "-")
    return Dataset.from_list(
        [
            {
                **unknown,
                "audio": {"bytes": content(waveform), "path": f"{name}.wav"},
                "label": int(is_fake(number)),
                "utterance": name,
            }
            for number, (name, waveform) in enumerate(waveforms.items())
        ],
        features=features(),
    )


def test_moves_are_from_the_score_of_a_clip_to_its_score_after_the_change(
    found: Probe, tiny_detector: Path, tiny_corpus: Path, logits_of: Callable
) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    change = CHANGES["low_pass_3.4_khz"]
    moves = []
    for clip in clips:
        waveform = waveform_of(clip["audio"])
        before, after = (logits_of(tiny_detector, heard)[:2] for heard in (waveform, change.apply(waveform, 16_000)))
        moves.append(float(after[0] - after[1]) - float(before[0] - before[1]))
    is_fake = np.array(clips["label"]) == 1
    filtered = found.movements["low_pass_3.4_khz"]
    assert (filtered.clips, filtered.left_out) == (8, {})
    assert filtered.median == pytest.approx(np.median(np.abs(moves)), abs=1e-5)
    assert filtered.percentile_95 == pytest.approx(np.quantile(np.abs(moves), 0.95), abs=1e-5)
    assert filtered.mean_real == pytest.approx(np.mean(np.array(moves)[~is_fake]), abs=1e-5)
    assert filtered.mean_fake == pytest.approx(np.mean(np.array(moves)[is_fake]), abs=1e-5)


def test_a_probe_says_what_the_unchanged_clips_are_like(found: Probe, tiny_detector: Path, tiny_corpus: Path) -> None:
    clips = load_asvspoof5(tiny_corpus, "validation")
    trials = score_clips(*load_detector(tiny_detector), clips).trials
    assert list(found.movements) == list(CHANGES)
    assert (found.real, found.fake, found.faults) == (4, 4, [])
    assert found.eer == equal_error_rate(trials.scores, trials.is_fake)
    assert found.quartiles == pytest.approx(np.quantile(trials.scores, [0.25, 0.75]))
    assert found.spread == pytest.approx(np.subtract(*np.quantile(trials.scores, [0.75, 0.25])))
    assert found.statistics.separation == describe(clips, progress=False).separation


def test_a_change_of_one_class_alone_shows_the_shortcut() -> None:
    before = np.array([2.0, 1.0, 3.0, -1.0, -2.0, -3.0])
    is_fake = np.array([False] * 3 + [True] * 3)
    towards_real = movement(before, before + 10, is_fake, (0.0, 0.0), {})
    assert towards_real.eer == (0, 1, 0)
    assert towards_real.verdicts == 0.5
    assert (towards_real.median, towards_real.mean_real, towards_real.mean_fake) == (10, 10, 10)
    towards_fake = movement(before, before - 10, is_fake, (0.0, 0.0), {})
    assert towards_fake.eer == (0, 0, 1)
    assert (towards_fake.median, towards_fake.mean_real, towards_fake.mean_fake) == (10, -10, -10)


def test_a_verdict_can_become_unsure() -> None:
    before, after = np.array([-2.0, 2.0, 0.0, 3.0]), np.array([0.0, 2.0, 0.5, 0.9])
    assert movement(before, after, np.array([True, False, True, False]), (-1.0, 1.0), {}).verdicts == 0.5


def test_clips_that_are_left_out_keep_their_scores_and_do_not_count_as_unmoved() -> None:
    before = np.array([1.0, 2.0, -1.0, -2.0])
    after = np.array([np.nan, 4.0, np.nan, 8.0])
    moved = movement(before, after, np.array([False, False, True, True]), (0.0, 0.0), {"a": "short", "c": "short"})
    assert (moved.clips, moved.left_out) == (2, {"a": "short", "c": "short"})
    assert (moved.median, moved.mean_real, moved.mean_fake) == (6, 2, 10)
    assert moved.eer == (0.5, 0.5, 0)


def test_where_no_clip_changes_there_are_no_figures() -> None:
    moved = movement(np.array([1.0, 2.0]), np.array([np.nan] * 2), np.array([True, True]), (0.0, 0.0), {"a": "short"})
    assert dataclasses.astuple(moved) == (0, {"a": "short"}, None, None, None, None, None, None)


def test_clips_that_do_not_suit_are_named(tiny_detector: Path, speech: np.ndarray) -> None:
    click = np.zeros(8_000, np.float32)
    click[4_000] = 1
    clips = rows(
        {"long": np.tile(speech, 2), "short": speech[:8_000], "click": click, "cut": b"RIFF"}, lambda n: n > 1
    )
    found = probe(*load_detector(tiny_detector), clips)
    assert [fault.partition(":")[0] for fault in found.faults] == ["cut.wav"]
    assert found.movements["first_2_s"].left_out == dict.fromkeys(("short", "click"), "is no longer than that")
    trimmed = found.movements["silence_trimmed"]
    assert trimmed.clips == 0
    assert trimmed.left_out["long"] == "has none there"
    assert "less than one frame" in trimmed.left_out["click"]


def test_one_class_has_moves_and_no_error_rates(tiny_detector: Path, speech: np.ndarray) -> None:
    found = probe(*load_detector(tiny_detector), rows({"a": speech, "b": speech[::-1]}, lambda n: True))
    assert (found.real, found.fake, found.eer, found.statistics.separation) == (0, 2, None, {})
    shifted = found.movements["zeros_added"]
    assert (shifted.clips, shifted.mean_real, shifted.eer) == (2, None, None)
    assert shifted.median > 0
    assert shifted.mean_fake is not None


def test_a_detector_that_hears_the_level_is_found_out(tiny_detector: Path, tiny_corpus: Path) -> None:
    model, _ = load_detector(tiny_detector)
    extractor = CRNNFeatureExtractor(normalization=None, return_contrast=True)
    found = probe(model, extractor, load_asvspoof5(tiny_corpus, "validation"))
    assert found.movements["gain_-20_db"].median > found.movements["gain_-6_db"].median > found.spread / 20


def test_nothing_to_score_is_refused(tiny_detector: Path) -> None:
    with pytest.raises(ValueError, match=r"none of 1 clips can be scored: cut\.wav: "):
        probe(*load_detector(tiny_detector), rows({"cut": b"RIFF"}, lambda n: True))
