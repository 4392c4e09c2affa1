"""A neural vocoder learns from the real clips of training, before they are trained on.

What vocoders of signal processing leave in speech is not what the networks of speech synthesis leave, and a network
that another has trained on other speech is seldom at hand. This one is small, and learns for minutes instead of days;
what it makes is far from perfect speech, but imperfect in the same ways.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from crnn_hf.data import stretch_of
from crnn_hf.training.figures import labels_of
from crnn_hf.training.sampling import REAL
from crnn_hf.vocoding.discriminators import SIZES, Discriminators, criticism, magnitude, mistakes
from crnn_hf.vocoding.spectrum_vocoder import SpectrumVocoder, SpectrumVocoderConfig

FRAMES = 40  # of a clip that is heard at once: half a second
CLIPS = 8  # a batch
LEVELS = (0.1, 1.0)  # of a stretch's loudest sample
RATES = (1e-3, 5e-4)  # of learning, of the vocoder and of the discriminators
WARMUP = 200  # steps
ALONE = 0.3  # of the steps, before the discriminators join in: they would only tell noise from speech
MEL_WEIGHT, SPECTRUM_WEIGHT = 15.0, 2.0
STEEPEST = 10.0  # norm of the gradient


def learn_vocoder(
    rows: Dataset, output: Path, steps: int, *, seed: int, device: str | torch.device = "cpu", quiet: bool = False
) -> None:
    """Teach a vocoder to speak as the real clips do, and save it to a folder, as `NeuralVocoder` takes it.

    It learns to make, of a log-mel spectrogram, a waveform that has the same one, the same magnitudes in transforms of
    several lengths, and that discriminators, which learn meanwhile, take for the clip.

    Args:
        rows: with the columns of `crnn_hf.data.columns`; the real ones are listened to.
        output: the folder.
        steps: of learning, with batches of eight half seconds.
        seed: of the weights and the draws.
        device: where it learns.
        quiet: show no progress bar.

    Raises:
        ValueError: there are no real clips.
        AudioReadError: a clip cannot be read; the message names it.
    """
    real = np.flatnonzero(np.array(labels_of(rows)) == REAL)
    if not len(real):
        raise ValueError("there are no real clips of which a vocoder could learn to speak")
    with torch.random.fork_rng():  # what the detector draws does not depend on all this
        torch.manual_seed(seed)
        vocoder, discriminators = SpectrumVocoder(SpectrumVocoderConfig()).to(device), Discriminators().to(device)
    optimizer, of_discriminators = (
        torch.optim.AdamW(network.parameters(), rate, betas=(0.8, 0.99))
        for network, rate in zip((vocoder, discriminators), RATES, strict=True)
    )
    batches = stretches(rows.select(real), vocoder.config, np.random.default_rng(seed))
    for step in tqdm(range(steps), desc="Teaching a vocoder to speak", unit="step", disable=quiet):
        optimizer.param_groups[0]["lr"] = RATES[0] * min(1, (step + 1) / WARMUP) * (1 - step / steps)
        given = next(batches).to(device)
        spectrogram = vocoder.log_mel(given)
        said = vocoder(spectrogram)
        loss = MEL_WEIGHT * F.l1_loss(vocoder.log_mel(said), spectrogram)
        loss = loss + SPECTRUM_WEIGHT * spectral_loss(said, given)
        if step >= ALONE * steps:
            # Both learn from the same hearing, which is half the work of one for each.
            real, fake = discriminators(given), discriminators(said)
            mistakes(real, fake).backward(retain_graph=True, inputs=list(discriminators.parameters()))
            loss = loss + criticism(real, fake)
        loss.backward(inputs=list(vocoder.parameters()))
        nn.utils.clip_grad_norm_(vocoder.parameters(), STEEPEST)
        for one in (optimizer, of_discriminators):
            one.step()
            one.zero_grad()
    vocoder.save_pretrained(output)


def stretches(rows: Dataset, config: SpectrumVocoderConfig, rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """Batches of stretches of clips that are drawn, (CLIPS, samples), float32, at levels that are drawn."""
    samples = FRAMES * config.hop_length
    while True:
        batch = np.zeros((CLIPS, samples), np.float32)
        for place in range(CLIPS):
            audio = rows[int(rng.integers(len(rows)))]["audio"]
            waveform = stretch_of(audio, samples / config.sampling_rate, rng.random(), config.sampling_rate)
            peak = np.abs(waveform).max(initial=0)
            batch[place, : len(waveform)] = waveform * (rng.uniform(*LEVELS) / peak if peak > 0 else 1)
        yield torch.from_numpy(batch)


def spectral_loss(said: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """How far the magnitudes of waveforms are apart, as such and as logarithms, in transforms of several lengths."""
    losses = []
    for size in SIZES:
        of_said, of_given = magnitude(said, size, 1e-4), magnitude(given, size, 1e-4)
        losses.append((of_said - of_given).norm() / of_given.norm() + F.l1_loss(of_said.log(), of_given.log()))
    return torch.stack(losses).mean()
