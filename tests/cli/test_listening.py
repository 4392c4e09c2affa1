"""`crnn-hf listen` on raw PCM, through pipes, a terminal and Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from transformers import pipeline

from crnn_hf.cli import main
from crnn_hf.inference import DeepfakeDetectionPipeline

RATE = 16_000


@pytest.fixture(scope="module")
def detector(tiny_detector: Path) -> DeepfakeDetectionPipeline:
    return pipeline("audio-deepfake-detection", model=str(tiny_detector))


@pytest.fixture
def pcm(speech: np.ndarray) -> np.ndarray:
    """Six seconds and a half, int16 at 16 kHz."""
    return (np.concatenate([speech, 0.3 * speech, speech, speech])[: 13 * RATE // 2] * 32768).astype("<i2")


@pytest.fixture
def listen(tiny_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable:
    """Runs the command while pieces are written into its standard input; its status, and what it printed."""

    def run(pieces: list[bytes], *arguments: str) -> tuple[int, str, str]:
        reading, writing = os.pipe()

        def write() -> None:
            with os.fdopen(writing, "wb", buffering=0) as pipe:
                for piece in pieces:
                    try:
                        pipe.write(piece)
                    except BrokenPipeError:
                        return

        writer = threading.Thread(target=write)
        with os.fdopen(reading) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            writer.start()
            capsys.readouterr()
            status = main(["listen", "-", *arguments, "--model", str(tiny_detector)])
        writer.join()
        return status, *capsys.readouterr()

    return run


def started(model: Path, *arguments: str, **streams: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "crnn_hf.cli", "listen", "-", *arguments, "--model", str(model)]
    # A shell that starts tests in the background has them ignore Ctrl-C, and what they start does too.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, preexec_fn=heed, **streams)


def cut(content: bytes, sizes: list[int]) -> list[bytes]:
    """Pieces of these sizes, one after the other and again."""
    pieces, begin = [], 0
    while begin < len(content):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(content[begin : begin + size])
        begin += size
    return pieces


@pytest.mark.parametrize("sizes", [[1, 3, 9_999, 30_001], [10**9]], ids=["odd pieces", "all at once"])
def test_the_last_verdict_is_the_pipelines(
    detector: DeepfakeDetectionPipeline, pcm: np.ndarray, listen: Callable, sizes: list[int]
) -> None:
    status, out, err = listen(cut(pcm.tobytes(), sizes), "--json")
    *steps, last = [json.loads(line) for line in out.splitlines()]
    expected = detector(pcm)
    assert status == 0
    assert [found["seconds"] for found in steps] == [0.5 * step for step in range(1, 14)]
    assert [found["final"] for found in (*steps, last)] == [False] * 13 + [True]
    assert last["score"] == pytest.approx(expected["score"], abs=3e-4)
    assert (last["label"], last["seconds"]) == (expected["label"], 6.5)
    for found in steps[2::5]:
        assert found["score"] == pytest.approx(detector(pcm[: int(found["seconds"] * RATE)])["score"], abs=3e-4)
    assert "Listening to standard input: s16le, 16000 Hz, 1 channel." in err


def test_other_rates_and_channels(detector: DeepfakeDetectionPipeline, pcm: np.ndarray, listen: Callable) -> None:
    mono = np.repeat(pcm.astype("<f4") / 32768, 3)
    both = np.stack([1.5 * mono, 0.5 * mono], axis=1)
    status, out, _ = listen(
        cut(both.tobytes(), [11_111]), "--rate", "48000", "--format", "f32le", "--channels", "2", "--json"
    )
    last = json.loads(out.splitlines()[-1])
    expected = detector({"raw": mono, "sampling_rate": 48_000})
    assert status == 0
    assert last["seconds"] == expected["duration"] == 6.5
    assert last["score"] == pytest.approx(expected["score"], abs=3e-4)


def test_lines_for_people(pcm: np.ndarray, listen: Callable) -> None:
    status, out, err = listen([pcm.tobytes()[: 3 * RATE + 1]], "--threshold", "1000")
    lines = out.splitlines()
    assert status == 0
    assert [line.split()[:3] for line in lines[:-1]] == [
        ["0.5", "s", "unsure"],
        ["1.0", "s", "fake"],
        ["1.5", "s", "fake"],
    ]
    assert re.fullmatch(r"In the end: fake, score [+-]\d+\.\d\d, of 1\.5 s, 1\.\d s of them sound\.", lines[-1])
    assert "left out the last bytes of standard input: 1, less than a sample, which has 2" in err
    assert "not calibrated" in err


@pytest.mark.parametrize("size", [0, 1_000])
def test_hardly_anything(listen: Callable, size: int) -> None:
    assert listen([bytes(size)])[:2] == (0, "In the end: unsure; too little was heard to be judged.\n")


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt " * 99, [], "expected raw PCM; found WAV with a header"),
        (
            np.full(999, 20_000.0, "<f4").tobytes(),
            ["--format", "f32le"],
            "of full scale 1.0; found 20000: is it f32le",
        ),
        (np.full(999, np.nan, "<f4").tobytes(), ["--format", "f32le"], "of full scale 1.0; found nan"),
        (b"", ["--rate", "20"], "--rate: expected 1000 to 768000 Hz; found 20"),
        (b"", ["--channels", "0"], "--channels: expected at least 1; found 0"),
        (b"", ["--threshold", "nope"], "no threshold named 'nope'"),
        (b"", ["--backend", "onnx"], "crnn-hf export"),
    ],
)
def test_what_cannot_be_heard(listen: Callable, content: bytes, arguments: list[str], message: str) -> None:
    status, out, err = listen([content], *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_a_terminal_has_one_line_and_ctrl_c_ends_it(tiny_detector: Path, pcm: np.ndarray) -> None:
    controller, terminal = pty.openpty()
    process = started(tiny_detector, stdout=terminal, stderr=subprocess.PIPE)
    os.close(terminal)
    process.stdin.write(pcm[: 2 * RATE].tobytes())
    process.stdin.flush()  # and not closed: more could come
    shown = ""
    while "     2.0 s" not in shown:
        shown += os.read(controller, 4096).decode()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    shown += os.read(controller, 4096).decode()
    os.close(controller)
    redrawn, last = shown.rstrip().split("\r\n")
    assert [line.split()[0] for line in redrawn.split("\r\x1b[K")[1:]] == ["0.5", "1.0", "1.5", "2.0"]
    assert re.search(r"now real [█░#-]{20} fake", redrawn)
    assert re.fullmatch(r"In the end: (real|fake), score .*, of 2\.0 s, .* s of them sound\.", last)
    assert b"Traceback" not in process.stderr.read()
    process.stdin.close()
    process.stderr.close()


# What of the library `sounddevice` the microphone takes, with a microphone that hears a file.
STAND_IN = """
import threading
import numpy as np

