"""A live recording has, step by step, the verdict that the same audio has as a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification, DeepfakeDetectionPipeline
from crnn_hf.audio import resample
from crnn_hf.inference import StreamingDetector, StreamVerdict, load_detector

RATE = 16_000


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    """Twelve seconds of noise that changes, with a pause; at 16 kHz."""
    rng = np.random.default_rng(3)
    time = np.arange(12 * RATE) / RATE
    noise = np.cumsum(rng.standard_normal(len(time))) * 0.002 + rng.standard_normal(len(time)) * 0.05
    return (noise * (1.1 + np.sin(time * 3)) * np.where((time > 5) & (time < 6.2), 1e-3, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def looking_back() -> tuple[CRNNForAudioClassification, CRNNFeatureExtractor]:
    torch.manual_seed(0)
    config = CRNNConfig(conv_channels=[4, 8, 8], hidden_size=8, bidirectional=False, num_hidden_layers=2)
    return CRNNForAudioClassification(config).eval(), CRNNFeatureExtractor(normalization="running_band_mean")


def score_of(model: Any, extractor: Any, waveform: np.ndarray) -> float:
    with torch.no_grad():
        logits = model(**extractor(waveform, sampling_rate=RATE, return_tensors="pt")).logits[0]
    return float(logits[0] - logits[1])


@pytest.mark.parametrize("chunk", [370, 1_600, 8_000, 50_000, 192_000])
def test_windows_say_what_the_pipeline_says(tiny_detector: Path, audio: np.ndarray, chunk: int) -> None:
    model, extractor = load_detector(tiny_detector)
    stream = StreamingDetector(model, extractor)
    assert not stream.is_exact
    pipeline = DeepfakeDetectionPipeline(model=model, feature_extractor=extractor)
    checked = 0
    for stop in range(chunk, len(audio) + 1, chunk):
        found = stream.push(audio[stop - chunk : stop])
        steps = stop // 8_000
        assert found.seconds == steps / 2
        if steps and steps > checked and steps % 5 in (0, 1, 4):
            checked = steps
            expected = pipeline(audio[: steps * 8_000])
            assert found.score == pytest.approx(expected["score"], abs=1.5e-4)
            assert found.label == expected["label"]
            assert found.sounding == pytest.approx(expected["sounding"], abs=1e-6)
            latest = audio[max(0, steps * 8_000 - 2 * RATE) : steps * 8_000]
            assert found.latest == pytest.approx(score_of(model, extractor, latest), abs=1e-4)
    assert checked


@pytest.mark.parametrize("chunk", [370, 1_600, 8_000, 50_000, 192_000])
@pytest.mark.parametrize("pooling", ["mean", "attentive_statistics"])
def test_states_that_are_carried_say_what_the_model_says_of_the_whole(
    audio: np.ndarray, chunk: int, pooling: str
) -> None:
    torch.manual_seed(0)
    config = CRNNConfig(conv_channels=[4, 8, 8], hidden_size=8, bidirectional=False, pooling=pooling)
    config.calibration = {"scale": 2.0, "offset": 0.3, "thresholds": [], "abstain": [-1e6, 1e6]}
    model = CRNNForAudioClassification(config).eval()
    extractor = CRNNFeatureExtractor(normalization="running_band_mean")
    stream = StreamingDetector(model, extractor)
    assert stream.is_exact
    for stop in range(chunk, len(audio) + 1, chunk):
        found = stream.push(audio[stop - chunk : stop])
        steps = stop // 8_000
        if steps in (1, 2, 7, 13, 24):
            assert found.score == pytest.approx(score_of(model, extractor, audio[: steps * 8_000]), abs=1e-4)
    assert found.seconds == len(audio) // chunk * chunk // 8_000 / 2
    assert found.label == "unsure"


@pytest.mark.parametrize("samples", [600, 5_000, 20_000, 32_000, 47_321, 100_001, 150_000])
def test_in_the_end_windows_say_what_the_pipeline_says_of_the_file(
    tiny_detector: Path, audio: np.ndarray, samples: int
) -> None:
    model, extractor = load_detector(tiny_detector)
    stream = StreamingDetector(model, extractor)
    pipeline = DeepfakeDetectionPipeline(model=model, feature_extractor=extractor)
    for begin in range(0, samples, 7_000):
        stream.push(audio[begin : min(samples, begin + 7_000)])
    found, expected = stream.end(), pipeline(audio[:samples])
    assert found.score == pytest.approx(expected["score"], abs=1e-4)
    assert found.label == expected["label"]
    assert found.seconds == samples / RATE
    assert found.sounding == pytest.approx(expected["sounding"], abs=0.02)


@pytest.mark.parametrize("samples", [512, 5_000, 47_321, 100_001])
def test_in_the_end_carried_states_say_what_the_model_says(
    looking_back: tuple, audio: np.ndarray, samples: int
) -> None:
    stream = StreamingDetector(*looking_back)
    for begin in range(0, samples, 7_000):
        stream.push(audio[begin : min(samples, begin + 7_000)])
    found = stream.end()
    assert found.score == pytest.approx(score_of(*looking_back, audio[:samples]), abs=1e-4)
    assert found.seconds == samples / RATE


@pytest.mark.parametrize("kind", ["windows", "carried"])
def test_after_the_end_another_recording_begins(
    kind: str, tiny_detector: Path, looking_back: tuple, audio: np.ndarray
) -> None:
    stream = StreamingDetector(*(looking_back if kind == "carried" else load_detector(tiny_detector)))
    nothing = StreamVerdict("unsure", None, None, None, 0.0, 0.0)
    assert stream.end() == nothing
    stream.push(audio[:20_000])
    first = stream.end()
    stream.push(audio[:100])
    assert stream.end().score is None
    stream.push(audio[:20_000])
    assert stream.end() == first


def test_the_end_of_a_recording_at_another_rate(looking_back: tuple, audio: np.ndarray) -> None:
    stream = StreamingDetector(*looking_back, sampling_rate=44_100)
    stream.push(audio[:61_234])
    found = stream.end()
    expected = resample(audio[:61_234], 44_100, RATE)
    assert found.seconds == len(expected) / RATE
    assert found.score == pytest.approx(score_of(*looking_back, expected), abs=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"downsampling": "max_pool"},
        {"num_time_halvings": 1},
        {"conv_kernel_size": 5},
        {"classifier_proj_size": 4},
        {"loss": "am_softmax"},
    ],
)
def test_whatever_the_network_is_like(audio: np.ndarray, changes: dict[str, Any]) -> None:
    torch.manual_seed(1)
    config = CRNNConfig(**{"conv_channels": [4, 8, 8], "hidden_size": 8, "bidirectional": False, **changes})
    model = CRNNForAudioClassification(config).eval()
    extractor = CRNNFeatureExtractor(normalization=None, dynamic_range=None)
    stream = StreamingDetector(model, extractor, step=0.25)
    for stop in range(4_000, 60_000, 4_000):
        found = stream.push(audio[stop - 4_000 : stop])
        assert found.score == pytest.approx(score_of(model, extractor, audio[:stop]), abs=1e-4)


def test_what_is_held_does_not_grow(looking_back: tuple, tiny_detector: Path, audio: np.ndarray) -> None:
    def held(value: Any, seen: set[int]) -> int:
        """Numbers in arrays and lists below a value."""
        if id(value) in seen or isinstance(value, torch.nn.Module):
            return 0
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            return value.size
        if isinstance(value, torch.Tensor):
            return value.numel()
        if isinstance(value, list | tuple):
            return len(value) + sum(held(item, seen) for item in value)
        return sum(held(item, seen) for item in vars(value).values()) if hasattr(value, "__dict__") else 0

    for detector in (looking_back, load_detector(tiny_detector)):
        stream = StreamingDetector(*detector)
        sizes = []
        for _ in range(4):
            stream.push(audio)
            sizes.append(held(stream._state, set()))
        assert sizes[0] == sizes[1] == sizes[3]


def test_other_rates_are_resampled(looking_back: tuple, audio: np.ndarray) -> None:
    at_44 = resample(audio, RATE, 44_100)
    stream = StreamingDetector(*looking_back, sampling_rate=44_100)
    for begin in range(0, len(at_44), 4_410):
        found = stream.push(at_44[begin : begin + 4_410])
    expected = resample(at_44, 44_100, RATE)[: int(found.seconds * RATE)]
    assert found.score == pytest.approx(score_of(*looking_back, expected), abs=1e-4)


@pytest.mark.parametrize("kind", ["carried", "windows"])
def test_many_streams_at_once(looking_back: tuple, tiny_detector: Path, audio: np.ndarray, kind: str) -> None:
    first = StreamingDetector(*(looking_back if kind == "carried" else load_detector(tiny_detector)))
    streams = [first, *(first.another() for _ in range(4))]
    alone = [first.another() for _ in streams]
    for begin in range(0, 6 * RATE, 5_000):
        chunks = [audio[begin + 900 * index :][: 5_000 + 100 * index] for index in range(5)]
        together = StreamingDetector.push_all(streams, chunks)
        for stream, chunk, found in zip(alone, chunks, together, strict=True):
            expected = stream.push(chunk)
            assert found.label == expected.label
            assert found.score == (None if expected.score is None else pytest.approx(expected.score, abs=1e-4))
    assert found.score is not None
    with pytest.raises(ValueError, match="streams of one model"):
        StreamingDetector.push_all([first, StreamingDetector(*load_detector(tiny_detector))], [audio, audio])


def test_reset_forgets(tiny_detector: Path, looking_back: tuple, audio: np.ndarray) -> None:
    for detector in (looking_back, load_detector(tiny_detector)):
        stream = StreamingDetector(*detector)
        first = stream.push(audio[: 3 * RATE])
        stream.reset()
        assert stream.push(audio[: 3 * RATE]) == first


def test_before_the_first_step_and_in_silence_nothing_is_said(tiny_detector: Path) -> None:
    stream = StreamingDetector.from_pretrained(tiny_detector)
    found = stream.push(np.zeros(7_999, np.int16))
    assert (found.label, found.score, found.seconds) == ("unsure", None, 0.0)
    assert stream.push([]).seconds == 0.0
    found = stream.push(np.zeros(3 * RATE, np.int16))
    assert (found.label, found.sounding) == ("unsure", 0.0)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.zeros((3, 2)), r"expected samples of one channel.*found \(3, 2\)"),
        (np.zeros(3, np.int32), "int32"),
        (np.array([0.0, np.inf]), "1 samples are not finite numbers, the first is 1"),
    ],
)
def test_bad_samples_are_refused_and_change_nothing(
    tiny_detector: Path, audio: np.ndarray, chunk: np.ndarray, message: str
) -> None:
    stream = StreamingDetector.from_pretrained(tiny_detector)
    before = stream.push(audio[:RATE])
    with pytest.raises(ValueError, match=message):
        stream.push(chunk)
    assert stream.push([]) == before


def test_impossible_settings_are_named(tiny_detector: Path) -> None:
    with pytest.raises(ValueError, match="expected step <= window"):
        StreamingDetector.from_pretrained(tiny_detector, step=3.0)
    with pytest.raises(ValueError, match="no threshold named"):
        StreamingDetector.from_pretrained(tiny_detector, threshold="x")
