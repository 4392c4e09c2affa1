"""Discriminators learn to tell what they are shown, and each looks at what it says."""

import torch

from crnn_hf.vocoding.discriminators import Discriminators, criticism, folded, log_magnitude, magnitude, mistakes


def test_they_learn_to_tell_noise_from_tones() -> None:
    torch.manual_seed(0)
    discriminators = Discriminators()
    real, fake = torch.sin(torch.arange(8_000) / 5).repeat(2, 1), torch.randn(2, 8_000)
    optimizer = torch.optim.Adam(discriminators.parameters(), 1e-3)
    before = mistakes(discriminators(real), discriminators(fake))
    for _ in range(10):
        optimizer.zero_grad()
        mistakes(discriminators(real), discriminators(fake)).backward()
        optimizer.step()
    assert mistakes(discriminators(real), discriminators(fake)) < 0.5 * before
    assert criticism(discriminators(real), discriminators(real)) < criticism(
        discriminators(real), discriminators(fake)
    )


def test_criticism_is_of_the_fake_alone() -> None:
    torch.manual_seed(0)
    real, fake = (torch.randn(1, 8_000, requires_grad=True) for _ in range(2))
    discriminators = Discriminators()
    criticism(discriminators(real), discriminators(fake)).backward()
    assert real.grad is None
    assert fake.grad.abs().max() > 0


def test_what_they_look_at() -> None:
    waveforms = torch.arange(2 * 8_001.0).reshape(2, 8_001)
    found = folded(waveforms, 5)
    assert found.shape == (2, 1, 1_600, 5)
    assert torch.equal(found[0, 0, 1], torch.arange(5.0, 10.0))
    tone = torch.sin(torch.arange(8_000) * 2 * torch.pi * 32 / 512)[None]
    assert magnitude(tone, 512, 1e-5).mean(2).argmax() == 32
    assert log_magnitude(tone, 512).shape == (1, 257, 8_000 // 128 + 1)
