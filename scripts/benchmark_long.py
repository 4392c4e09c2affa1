#!/usr/bin/env python
"""Time and peak memory of judging one long file, decoded from FLAC as a stream, each length in a fresh process.

.venv/bin/python scripts/benchmark_long.py
.venv/bin/python scripts/benchmark_long.py --backends onnx --model runs/mine
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from random_detectors import random_detector

from crnn_hf.inference import DeepfakeDetectionPipeline
from crnn_hf.inference.backends import export_onnx

RATE = 16_000


def write_recording(path: Path, minutes: float) -> None:
    """Noise of changing level, minute by minute, so that making it takes no memory either."""
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for seconds in np.diff(np.append(np.arange(0, 60 * minutes, 60), 60 * minutes)):
            noise = rng.standard_normal(round(seconds * RATE), dtype=np.float32)
            file.write(noise * (0.05 + 0.04 * np.sin(np.arange(len(noise)) / 4_000)))


def mebibytes(what: str) -> float:
    """Memory of this process: what it has, VmRSS, or the most that it had, VmHWM. Linux alone tells."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def judge(model: Path, backend: str, recording: Path, minutes: float) -> None:
    detector = DeepfakeDetectionPipeline.from_pretrained(model, backend=backend)
    detector(np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32) * 0.1)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is that of loading
    before = mebibytes("VmRSS")
    begin = time.perf_counter()
    found = detector(str(recording))
    seconds = time.perf_counter() - begin
    more = mebibytes("VmHWM") - before
    assert abs(found["duration"] - 60 * minutes) < 1e-3
    rate = found["duration"] / seconds
    print(f"{backend:10}{minutes:9g}{seconds:10.2f}{rate:13.0f}{before:13.0f}{more:12.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[7.5, 15, 30, 60])
    parser.add_argument("--backends", nargs="+", default=["torch", "onnx"])
    parser.add_argument("--model", type=Path, help="a detector's folder; by default one with random weights is made")
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.recording is not None:
        judge(options.model, *options.backends, options.recording, *options.minutes)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.model is None:
            options.model = random_detector(folder / "model")
            if "onnx" in options.backends:
                export_onnx(options.model, options.model)
        print(
            f"{'backend':10}{'minutes':>9}{'seconds':>10}{'x real time':>13}{'MiB before':>13}{'MiB more':>12}",
            flush=True,
        )
        for minutes in options.minutes:
            recording = folder / f"{minutes:g}.flac"
            write_recording(recording, minutes)
            for backend in options.backends:
                command = [sys.executable, __file__, "--recording", recording, "--model", options.model]
                command += ["--backends", backend, "--minutes", str(minutes)]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            recording.unlink()


if __name__ == "__main__":
    main()
