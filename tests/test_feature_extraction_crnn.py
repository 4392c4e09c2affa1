"""The features agree with torchaudio's, do not depend on the batch, and bad clips are refused by their index."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchaudio

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.feature_extraction_crnn import triangular_filters

RATE = 16_000


def features(extractor: CRNNFeatureExtractor, clips: Any, **options: Any) -> torch.Tensor:
    return extractor(clips, sampling_rate=RATE, return_tensors="pt", **options)["input_features"]


@pytest.mark.parametrize("mel_scale", ["htk", "slaney"])
@pytest.mark.parametrize(("n_fft", "hop_length", "num_mel_bins"), [(512, 160, 80), (1024, 512, 128), (400, 100, 40)])
def test_agrees_with_torchaudio(
    speech: np.ndarray, mel_scale: str, n_fft: int, hop_length: int, num_mel_bins: int
) -> None:
    extractor = CRNNFeatureExtractor(
        num_mel_bins=num_mel_bins,
        n_fft=n_fft,
        hop_length=hop_length,
        mel_scale=mel_scale,
        remove_dc=False,
        normalization=None,
        dynamic_range=None,
    )
    theirs = torchaudio.transforms.MelSpectrogram(
        RATE, n_fft=n_fft, hop_length=hop_length, f_min=20, n_mels=num_mel_bins, mel_scale=mel_scale, center=False
    )
    expected = theirs(torch.from_numpy(speech)).clamp(min=1e-10).log().T
    torch.testing.assert_close(features(extractor, speech)[0], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("n_fft", [400, 512])
def test_an_offset_of_each_frame_is_removed(speech: np.ndarray, n_fft: int) -> None:
    plain = {"n_fft": n_fft, "normalization": None, "dynamic_range": None}
    extractor = CRNNFeatureExtractor(**plain)
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64), n_fft)[::160]
    centred = frames - frames.mean(1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * np.hanning(n_fft + 1)[:-1])) ** 2
    filters = triangular_filters(80, n_fft // 2 + 1, RATE, 20.0, RATE / 2, "htk").numpy()
    expected = np.log(np.maximum(power @ filters, 1e-10))
    np.testing.assert_allclose(features(extractor, speech)[0], expected, atol=1e-3)
    np.testing.assert_allclose(features(extractor, speech + np.float32(0.1))[0], expected, atol=1e-2)
    offset = features(CRNNFeatureExtractor(**plain, remove_dc=False), speech + np.float32(0.1))[0]
    assert np.abs(offset[:, 0] - expected[:, 0]).max() > 1


class EachBinABand(CRNNFeatureExtractor):
    """No triangle reaches the two bins of frames of two samples."""

    def _filters(self) -> torch.Tensor:
        return torch.eye(self.n_fft // 2 + 1)


@pytest.mark.parametrize("n_fft", [2, 3, 4, 5, 400])
def test_an_offset_is_removed_from_frames_of_any_length(speech: np.ndarray, n_fft: int) -> None:
    extractor = EachBinABand(n_fft=n_fft, normalization=None, dynamic_range=None)
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64) + 0.1, n_fft)[::160]
    centred = frames - frames.mean(1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * np.hanning(n_fft + 1)[:-1])) ** 2
    found = features(extractor, speech + np.float32(0.1))[0].exp()
    np.testing.assert_allclose(found, np.maximum(power, 1e-10), rtol=1e-2, atol=1e-6)


def test_linear_bands_are_evenly_spaced_in_hertz() -> None:
    filters = triangular_filters(7, 257, RATE, 0.0, 8000.0, "linear")
    assert (filters.argmax(0) * 8000 / 256).tolist() == pytest.approx([1000 * band for band in range(1, 8)], abs=16)


def test_a_clip_alone_and_in_a_batch_has_the_same_features(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor()
    clips = [speech, speech[:9_000], speech[5_000:5_512], speech[:20_001]]
    batch = extractor(clips, sampling_rate=RATE, return_tensors="pt")
    assert batch["input_features"].shape == (4, 197, 80)
    assert batch["input_features"].dtype == torch.float32
    assert batch["attention_mask"].sum(1).tolist() == [197, 54, 1, 122]
    for clip, padded, mask in zip(clips, batch["input_features"], batch["attention_mask"].bool(), strict=True):
        torch.testing.assert_close(padded[mask], features(extractor, clip)[0], atol=1e-5, rtol=0)
        assert not padded[~mask].any()


def test_every_kind_of_input_gives_the_same(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor()
    speech = np.round(speech * 32768).astype(np.int16)
    expected = features(extractor, speech)
    scaled = speech / np.float32(32768)
    read_only = scaled.copy()
    read_only.flags.writeable = False
    for clips in (
        scaled,
        scaled.astype(np.float64),
        scaled.tolist(),
        [scaled.tolist()],
        torch.from_numpy(scaled),
        [torch.from_numpy(scaled)],
        torch.from_numpy(speech),
        scaled[np.newaxis],
        [scaled[np.newaxis]],
        [scaled[:, np.newaxis]],
        (scaled,),
        read_only,
        np.repeat(scaled, 2)[::2],
        scaled[::-1].copy()[::-1],
    ):
        torch.testing.assert_close(features(extractor, clips), expected, atol=1e-5, rtol=0)


def test_input_is_left_alone(speech: np.ndarray) -> None:
    before = speech.copy()
    CRNNFeatureExtractor()([speech], sampling_rate=RATE)
    np.testing.assert_array_equal(speech, before)


@pytest.mark.parametrize("normalization", ["band_mean", "running_band_mean", "clip_mean_std"])
def test_level_does_not_matter(speech: np.ndarray, normalization: str) -> None:
    extractor = CRNNFeatureExtractor(normalization=normalization)
    torch.testing.assert_close(
        features(extractor, speech * np.float32(0.05)), features(extractor, speech), atol=1e-3, rtol=0
    )


def test_normalization(speech: np.ndarray) -> None:
    bands = features(CRNNFeatureExtractor(normalization="band_mean"), speech)[0]
    assert bands.mean(0).abs().max() < 1e-5
    clip = features(CRNNFeatureExtractor(normalization="clip_mean_std"), speech)[0]
    assert abs(float(clip.mean())) < 1e-5
    assert float(clip.std(correction=0)) == pytest.approx(1, abs=1e-4)


def test_dynamic_range_is_limited(speech: np.ndarray) -> None:
    speech[16_000:] = 0
    limited = features(CRNNFeatureExtractor(normalization=None, dynamic_range=30.0), speech)
    assert float(limited.max() - limited.min()) == pytest.approx(3 * np.log(10), abs=1e-4)


def test_a_running_mean_is_that_of_all_frames_until_then(speech: np.ndarray) -> None:
    plain = features(CRNNFeatureExtractor(normalization=None, dynamic_range=None), speech)[0]
    running = features(CRNNFeatureExtractor(normalization="running_band_mean", dynamic_range=None), speech)[0]
    for frame in (0, 1, 50, len(plain) - 1):
        torch.testing.assert_close(running[frame], plain[frame] - plain[: frame + 1].mean(0), atol=1e-4, rtol=0)


def test_with_a_running_mean_no_frame_depends_on_later_ones(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor(normalization="running_band_mean", dynamic_range=20.0)
    whole = features(extractor, speech)[0]
    for samples in (8_000, 16_001):
        part = features(extractor, speech[:samples])[0]
        torch.testing.assert_close(part, whole[: len(part)], atol=1e-5, rtol=0)


@pytest.mark.parametrize("normalization", ["band_mean", "running_band_mean", "clip_mean_std", None])
def test_digital_silence_is_finite(normalization: str | None) -> None:
    assert features(CRNNFeatureExtractor(normalization=normalization), np.zeros(RATE, np.float32)).isfinite().all()


def test_fixed_size(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor(max_frames=100)
    batch = extractor([speech, speech[:8_000]], sampling_rate=RATE, return_tensors="pt")
    assert batch["input_features"].shape == (2, 100, 80)
    assert batch["attention_mask"].sum(1).tolist() == [100, 47]
    # What is cut does not take part in the normalisation.
    alone = features(CRNNFeatureExtractor(), speech[: 512 + 99 * 160])
    torch.testing.assert_close(batch["input_features"][:1], alone, atol=1e-5, rtol=0)
    # A call can still have it otherwise.
    assert features(extractor, speech, padding=True, truncation=False).shape == (1, 197, 80)


def test_padding_as_everywhere_in_transformers(speech: np.ndarray) -> None:
    extractor, clips = CRNNFeatureExtractor(), [speech, speech[:8_000]]
    assert features(extractor, clips, padding="max_length", max_length=250).shape == (2, 250, 80)
    assert features(extractor, clips, padding="max_length", max_length=60, truncation=True).shape == (2, 60, 80)
    assert features(extractor, clips, pad_to_multiple_of=64).shape == (2, 256, 80)
    unpadded = extractor(clips, sampling_rate=RATE, padding=False)["input_features"]
    assert [clip.shape for clip in unpadded] == [(197, 80), (47, 80)]
    assert "attention_mask" not in extractor(clips, sampling_rate=RATE, return_attention_mask=False)


def test_long_clips_are_transformed_in_blocks(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor(normalization=None, dynamic_range=None)
    long = np.tile(speech, 11)
    whole = features(extractor, long)[0]
    assert len(whole) > 2048  # more than two blocks
    start = 1_500
    part = features(extractor, long[160 * start : 160 * start + 512 + 160 * 99])[0]
    torch.testing.assert_close(whole[start : start + 100], part, atol=1e-4, rtol=0)


def test_a_saved_extractor_comes_back(tmp_path: Path, speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor.reference(f_max=7000.0)
    extractor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert (saved["num_mel_bins"], saved["n_fft"], saved["hop_length"], saved["max_frames"]) == (128, 1024, 512, 200)
    again = CRNNFeatureExtractor.from_pretrained(tmp_path)
    assert again.to_dict() == extractor.to_dict()
    torch.testing.assert_close(features(again, speech), features(extractor, speech))


def test_reference_has_128_bands_and_200_frames(speech: np.ndarray) -> None:
    assert features(CRNNFeatureExtractor.reference(), speech).shape == (1, 200, 128)


GOOD = np.zeros(RATE, np.float32)
NOT_FINITE = np.array([0.1] * 700 + [np.nan] + [np.inf] * 2, np.float32)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([GOOD, GOOD[:0]], "clip 1 is empty"),
        ([GOOD, GOOD, GOOD[:511]], r"clip 2 has 511 samples, less than one frame; expected at least 512 \(32 ms\)"),
        ([GOOD, NOT_FINITE], "clip 1 has 3 samples that are not finite numbers, the first at 700: nan"),
        ([np.zeros((2, RATE))], r"clip 0 has shape \(2, 16000\); expected one channel"),
        (np.zeros((3, 2, RATE)), r"clip 0 has shape \(2, 16000\); expected one channel"),
        ([GOOD, np.zeros(RATE, np.int32)], "clip 1 has samples of type torch.int32; expected floats"),
        ([[0.0] * 600, ["a"] * 600], "clip 1 is not a waveform"),
        ([GOOD, None], "clip 1 is not a waveform"),
        ([], "found an empty list"),
        (np.zeros((RATE, 2)), r"shape \(16000, 2\), which looks like one clip of 2 channels"),
        ("speech.wav", "found str"),
        (0.5, "found float"),
    ],
)
def test_bad_clips_are_refused_by_index(clips: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CRNNFeatureExtractor()(clips, sampling_rate=RATE)


@pytest.mark.parametrize("options", [{}, {"pad_to_multiple_of": 64}, {"max_length": 50, "truncation": True}])
def test_waveforms_come_with_the_frames_that_they_lie_under(speech: np.ndarray, options: dict[str, Any]) -> None:
    extractor = CRNNFeatureExtractor(return_waveform=True)
    clips = [speech[:9_999], (2 + speech[:5_000]).astype(np.float64)]
    batch = extractor(clips, sampling_rate=16_000, return_tensors="pt", **options)
    plain = CRNNFeatureExtractor()(clips, sampling_rate=16_000, return_tensors="pt", **options)
    assert set(plain) == {"input_features", "attention_mask"}
    assert batch["input_features"].equal(plain["input_features"])
    assert batch["input_values"].shape == (2, 512 + (batch["input_features"].shape[1] - 1) * 160)
    for values, mask in zip(batch["input_values"], batch["attention_mask"], strict=True):
        samples = 512 + (int(mask.sum()) - 1) * 160
        assert float(values[:samples].mean()) == pytest.approx(0, abs=1e-5)
        assert float(values[:samples].std()) == pytest.approx(1, abs=1e-3)
        assert not values[samples:].any()


def test_waveforms_keep_their_lengths_without_padding(speech: np.ndarray) -> None:
    extractor = CRNNFeatureExtractor(return_waveform=True)
    batch = extractor([speech[:9_999], speech[:5_000]], sampling_rate=16_000, padding=False)
    for features, values in zip(batch["input_features"], batch["input_values"], strict=True):
        assert values.shape == (512 + (len(features) - 1) * 160,)


def test_another_sampling_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="44100 Hz; expected 16000 Hz"):
        CRNNFeatureExtractor()(GOOD, sampling_rate=44_100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_mel_bins": -1}, "num_mel_bins"),
        ({"num_mel_bins": 0}, "num_mel_bins"),
        ({"f_min": "20"}, "f_min must be a number; found '20'"),
        ({"dynamic_range": "80"}, "dynamic_range must be a number"),
        ({"padding_value": None}, "padding_value must be a number"),
        ({"return_contrast": "no"}, "return_contrast must be true or false; found 'no'"),
        ({"num_mel_bins": 40, "feature_size": 80}, "feature_size is another name of num_mel_bins"),
        ({"n_fft": 1}, "n_fft"),
        ({"hop_length": 0}, "hop_length"),
        ({"sampling_rate": 16000.0}, "sampling_rate"),
        ({"max_frames": 0}, "max_frames"),
        ({"f_min": 9000.0}, "f_min and f_max"),
        ({"f_max": 9000.0}, "f_min and f_max"),
        ({"mel_scale": "bark"}, "mel_scale"),
        ({"normalization": "z"}, "normalization"),
        ({"return_waveform": "yes"}, "return_waveform"),
        ({"dynamic_range": 0.0}, "dynamic_range"),
        ({"padding_side": "left"}, "padding_side"),
    ],
)
def test_impossible_arguments_are_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CRNNFeatureExtractor(**arguments)
