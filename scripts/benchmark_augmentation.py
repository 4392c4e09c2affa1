#!/usr/bin/env python
"""What each augmentation and vocoder costs a clip of four seconds, on one core, beside the features of the same clip.

.venv/bin/python scripts/benchmark_augmentation.py
"""

import argparse
import time
from statistics import median

import numpy as np
import torch

from crnn_hf import CRNNFeatureExtractor
from crnn_hf.augmentation import KINDS
from crnn_hf.augmentation.examples import needs_no_files
from crnn_hf.data.embedded.corpus import TRAIN, make_clip, plan_clip
from crnn_hf.vocoding import VOCODERS

RATE, SECONDS = 16_000, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    voice = np.resize(make_clip(plan_clip(TRAIN, 0, 0), 0), RATE * SECONDS)
    extractor = CRNNFeatureExtractor()
    ways = {"(features)": lambda rng: extractor(voice, sampling_rate=RATE, return_tensors="pt")}
    for name, kind in KINDS.items():
        if needs_no_files(kind):
            augmentation = kind(probability=1.0)
            ways[name] = lambda rng, augmentation=augmentation: augmentation(voice, RATE, rng)
    for name, vocoder in VOCODERS.items():
        ways[name] = lambda rng, vocoder=vocoder: vocoder(voice, RATE, rng)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds + 1):
        for name, way in ways.items():
            rng = np.random.default_rng(turn)
            begin = time.perf_counter()
            way(rng)
            if turn > 0:  # the first fills caches
                times[name].append(time.perf_counter() - begin)
    features = median(times["(features)"])
    print(f"{'':20}{'ms a clip':>10}{'it / features':>15}")
    for name, taken in times.items():
        print(f"{name:20}{1000 * median(taken):10.2f}{median(taken) / features:15.2f}")


if __name__ == "__main__":
    main()
