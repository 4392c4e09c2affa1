#!/usr/bin/env python
"""Time and peak memory of transformers' stock pipeline on one long waveform, each length in a fresh process.

.venv/bin/python scripts/benchmark_long.py
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from transformers import pipeline

from crnn_hf import CRNNConfig, CRNNFeatureExtractor, CRNNForAudioClassification

RATE = 16_000


def classify(detector: Path, minutes: float) -> None:
    classifier = pipeline("audio-classification", model=str(detector))
    waveform = np.random.default_rng(0).standard_normal(round(60 * minutes * RATE), dtype=np.float32)
    waveform *= 0.1
    classifier(waveform[:RATE])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    classifier(waveform)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{minutes:9g}{seconds:10.2f}{60 * minutes / seconds:13.0f}{before / 1024:15.0f}{after / 1024:11.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[7.5, 15, 30, 60])
    parser.add_argument("--detector", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.detector is not None:
        classify(options.detector, *options.minutes)
        return
    with tempfile.TemporaryDirectory() as folder:
        CRNNForAudioClassification(CRNNConfig()).save_pretrained(folder)
        CRNNFeatureExtractor().save_pretrained(folder)
        print(f"{'minutes':>9}{'seconds':>10}{'x real time':>13}{'MiB before':>15}{'MiB peak':>11}", flush=True)
        for minutes in options.minutes:
            command = [sys.executable, __file__, "--detector", folder, "--minutes", str(minutes)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
