"""Whatever is given for a recording: a verdict, one that says why it is none, or an AudioReadError. Nothing else."""

import io
import json
import math
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import matplotlib.image
import numpy as np
import pytest
import soundfile
from transformers import pipeline

from crnn_hf.audio import AudioReadError
from crnn_hf.inference import DeepfakeDetectionPipeline

RATE = 16_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
SECONDS_OF_A_TEST = 300  # where something hangs; all of them together take a few


@pytest.fixture(scope="module")
def detector(tiny_detector: Path) -> DeepfakeDetectionPipeline:
    return pipeline("audio-deepfake-detection", model=str(tiny_detector))


@pytest.fixture(autouse=True)
def _no_hanging() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TimeoutError(f"still not done after {SECONDS_OF_A_TEST} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_OF_A_TEST)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def by_libsndfile(samples: np.ndarray, form: str = "WAV", subtype: str | None = None, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(samples: np.ndarray, container: str, codec: str, with_pictures: bool = False) -> bytes:
    """`samples` at 16 kHz, perhaps beside half a second of grey pictures."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as output:
        sound = output.add_stream(codec, rate=RATE, layout="mono")
        if with_pictures:
            pictures = output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
            for _ in range(5):
                grey = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
                output.mux(pictures.encode(grey))
            output.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = RATE
        output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return file.getvalue()


def picture() -> bytes:
    file = io.BytesIO()
    matplotlib.image.imsave(file, np.eye(50), format="png")
    return file.getvalue()


def outcome(detector: DeepfakeDetectionPipeline, recording: Any) -> dict[str, Any] | str:
    """The checked result, or the message of an AudioReadError. Any other exception is a failure."""
    try:
        found = detector(recording)
    except AudioReadError as error:
        return str(error)
    json.dumps(found, allow_nan=False)
    assert found["label"] in ("real", "fake", "unsure")
    assert (found["label"] == "unsure") == bool(found["reason"])
    assert math.isfinite(found["score"])
    assert 0 <= found["sounding"] <= found["duration"]
    assert found["duration"] > 0
    parts = found["segments"]
    assert [part["start"] for part in parts] == [0.0, *(part["end"] for part in parts[:-1])]
    assert parts[-1]["end"] == found["duration"]
    assert len(found["timeline"]["scores"]) == max(1, math.ceil(found["duration"] / 0.5))
    return found


SOUND: dict[str, Callable[[], bytes]] = {
    "8-bit": lambda: by_libsndfile(TONE, subtype="PCM_U8"),
    "192 kHz": lambda: by_libsndfile(np.repeat(TONE, 12), rate=192_000, subtype="PCM_24"),
    "8 channels": lambda: by_libsndfile(np.tile(TONE[:, None], 8), form="WAVEX"),
    "8 channels of 192 kHz FLAC": lambda: by_libsndfile(
        np.tile(np.repeat(TONE, 12)[:, None], 8), "FLAC", "PCM_24", 192_000
    ),
    "video with sound": lambda: by_ffmpeg(TONE, "mp4", "aac", with_pictures=True),
    "square at full scale": lambda: by_libsndfile(np.sign(TONE + 1e-6), subtype="PCM_16"),
    "beyond full scale": lambda: by_libsndfile(TONE * 1e6, subtype="FLOAT"),
    "noise": lambda: by_libsndfile(np.random.default_rng(0).uniform(-1, 1, RATE)),
    "0.6 s": lambda: by_libsndfile(TONE[: 6 * RATE // 10]),
}
SILENT: dict[str, Callable[[], bytes]] = {
    "silence": lambda: by_libsndfile(np.zeros(5 * RATE)),
    "silence of one step": lambda: by_libsndfile(np.zeros(RATE // 2)),
    "DC": lambda: by_libsndfile(np.full(RATE, 0.7)),
    "DC at full scale": lambda: by_libsndfile(np.full(RATE, -1.0), subtype="PCM_16"),
    "the last bit": lambda: by_libsndfile(np.arange(RATE) % 2 / 32768, subtype="PCM_16"),
    "next to nothing": lambda: by_libsndfile(TONE * np.float32(1e-40), subtype="FLOAT"),
    "0.2 s of sound": lambda: by_libsndfile(TONE[: RATE // 5]),
    "one click": lambda: by_libsndfile(np.eye(1, 3 * RATE, RATE)[0]),
}
NO_SOUND: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty: 0 bytes"),
    "a header alone": (lambda: by_libsndfile(np.zeros(0)), "nothing but a header"),
    "one sample": (lambda: by_libsndfile(TONE[:1]), "has 1 samples, less than one frame"),
    "one sample of 192 kHz": (lambda: by_libsndfile(TONE[:1], rate=192_000), "has 1 samples, less than one frame"),
    "one NaN": (lambda: by_libsndfile(np.append(TONE, np.nan), subtype="FLOAT"), "2.000 s in is not a finite number"),
    "infinite": (lambda: by_libsndfile(np.full(RATE, np.inf), subtype="FLOAT"), "0.000 s in is not a finite number"),
    "NaN in one channel": (
        lambda: by_libsndfile(np.stack([TONE, np.where(TONE == 0, np.nan, 0)], 1), subtype="DOUBLE"),
        "is not a finite number",
    ),
    "more than float32 holds": (
        lambda: by_libsndfile(TONE.astype(float) * 1e300, subtype="DOUBLE"),
        "is not a finite number",
    ),
    "its square is more": (lambda: by_libsndfile(TONE * 1e30, subtype="FLOAT"), "up to 5e+29; expected a full scale"),
    "text": (lambda: b"This is a text, not a recording.\n" * 99, "no audio in a known format"),
    "PNG": (picture, "no audio stream in it (found: video)"),
    "zeros": (lambda: bytes(9_999), "no audio in a known format"),
    "compressed": (lambda: zlib.compress(by_libsndfile(TONE)), "no audio in a known format"),
    "text that begins as WAV": (lambda: b"RIFF----WAVE is how they begin, and so does this. " * 9, "cut off"),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_has_a_verdict(detector: DeepfakeDetectionPipeline, tmp_path: Path, name: str) -> None:
    content = SOUND[name]()
    (tmp_path / "recording.wav").write_bytes(content)
    found = outcome(detector, str(tmp_path / "recording.wav"))
    assert found["label"] in ("real", "fake")
    assert found["sounding"] > 0.5
    assert outcome(detector, content) == found


@pytest.mark.parametrize("name", SILENT)
def test_what_hardly_sounds_is_unsure_and_says_why(detector: DeepfakeDetectionPipeline, name: str) -> None:
    found = outcome(detector, SILENT[name]())
    assert found["label"] == "unsure"
    assert found["reason"].startswith("too little sounds: ")


@pytest.mark.parametrize("name", NO_SOUND)
def test_what_cannot_be_judged_says_why(detector: DeepfakeDetectionPipeline, tmp_path: Path, name: str) -> None:
    make, reason = NO_SOUND[name]
    path = tmp_path / "recording.wav"
    path.write_bytes(make())
    message = outcome(detector, str(path))
    assert isinstance(message, str)
    assert message.startswith(f"{path}: ")
    assert reason in message


def test_bad_ones_among_good_ones_stop_nobody(detector: DeepfakeDetectionPipeline) -> None:
    bad = [make() for make, _ in NO_SOUND.values()]
    good = [make() for make in SOUND.values()]
    mixed = [content for pair in zip(bad, good * 2, strict=False) for content in pair]
    found = detector(mixed, on_error="return", batch_size=5)
    assert ["error" in result for result in found] == [True, False] * len(bad)
    for result, content in zip(found[1::2], good, strict=False):
        assert result["score"] == pytest.approx(detector(content)["score"], abs=3e-4)


SHORT = TONE[: RATE // 5]
CUT: dict[str, Callable[[], bytes]] = {
    "wav": lambda: by_libsndfile(SHORT, subtype="PCM_16"),
    "flac": lambda: by_libsndfile(SHORT, "FLAC"),
    "mp3": lambda: by_ffmpeg(SHORT, "mp3", "libmp3lame"),
    "ogg vorbis": lambda: by_libsndfile(SHORT, "OGG", "VORBIS"),
    "ogg opus": lambda: by_libsndfile(SHORT, "OGG", "OPUS"),
    "m4a": lambda: by_ffmpeg(SHORT, "ipod", "aac"),
}


@pytest.mark.parametrize("name", CUT)
def test_cut_at_every_tenth_byte(
    detector: DeepfakeDetectionPipeline, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = CUT[name]()
    assert isinstance(outcome(detector, content), dict)
    capfd.readouterr()
    for size in range(0, len(content), 10):
        # No verdict either: each of these formats declares how long it is.
        assert isinstance(outcome(detector, content[:size]), str), f"cut at byte {size} of {len(content)}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CUT)
def test_wrong_bytes(detector: DeepfakeDetectionPipeline, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content = CUT[name]()
    for seed in range(40):
        generator = np.random.default_rng(seed)
        damaged = np.frombuffer(content, np.uint8).copy()
        places = generator.integers(len(content) if seed % 2 else min(200, len(content)), size=3)
        damaged[places] = generator.integers(256, size=3)
        outcome(detector, damaged.tobytes())
    assert capfd.readouterr() == ("", "")


def test_values_of_random_bits(detector: DeepfakeDetectionPipeline) -> None:
    """Floats of all sizes there are."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        bits = generator.integers(2**32, size=RATE, dtype=np.uint32).view(np.float32)
        values = np.where(np.isfinite(bits) & (np.abs(bits) < 10.0 ** generator.integers(-40, 40)), bits, 0)
        outcome(detector, by_libsndfile(values, subtype="FLOAT"))


@pytest.mark.parametrize("rate", ["16000", None, 0, -1, 22_050.5, math.nan, math.inf, 10**9])
def test_an_array_with_an_impossible_rate(detector: DeepfakeDetectionPipeline, rate: Any) -> None:
    with pytest.raises(ValueError, match="expected a sampling rate of 1000 to 768000 Hz; found "):
        detector({"array": TONE, "sampling_rate": rate})
