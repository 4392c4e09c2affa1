"""From a row to a waveform in one way, whole or a stretch, and what cannot be read is named."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from crnn_hf.audio import AudioReadError, read_audio
from crnn_hf.data import ClipReader, load_asvspoof5, waveform_of


def flac(waveform: np.ndarray, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="FLAC")
    return file.getvalue()


def test_rows_become_clips(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    clip = train.with_transform(ClipReader())[3]
    assert (clip["utterance"], clip["label"]) == ("T_0000000003", train[3]["label"])
    np.testing.assert_array_equal(clip["waveform"], read_audio(train[3]["audio"]["bytes"]))
    half = train.with_transform(ClipReader(sampling_rate=8_000))[3]["waveform"]
    assert len(half) == len(clip["waveform"]) // 2


def test_every_form_of_the_audio_column(speech: np.ndarray, tmp_path: Path) -> None:
    content = flac(speech)
    path = tmp_path / "speech.flac"
    path.write_bytes(content)
    expected = read_audio(content)
    decoded = SimpleNamespace(data=torch.from_numpy(np.stack([expected, expected])), sample_rate=16_000)
    forms: list[Any] = [
        {"bytes": content, "path": "a name"},
        {"bytes": None, "path": str(path)},
        SimpleNamespace(get_all_samples=lambda: decoded),
    ]
    for form in forms:
        np.testing.assert_allclose(waveform_of(form), expected, atol=1e-7)


def test_crops_begin_anywhere_and_repeat_for_a_seed(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    whole = read_audio(train[0]["audio"]["bytes"])
    reader = train.with_transform(ClipReader(crop_seconds=0.5))
    torch.manual_seed(0)
    crops = [reader[0]["waveform"] for _ in range(20)]
    starts = set()
    for crop in crops:
        assert len(crop) == 8_000
        windows = np.lib.stride_tricks.sliding_window_view(whole, 100)
        (start,) = np.flatnonzero((windows == crop[:100]).all(axis=1))
        np.testing.assert_array_equal(whole[start : start + 8_000], crop)
        starts.add(int(start))
    assert len(starts) > 15
    torch.manual_seed(0)
    np.testing.assert_array_equal(reader[0]["waveform"], crops[0])


def test_shorter_clips_are_read_whole(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    clip = train.with_transform(ClipReader(crop_seconds=60))[0]
    np.testing.assert_array_equal(clip["waveform"], read_audio(train[0]["audio"]["bytes"]))


@pytest.mark.parametrize("crop_seconds", [None, 0.5])
def test_a_damaged_clip_is_named(speech: np.ndarray, crop_seconds: float | None) -> None:
    content = flac(speech)[:9_000]
    batch = {"audio": [{"bytes": content, "path": "x.tar/clip.flac"}], "label": [0], "utterance": ["clip"]}
    torch.manual_seed(0)
    if crop_seconds is not None:
        torch.rand(())  # the next number is high, so that the crop begins late, where the damage is
    with pytest.raises(AudioReadError, match=r"^x\.tar/clip\.flac: cut off or damaged"):
        ClipReader(crop_seconds=crop_seconds)(batch)
