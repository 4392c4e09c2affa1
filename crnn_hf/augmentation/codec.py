"""What telephones, calls, messengers and streams do to speech: lossy codecs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crnn_hf.audio.coding import Codec, has_encoder, through_codec
from crnn_hf.augmentation.chain import Waveform
from crnn_hf.augmentation.settings import check_probability

# The encoders hurry: their defaults take up to twice as long, and gain less by it than by a step in bit rate. Only AAC
# below 32 kb/s is left at its default; its fast coder spoils much more there.
OPUS, MP3, AAC = (("compression_level", "5"),), (("compression_level", "7"),), (("aac_coder", "fast"),)
# In bits a second. AMR's are its eight modes; G.711 and G.722 have no others.
WIDE_OPUS = (6_000, 8_000, 12_000, 16_000, 24_000, 32_000)
NARROW_OPUS = (6_000, 8_000, 12_000, 16_000)
MUSIC = (16_000, 24_000, 32_000, 48_000, 64_000)
AMR = (4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200)

SETTINGS: dict[str, tuple[Codec, ...]] = {
    "opus": (
        *(Codec("libopus", "ogg", rate, 16_000, OPUS) for rate in WIDE_OPUS),
        *(Codec("libopus", "ogg", rate, 8_000, OPUS) for rate in NARROW_OPUS),
    ),
    "mp3": tuple(Codec("libmp3lame", "mp3", rate, 16_000, MP3) for rate in MUSIC),
    "aac": tuple(Codec("aac", "adts", rate, 16_000, AAC if rate >= 32_000 else ()) for rate in MUSIC),
    "amr": tuple(Codec("libopencore_amrnb", "amr", rate, 8_000) for rate in AMR),
    "g711": tuple(Codec(law, "wav", 64_000, 8_000) for law in ("pcm_alaw", "pcm_mulaw")),
    "g722": (Codec("g722", "wav", 64_000, 16_000),),
}


@dataclass(frozen=True)
class Coding:
    """Encode and decode a waveform with a real codec.

    The codec is drawn, then one of its settings, all equally likely:

    | name | codec | coded at | kb/s |
    |---|---|---|---|
    | `opus` | Opus, calls and voice messages | 16 kHz | 6, 8, 12, 16, 24, 32 |
    | | | 8 kHz | 6, 8, 12, 16 |
    | `mp3` | MPEG-2 layer III | 16 kHz | 16, 24, 32, 48, 64 |
    | `aac` | AAC-LC | 16 kHz | 16, 24, 32, 48, 64 |
    | `amr` | AMR narrowband, mobile telephones | 8 kHz | its modes: 4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2 |
    | `g711` | G.711, A-law and mu-law, telephones | 8 kHz | 64 |
    | `g722` | G.722, wideband telephones | 16 kHz | 64 |

    Nothing above half the rate at which it is coded survives. The result has the waveform's length and is in time with
    it; beyond [-1, 1], the waveform is clipped. Digital silence may come back as faint noise.

    Attributes:
        probability: how often it is applied, in [0, 1].
        codecs: names to draw from, of the table.

    Raises:
        ValueError: a setting that cannot be, or a codec whose encoder the installed PyAV lacks; the message names it.
    """

    probability: float = 0.3
    codecs: Sequence[str] = ("opus", "mp3", "aac", "amr", "g711", "g722")

    def __post_init__(self) -> None:
        check_probability(self.probability)
        if isinstance(self.codecs, str) or not isinstance(self.codecs, Sequence) or not self.codecs:
            raise ValueError(f"codecs must be a list of names, of {', '.join(SETTINGS)}; found {self.codecs!r}")
        for name in self.codecs:
            if name not in tuple(SETTINGS):
                raise ValueError(f"codecs must be of {', '.join(SETTINGS)}; found {name!r}")
            for encoder in sorted({codec.encoder for codec in SETTINGS[name]}):
                if not has_encoder(encoder):
                    raise ValueError(
                        f"codecs has {name!r}, whose encoder {encoder} the installed PyAV lacks: leave it out, or "
                        "install PyAV from its wheel"
                    )

    def __call__(self, waveform: Waveform, sampling_rate: int, rng: np.random.Generator) -> Waveform:
        """Code a waveform of shape (samples,), at a sampling rate in Hz, with a codec drawn from `rng`."""
        settings = SETTINGS[self.codecs[rng.integers(len(self.codecs))]]
        return through_codec(waveform, sampling_rate, settings[rng.integers(len(settings))])
