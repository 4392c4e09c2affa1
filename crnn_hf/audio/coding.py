"""A waveform through a real codec and back, in this process."""

import io
from dataclasses import dataclass

import av
import numpy as np

from crnn_hf.audio.reading import read_audio
from crnn_hf.audio.resampling import resample

MOST_DELAY = 0.1  # seconds that a codec may shift the sound by


@dataclass(frozen=True)
class Codec:
    """One setting of a lossy codec.

    Attributes:
        encoder: FFmpeg's name of it, such as "libopus".
        container: FFmpeg's name of the format to keep the stream in, such as "ogg".
        bit_rate: bits a second.
        sampling_rate: of the coded sound in Hz; nothing above half of it survives.
    """

    encoder: str
    container: str
    bit_rate: int
    sampling_rate: int = 16_000


def through_codec(waveform: np.ndarray, sampling_rate: int, codec: Codec) -> np.ndarray:
    """Encode and decode a waveform.

    Args:
        waveform: mono, (samples,), within [-1, 1].
        sampling_rate: of the waveform, in Hz.
        codec: to send it through.

    Returns:
        (samples,), float32, at the same rate, as long as before and in time with it.
    """
    coded = read_audio(_encoded(resample(waveform, sampling_rate, codec.sampling_rate), codec), sampling_rate)
    delay = _delay(waveform, coded, round(MOST_DELAY * sampling_rate))
    coded = coded[delay:] if delay >= 0 else np.concatenate([np.zeros(-delay, np.float32), coded])
    return np.pad(coded[: len(waveform)], (0, max(0, len(waveform) - len(coded)))).astype(np.float32)


def _encoded(waveform: np.ndarray, codec: Codec) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(codec.encoder, rate=codec.sampling_rate, layout="mono")
        stream.bit_rate = codec.bit_rate
        pcm = np.clip(np.round(waveform * 32767), -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = codec.sampling_rate
        # The encoder says what form and how many samples at a time it takes.
        resampler = av.AudioResampler(stream.format, stream.layout, codec.sampling_rate, stream.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


def _delay(waveform: np.ndarray, coded: np.ndarray, most: int) -> int:
    """By how many samples the coded sound comes later, where both are most alike."""
    size = 1 << (len(waveform) + len(coded) - 1).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(coded, size) * np.conj(np.fft.rfft(waveform, size)), size)
    delays = np.arange(-most, most + 1)
    return int(delays[np.argmax(likeness[delays])])
