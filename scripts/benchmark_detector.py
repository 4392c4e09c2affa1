#!/usr/bin/env python
"""How fast a detector is on this machine, from waveform to score; noted in its folder, where its model card reads it.

.venv/bin/python scripts/benchmark_detector.py runs/mine
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from crnn_hf.inference import BACKENDS, load_backend
from crnn_hf.inference.backends.doors import ONNX_FILES
from crnn_hf.inference.waveforms import score_waveforms

SECONDS = 4
BATCHES = (1, 8)
ROUNDS = 30


def milliseconds(model: Path, backend: str, batch: int) -> float:
    """Of a clip, from waveform to score: the median over calls."""
    detector, feature_extractor = load_backend(model, backend, "cpu")
    samples = SECONDS * feature_extractor.sampling_rate
    clips = list(np.random.default_rng(0).normal(0, 0.1, (batch, samples)).astype(np.float32))
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        score_waveforms(detector, feature_extractor, clips)
        times.append(time.perf_counter() - begin)
    return 1000 * median(times[3:]) / batch


def hardware() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{torch.get_num_threads()} of {os.cpu_count()} cores of {names[0] if names else platform.processor()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a detector")
    options = parser.parse_args()
    backends = [name for name in BACKENDS if name not in ONNX_FILES or (options.model / ONNX_FILES[name]).is_file()]
    measured = {
        f"a clip of {SECONDS} s, {backend}, {batch} at a time": milliseconds(options.model, backend, batch)
        for backend in backends
        for batch in BATCHES
    }
    record = {"hardware": hardware(), "milliseconds": measured}
    (options.model / "speed.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"On {record['hardware']}:")
    for what, value in measured.items():
        print(f"{what:40} {value:6.2f} ms")


if __name__ == "__main__":
    main()
