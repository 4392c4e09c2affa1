#!/usr/bin/env python
"""Clips a second from tar to score in one process, beside what the model does where nothing is left to be read.

Three ways take the same clips in the same batches, in turns, and the ratios are those of the medians: the network
alone, on features that are ready; the whole detector, which hears waveforms in memory, features and second opinion
included, by as many workers as scoring has; and scoring from the corpus in the cache to a score file. The corpus is a
split in ASVspoof 5's layout, by default a generated one of 12-second clips, as long as those of train and dev.
`load_corpus` copies a tar into its cache the first time; how long that took is told apart, as it comes but once.

    .venv/bin/python scripts/benchmark_score.py [CORPUS --split validation] [--model MODEL]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import datasets
import torch
from benchmark_data import SECONDS, flac, write_corpus
from random_detectors import random_detector
from transformers.utils.logging import disable_progress_bar

from crnn_hf.data import ClipReader, Collator, load_corpus
from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.background import in_background, threads_each, usual_workers
from crnn_hf.inference.batches import scores_of
from crnn_hf.inference.bulk import score_to_file
from crnn_hf.inference.bulk.processes import processes


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def benchmark(options: argparse.Namespace, folder: Path) -> None:
    generated = options.corpus is None
    source = (
        write_corpus(folder, (flac(SECONDS, seed) for seed in range(options.clips))) if generated else options.corpus
    )
    begin = time.perf_counter()
    corpus = load_corpus(source, "train" if generated else options.split, first=options.first)
    loading = time.perf_counter() - begin
    model = options.model or random_detector(folder / "model")
    device = processes().device if options.backend == "torch" else torch.device("cpu")
    workers = usual_workers(device) if options.workers is None else options.workers
    threads = threads_each(workers) if device.type == "cpu" else 1
    detector, feature_extractor = load_backend(model, options.backend, device)
    of_workers, _ = load_backend(model, options.backend, device, threads)
    collate = Collator(feature_extractor, detector.config.label2id)
    clips = corpus.with_transform(ClipReader(feature_extractor.sampling_rate))
    starts = range(0, len(clips), options.batch_size)
    heard = [[clips[row] for row in range(start, min(start + options.batch_size, len(clips)))] for start in starts]
    ready = [collate(batch) for batch in heard]

    def network() -> None:
        with torch.inference_mode():
            for batch in ready:
                scores_of(detector, batch)

    def score(batch: dict[str, torch.Tensor]) -> None:
        with torch.inference_mode():
            scores_of(of_workers, batch)

    def whole_detector() -> None:
        # As `score_to_file` shares the work out.
        if device.type == "cpu":
            list(in_background(lambda batch: score(collate(batch)), heard, workers, threads))
        else:
            list(map(score, in_background(collate, heard, workers)))

    def in_bulk() -> None:
        settings = {"batch_size": options.batch_size, "backend": options.backend, "workers": options.workers}
        score_to_file(model, corpus, folder / "scores.tsv", overwrite=True, **settings)

    ways = {"network alone": network, "waveform to score": whole_detector, "cached tar to score": in_bulk}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds + 1):
        for name, way in ways.items():
            taken = seconds(way)
            if turn > 0:  # the first is to warm up
                times[name].append(taken)
    cores = len(os.sched_getaffinity(0))
    print(
        f"{len(corpus)} clips in batches of {options.batch_size}, {options.backend} on {detector.device}; "
        f"{cores} cores, of which PyTorch takes {torch.get_num_threads()}"
    )
    rates = {name: len(corpus) / median(taken) for name, taken in times.items()}
    for name, rate in rates.items():
        print(f"{name:20}{rate:9.1f} clips/s")
    print(f"{'tar to cache, once':20}{len(corpus) / loading:9.1f} clips/s, if it was not cached before")
    of_network, of_detector, _ = (rates["cached tar to score"] / rate for rate in rates.values())
    print(f"From cached tar to score at {of_network:.0%} of the network's rate, {of_detector:.0%} of the detector's.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--first", type=int)
    parser.add_argument("--model", help="folder or Hub name; default: the default architecture with random weights")
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--workers", type=int, help="default: as crnn-hf score has it")
    parser.add_argument("--clips", type=int, default=192, help="how many are generated; default: 192")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    datasets.disable_progress_bars()
    disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        datasets.config.HF_DATASETS_CACHE = Path(folder) / "cache"
        benchmark(options, Path(folder))


if __name__ == "__main__":
    main()
