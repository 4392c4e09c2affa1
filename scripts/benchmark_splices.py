#!/usr/bin/env python
"""Whether a detector finds a fake stretch within real speech: how many of the stretches, and how exactly.

Each recording is real speech of several clips, with a stretch of 2 seconds or more of a fake clip put in, all made
equally loud; every second recording has none. With --remade the stretch is the recording's own, through a vocoder of
signal processing, so that voice, room and microphone stay: nothing but the vocoder can be heard. A stretch counts as
located if a fake segment begins and ends within half a second of it. Precision and recall are of located stretches
among the segments found and the stretches there are; the intervals are bootstrapped over recordings. Besides, how well
the steps of the timeline are told apart alone.

    .venv/bin/python scripts/benchmark_splices.py MODEL DATA [--split validation] [--recordings 200] [--remade]
"""

import argparse
from dataclasses import dataclass

import numpy as np

from crnn_hf.data import ClipReader, load_corpus
from crnn_hf.inference import DeepfakeDetectionPipeline
from crnn_hf.metrics import compute_cm_metrics
from crnn_hf.vocoding.vocoders import VOCODERS

RATE = 16_000
TOLERANCE = 0.5
LEVEL = 0.05
FADE = 160  # samples


@dataclass(frozen=True)
class Spliced:
    """A recording, and from when to when it is fake, in seconds; None where it is not."""

    waveform: np.ndarray
    fake: tuple[float, float] | None


def levelled(waveform: np.ndarray) -> np.ndarray:
    return waveform * np.float32(LEVEL / max(1e-6, float(np.sqrt(np.mean(np.square(waveform))))))


def real_speech(clips: list[np.ndarray], seconds: float, rng: np.random.Generator) -> np.ndarray:
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < seconds * RATE:
        pieces.append(clips[rng.integers(len(clips))])
    return np.concatenate(pieces)[: round(seconds * RATE)]


def splice(reals: list[np.ndarray], fakes: list[np.ndarray], has_fake: bool, rng: np.random.Generator) -> Spliced:
    before, after = (real_speech(reals, rng.uniform(4, 10), rng) for _ in range(2))
    if not has_fake:
        return Spliced(np.concatenate([before, after]), None)
    fake = fakes[rng.integers(len(fakes))]
    fake = fake[: round(rng.uniform(2, len(fake) / RATE) * RATE)]
    start = len(before) / RATE
    return Spliced(np.concatenate([before, fake, after]), (start, start + len(fake) / RATE))


def remake(reals: list[np.ndarray], has_fake: bool, rng: np.random.Generator) -> Spliced:
    recording = real_speech(reals, rng.uniform(12, 20), rng)
    if not has_fake:
        return Spliced(recording, None)
    length = round(rng.uniform(2, 4) * RATE)
    start = int(rng.integers(4 * RATE, len(recording) - length - 4 * RATE))
    stretch = slice(start, start + length)
    vocoder = VOCODERS[sorted(VOCODERS)[rng.integers(len(VOCODERS))]]
    fake = vocoder(recording[stretch], RATE, rng)
    share = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / FADE).astype(np.float32)
    recording[stretch] = share * fake + (1 - share) * recording[stretch]
    return Spliced(recording, (start / RATE, (start + length) / RATE))


def is_located(segment: dict, fake: tuple[float, float] | None) -> bool:
    if fake is None:
        return False
    return abs(segment["start"] - fake[0]) <= TOLERANCE and abs(segment["end"] - fake[1]) <= TOLERANCE


def shares(counts: np.ndarray) -> tuple[float, float]:
    """Precision and recall of (located, found, there) in each recording."""
    located, found, there = counts.sum(0)
    return located / max(found, 1), located / max(there, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--remade", action="store_true", help="stretches of the recordings themselves, vocoded")
    parser.add_argument("--window", type=float, default=2.0)
    parser.add_argument("--threshold", type=float, help="as crnn-hf detect; by default the calibration's")
    parser.add_argument("--backend", default="torch")
    options = parser.parse_args()
    clips = load_corpus(options.data, options.split).with_transform(ClipReader(RATE))
    by_label: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for clip in (clips[index] for index in range(len(clips))):
        if clip["label"] == 0 or len(clip["waveform"]) >= 2 * RATE:
            by_label[clip["label"]].append(levelled(clip["waveform"]))
    rng = np.random.default_rng(0)
    reals, fakes = by_label
    recordings = [
        remake(reals, index % 2 == 0, rng) if options.remade else splice(reals, fakes, index % 2 == 0, rng)
        for index in range(options.recordings)
    ]
    detector = DeepfakeDetectionPipeline.from_pretrained(options.model, backend=options.backend)
    settings = {"window": options.window, "threshold": options.threshold}
    results = detector([recording.waveform for recording in recordings], **settings)
    counts, scores, labels = [], [], []
    for recording, result in zip(recordings, results, strict=True):
        found = [segment for segment in result["segments"] if segment["label"] == "fake"]
        located = sum(is_located(segment, recording.fake) for segment in found)
        counts.append((located, len(found), recording.fake is not None))
        for index, score in enumerate(result["timeline"]["scores"]):
            middle = (index + 0.5) * result["timeline"]["step"]
            if score is not None:
                scores.append(score)
                labels.append(int(recording.fake is not None and recording.fake[0] <= middle < recording.fake[1]))
    table = np.array(counts)
    draws = np.array([shares(table[rng.integers(len(table), size=len(table))]) for _ in range(1000)])
    for index, name in enumerate(("precision", "recall")):
        low, high = np.quantile(draws[:, index], [0.025, 0.975])
        print(f"{name:10} {shares(table)[index]:.1%} ({low:.1%} to {high:.1%})")
    located, found, there = table.sum(0)
    print(f"{located} of {there} stretches located; {found} fake segments found, in {len(recordings)} recordings")
    whole = table[table[:, 2] == 0]
    print(f"{(whole[:, 1] > 0).mean():.1%} of recordings without a fake stretch have a fake segment")
    print(f"EER of the timeline's {len(scores)} steps alone: {compute_cm_metrics(scores, labels)['eer']:.1%}")


if __name__ == "__main__":
    main()
