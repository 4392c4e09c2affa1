#!/usr/bin/env python
"""Clips a second from tar to batch on one core, beside two other ways, and the memory of a long stream.

The clips are 12 seconds of noise, as long as those of ASVspoof 5's train and dev; a batch holds a 4-second crop of
each, as features. All ways run in this process, in turns, with one thread; the ratio is that of the medians.

    .venv/bin/python scripts/benchmark_data.py
"""

import argparse
import io
import resource
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import datasets
import numpy as np
import soundfile
import torch
import torchaudio

from crnn_hf import CRNNConfig, CRNNFeatureExtractor
from crnn_hf.data import Clip, ClipReader, Collator, load_asvspoof5

RATE, SECONDS, CROP_SECONDS, BATCH = 16_000, 12, 4.0, 32


def flac(seconds: float, seed: int) -> bytes:
    """Noise whose level changes, so that it compresses about as speech does."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.02, round(RATE * seconds)) * (1 + np.sin(np.arange(round(RATE * seconds)) / 4_000))
    file = io.BytesIO()
    soundfile.write(file, noise, RATE, format="FLAC")
    return file.getvalue()


def write_corpus(directory: Path, clips: Iterable[bytes]) -> Path:
    """A train split in ASVspoof 5's layout."""
    lines = []
    with tarfile.open(directory / "flac_T_aa.tar", "w") as tar:
        for index, content in enumerate(clips):
            name = f"T_{index:010d}"
            member = tarfile.TarInfo(f"flac_T/{name}.flac")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            lines.append(f"T_0001 {name} F - - - - {'A01 spoof' if index % 2 else 'bonafide bonafide'} -\n")
    (directory / "ASVspoof5.train.tsv").write_text("".join(lines))
    return directory


def in_batches(clips: Iterable[Clip], collate: Collator) -> Iterator[dict[str, torch.Tensor]]:
    batch: list[Clip] = []
    for clip in clips:
        batch.append(clip)
        if len(batch) == BATCH:
            yield collate(batch)
            batch = []


def ours(corpus: Path, cache: Path, collate: Collator) -> Iterator[dict[str, torch.Tensor]]:
    reader = ClipReader(crop_seconds=CROP_SECONDS)
    dataset = load_asvspoof5(corpus, "train", cache_dir=cache).with_transform(reader)
    return in_batches((dataset[index] for index in range(len(dataset))), collate)


def ours_streamed(corpus: Path, cache: Path, collate: Collator) -> Iterator[dict[str, torch.Tensor]]:
    reader = ClipReader(crop_seconds=CROP_SECONDS)
    stream = load_asvspoof5(corpus, "train", streaming=True, cache_dir=cache)
    rows = ({name: [value] for name, value in row.items()} for row in stream)
    return in_batches(({name: value[0] for name, value in reader(row).items()} for row in rows), collate)


def by_webdataset(corpus: Path, cache: Path, collate: Collator) -> Iterator[dict[str, torch.Tensor]]:
    """The loader that `datasets` has for tars, each clip decoded whole, the same features."""
    features = datasets.Features({"flac": datasets.Value("binary"), "__key__": datasets.Value("string")})
    features["__url__"] = datasets.Value("string")
    files = {"train": str(corpus / "flac_T_aa.tar")}
    rows = datasets.load_dataset("webdataset", data_files=files, features=features, split="train", streaming=True)
    return in_batches((cropped(row["flac"]) for row in rows), collate)


def by_plain_loop(corpus: Path, cache: Path, collate: Collator) -> Iterator[torch.Tensor]:
    """tarfile, soundfile, torchaudio."""
    mel = torchaudio.transforms.MelSpectrogram(RATE, n_fft=512, hop_length=160, n_mels=80)
    batch = []
    with tarfile.open(corpus / "flac_T_aa.tar") as tar:
        for member in tar:
            batch.append(torch.from_numpy(cropped(tar.extractfile(member).read())["waveform"]))
            if len(batch) == BATCH:
                yield mel(torch.stack(batch)).clamp(min=1e-10).log()
                batch = []


def cropped(content: bytes) -> Clip:
    """A crop of a clip that was decoded whole."""
    waveform, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    start = int(torch.randint(len(waveform) - round(CROP_SECONDS * RATE) + 1, ()))
    return Clip(waveform=waveform[start : start + round(CROP_SECONDS * RATE)], label=0, utterance="")


def by_two_workers(corpus: Path, cache: Path, collate: Collator) -> Iterator[dict[str, torch.Tensor]]:
    """As training reads: PyTorch's loader, whose workers have one thread each."""
    reader = ClipReader(crop_seconds=CROP_SECONDS)
    dataset = load_asvspoof5(corpus, "train", cache_dir=cache).with_transform(reader)
    return iter(torch.utils.data.DataLoader(dataset, BATCH, num_workers=2, collate_fn=collate))


def seconds(batches: Iterator[object]) -> float:
    begin = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - begin


def compare(folder: Path, clips: int, rounds: int) -> None:
    corpus = write_corpus(folder, (flac(SECONDS, seed) for seed in range(clips)))
    collate = Collator(CRNNFeatureExtractor(), CRNNConfig().label2id)
    ways = {"ours": ours, "ours, streamed": ours_streamed, "webdataset": by_webdataset, "plain loop": by_plain_loop}
    ways["ours, 2 workers"] = by_two_workers
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            taken = seconds(way(corpus, folder / "cache", collate))
            if turn > 0:  # the first writes the cache
                times[name].append(taken)
    print(f"{'':16}{'clips/s':>9}{'ours / it':>11}")
    for name, taken in times.items():
        print(f"{name:16}{clips / median(taken):9.0f}{median(taken) / median(times['ours']):11.2f}")
    rate = clips / median(times["ours"])
    print(f"A batch of 256 in 100 ms takes {2560 / rate:.1f} such cores.")


def stream_memory(folder: Path, clips: int) -> None:
    corpus = write_corpus(folder, [flac(1.0, 0)] * clips)
    stream = iter(load_asvspoof5(corpus, "train", streaming=True))
    for _ in range(100):
        next(stream)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    left = sum(1 for _ in stream)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"A stream of {left + 100:,} clips raises peak memory by {(after - before) / 1024:.0f} MiB.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stream-clips", type=int, default=20_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        stream_memory(Path(first), options.stream_clips)
        compare(Path(second), options.clips, options.rounds)


if __name__ == "__main__":
    main()