class PortAudioError(Exception):
    pass

def query_devices(kind):
    if SAMPLES is None:
        raise PortAudioError("Error querying device -1")
    return {"name": "stand-in", "default_samplerate": 16000.0}

class Status:
    input_overflow = True

class InputStream:
    def __init__(self, samplerate, channels, dtype, callback, finished_callback):
        def record():
            for begin in range(0, len(SAMPLES), 161):
                callback(SAMPLES[begin : begin + 161, None], 161, None, Status())
            finished_callback()
        self.thread = threading.Thread(target=record)
    def __enter__(self):
        self.thread.start()
    def __exit__(self, *error):
        self.thread.join()
"""


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Puts a stand-in in the place of the library that records: no machine of the tests has a microphone."""

    def put(samples: np.ndarray | None) -> None:
        module = type(sys)("sounddevice")
        exec(STAND_IN, module.__dict__)
        module.SAMPLES = samples
        monkeypatch.setitem(sys.modules, "sounddevice", module)

    return put


def test_a_microphone(
    detector: DeepfakeDetectionPipeline,
    tiny_detector: Path,
    pcm: np.ndarray,
    sounddevice: Callable,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sounddevice(pcm.astype(np.float32) / 32768)
    assert main(["listen", "--model", str(tiny_detector), "--json"]) == 0
    out, err = capsys.readouterr()
    last = json.loads(out.splitlines()[-1])
    assert last["score"] == pytest.approx(detector(pcm)["score"], abs=3e-4)
    assert "Listening to the microphone: stand-in, 16000 Hz." in err
    assert "lost some of the microphone's sound, 646 times" in err


def test_no_microphone(
    tiny_detector: Path, sounddevice: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sounddevice(None)
    assert main(["listen", "--model", str(tiny_detector)]) == 2
    assert "no microphone found (Error querying device -1)" in capsys.readouterr().err
    assert main(["listen", "--model", str(tiny_detector), "--channels", "2"]) == 2
    assert "tell what comes on standard input" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["listen", "--model", str(tiny_detector)]) == 2
    assert "pip install crnn-hf[listen]" in capsys.readouterr().err


def test_no_portaudio(
    tiny_detector: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert main(["listen", "--model", str(tiny_detector)]) == 2
    assert "PortAudio library not found" in (err := capsys.readouterr().err)
    assert "apt install libportaudio2" in err
