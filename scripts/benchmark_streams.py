#!/usr/bin/env python
"""What live streams cost: time to hear a second of each, and how long a push takes, in chunks of 100 ms.

All streams run in this process on one model, in turns by kind, and end their steps at the same moments, which is the
worst case. Below 1 in the column "share of real time" all streams are kept up with.

    .venv/bin/python scripts/benchmark_streams.py [--streams 1 50] [--seconds 20]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from random_detectors import random_detector
from transformers.utils.logging import disable_progress_bar

from crnn_hf.inference import StreamingDetector
from crnn_hf.inference.backends import export_onnx

RATE = 16_000
CHUNK = RATE // 10
KINDS = {
    "windows, PyTorch": ("crnn-asvspoof5", "torch"),
    "windows, ONNX": ("crnn-asvspoof5", "onnx"),
    "states carried, PyTorch": ("streaming", "torch"),
}


def pushes(stream: StreamingDetector, count: int, audio: np.ndarray) -> list[float]:
    """How long each push took, all streams together, in seconds."""
    streams = [stream.another() for _ in range(count)]
    durations = []
    for begin in range(0, len(audio) - CHUNK + 1, CHUNK):
        chunks = [np.roll(audio, 700 * index)[begin : begin + CHUNK] for index in range(count)]
        start = time.perf_counter()
        StreamingDetector.push_all(streams, chunks)
        durations.append(time.perf_counter() - start)
    return durations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    disable_progress_bar()
    audio = np.random.default_rng(0).normal(0, 0.1, round(options.seconds * RATE)).astype(np.float32)
    print(f"PyTorch with {torch.get_num_threads()} threads")
    print(f"{'':26}{'streams':>9}{'share of real time':>20}{'median push, ms':>17}{'longest push, ms':>18}")
    with tempfile.TemporaryDirectory() as name:
        for kind, (recipe, backend) in KINDS.items():
            folder = random_detector(Path(name) / kind, recipe)
            if backend == "onnx":
                export_onnx(folder, folder)
            stream = StreamingDetector.from_pretrained(folder, backend=backend)
            pushes(stream, 2, audio[: 3 * RATE])
            for count in options.streams:
                durations = np.array(pushes(stream, count, audio))
                share = durations.sum() / options.seconds
                due = durations[len(durations) // 4 :]
                print(
                    f"{kind:26}{count:9}{share:20.3f}{1000 * np.median(due):17.2f}{1000 * due.max():18.1f}", flush=True
                )


if __name__ == "__main__":
    main()
