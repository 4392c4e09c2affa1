"""Discriminators learn to tell what they are shown, and each looks at what it says."""

import torch

from crnn_hf.vocoding.discriminators import Discriminators, OfPeriod, OfSpectrum, magnitude


def test_they_learn_to_tell_noise_from_tones() -> None:
    torch.manual_seed(0)
    discriminators = Discriminators()
    real, fake = torch.sin(torch.arange(8_000) / 5).repeat(2, 1), torch.randn(2, 8_000)
    optimizer = torch.optim.Adam(discriminators.parameters(), 1e-3)
    before = discriminators.loss(real, fake)
    for _ in range(10):
        optimizer.zero_grad()
        discriminators.loss(real, fake).backward()
        optimizer.step()
    assert discriminators.loss(real, fake) < 0.5 * before
    assert discriminators.criticism(real, real) < discriminators.criticism(real, fake)


def test_criticism_is_of_the_fake_alone() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(2, 1, 8_000, requires_grad=True)
    real, fake = real.detach().requires_grad_(), fake.detach().requires_grad_()
    Discriminators().criticism(real, fake).backward()
    assert real.grad is None
    assert fake.grad.abs().max() > 0


def test_what_they_look_at() -> None:
    waveforms = torch.arange(2 * 8_001.0).reshape(2, 8_001)
    folded = OfPeriod(5).looked_at(waveforms)
    assert folded.shape == (2, 1, 1_600, 5)
    assert torch.equal(folded[0, 0, 1], torch.arange(5.0, 10.0))
    tone = torch.sin(torch.arange(8_000) * 2 * torch.pi * 32 / 512)[None]
    assert magnitude(tone, 512, 1e-5).mean(2).argmax() == 32
    assert OfSpectrum(512).looked_at(tone).shape == (1, 257, 8_000 // 128 + 1)
