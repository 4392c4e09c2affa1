"""What tells a vocoder's speech from real speech while the vocoder learns."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

SIZES = (256, 512, 1024)  # samples of the transforms whose magnitudes are looked at
PERIODS = (2, 5)  # samples, by which the waveform is folded
LIKENESS_WEIGHT = 2.0  # of what is heard, beside the verdict

# Of each discriminator, what its layers give, the verdict last.
Heard = list[list[torch.Tensor]]


class Discriminators(nn.Module):
    """Several, each of which hears something else.

    Of the magnitudes in transforms of several lengths, as W. Jang et al., "UnivNet", Interspeech 2021, and of the
    waveform folded by periods, as J. Kong et al., "HiFi-GAN", NeurIPS 2020; much smaller, for processors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList([*map(of_spectrum, SIZES), *map(of_period, PERIODS)])

    def forward(self, waveforms: torch.Tensor) -> Heard:
        """What each of them hears in waveforms, (batch, samples)."""
        return [one(waveforms) for one in self.each]


def mistakes(real: Heard, fake: Heard) -> torch.Tensor:
    """Least squares, for discriminators to learn: real speech is to get the verdict 1, fakes 0."""
    verdicts = [(of_real[-1], of_fake[-1]) for of_real, of_fake in zip(real, fake, strict=True)]
    return sum((of_real - 1).square().mean() + of_fake.square().mean() for of_real, of_fake in verdicts)


def criticism(real: Heard, fake: Heard) -> torch.Tensor:
    """How far fakes are from the verdict 1, and what is heard in them from what is heard in real speech."""
    total = torch.zeros((), device=fake[0][-1].device)
    for (*of_real, _), (*of_fake, verdict) in zip(real, fake, strict=True):
        unlike = [F.l1_loss(heard, expected.detach()) for heard, expected in zip(of_fake, of_real, strict=True)]
        total = total + (verdict - 1).square().mean() + LIKENESS_WEIGHT * torch.stack(unlike).mean()
    return total


class Discriminator(nn.Module):
    """Convolutions, each but the last followed by a rectifier; all that they give is returned, the verdict last.

    Args:
        look: from waveforms, (batch, samples), to what the first convolution takes.
        layers: the convolutions.
    """

    def __init__(self, look: Callable[[torch.Tensor], torch.Tensor], layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.look = look
        self.layers = nn.ModuleList(weight_norm(layer) for layer in layers)

    def forward(self, waveforms: torch.Tensor) -> list[torch.Tensor]:
        states, heard = self.look(waveforms), []
        for layer in self.layers[:-1]:
            states = F.leaky_relu(layer(states), 0.2)
            heard.append(states)
        return [*heard, self.layers[-1](states)]


def of_spectrum(size: int, channels: int = 64) -> Discriminator:
    """A discriminator that looks at `log_magnitude`, its bins as channels."""
    first = nn.Conv1d(size // 2 + 1, channels, 3, padding=1)
    inner = [nn.Conv1d(channels, channels, 5, padding=2) for _ in range(2)]
    return Discriminator(partial(log_magnitude, size=size), [first, *inner, nn.Conv1d(channels, 1, 3, padding=1)])


def of_period(period: int, channels: int = 16) -> Discriminator:
    """A discriminator that looks at what is `folded`, along time alone."""
    first = nn.Conv2d(1, channels, (5, 1), stride=(3, 1), padding=(2, 0))
    inner = [nn.Conv2d(count, 2 * count, (5, 1), stride=(3, 1), padding=(2, 0)) for count in (channels, 2 * channels)]
    last = nn.Conv2d(4 * channels, 1, (3, 1), padding=(1, 0))
    return Discriminator(partial(folded, period=period), [first, *inner, last])


def folded(waveforms: torch.Tensor, period: int) -> torch.Tensor:
    """(batch, samples) to (batch, 1, samples / period, period); what is left over is left out."""
    whole = waveforms.shape[1] // period * period
    return waveforms[:, :whole].reshape(len(waveforms), 1, -1, period)


def log_magnitude(waveforms: torch.Tensor, size: int) -> torch.Tensor:
    """The natural logarithm of `magnitude`, of the same shape."""
    return magnitude(waveforms, size, 1e-5).log()


def magnitude(waveforms: torch.Tensor, size: int, least: float) -> torch.Tensor:
    """(batch, samples) to the magnitude in each bin, (batch, size / 2 + 1, frames), a quarter of `size` apart."""
    window = torch.hann_window(size, device=waveforms.device)
    return torch.stft(waveforms, size, size // 4, window=window, return_complex=True).abs().clamp(min=least)
