"""A waveform through a real codec and back, in this process."""

import io
import math
from dataclasses import dataclass
from functools import lru_cache

import av
import numpy as np
import soundfile

from crnn_hf.audio.resampling import resample

MOST_DELAY = 0.1  # seconds that a codec may shift the sound by
PACKET = 0.02  # seconds of sound that Opus and AMR put into one


@dataclass(frozen=True)
class Codec:
    """One setting of a lossy codec.

    Attributes:
        encoder: FFmpeg's name of it, such as "libopus".
        container: FFmpeg's name of the format to keep the stream in, such as "ogg".
        bit_rate: bits a second.
        sampling_rate: of the coded sound in Hz; nothing above half of it survives.
        options: of the encoder, names and values in FFmpeg's terms, such as `(("compression_level", "5"),)`.
    """

    encoder: str
    container: str
    bit_rate: int
    sampling_rate: int = 16_000
    options: tuple[tuple[str, str], ...] = ()


def has_encoder(encoder: str) -> bool:
    """Whether the installed PyAV has the encoder of that name."""
    try:
        return av.Codec(encoder, "w").is_encoder
    except av.codec.codec.UnknownCodecError:
        return False


def through_codec(waveform: np.ndarray, sampling_rate: int, codec: Codec) -> np.ndarray:
    """Encode and decode a waveform.

    Args:
        waveform: mono, (samples,), within [-1, 1]; what exceeds that is clipped.
        sampling_rate: of the waveform, in Hz.
        codec: to send it through.

    Returns:
        (samples,), float32, at the same rate, as long as before and in time with it.
    """
    if len(waveform) == 0:
        return np.zeros(0, np.float32)
    coded, delay = _coded(waveform, sampling_rate, codec), _delay(codec, sampling_rate)
    return coded[delay : delay + len(waveform)].copy()


def _coded(waveform: np.ndarray, sampling_rate: int, codec: Codec) -> np.ndarray:
    """A waveform encoded and decoded, float32: later by the codec's delay, and whole none the less."""
    waveform = resample(waveform, sampling_rate, codec.sampling_rate)
    # What the delay shifts out at the end would be lost. And libsndfile refuses one page of Opus that FFmpeg declares
    # to be longer than its packets, which happens where the last of them is not full.
    packets = math.ceil((len(waveform) / codec.sampling_rate + MOST_DELAY) / PACKET)
    waveform = np.pad(waveform, (0, round(packets * PACKET * codec.sampling_rate) - len(waveform)))
    return resample(*_decoded(_encoded(waveform, codec), codec), sampling_rate)


def _encoded(waveform: np.ndarray, codec: Codec) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = container.add_stream(
            codec.encoder, rate=codec.sampling_rate, layout="mono", options=dict(codec.options)
        )
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


def _decoded(content: bytes, codec: Codec) -> tuple[np.ndarray, int]:
    """The waveform, (samples,), float32, and its sampling rate.

    Nothing is checked as `read_audio` does, for this content comes from `_encoded`.
    """
    if codec.container == "ogg":
        # FFmpeg would decode Opus to 48 kHz, libsndfile does to the rate that was encoded.
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            # soundfile.read would seek first, which libsndfile's Opus does not survive unscathed.
            return file.read(file.frames, dtype="float32"), file.samplerate
    with av.open(io.BytesIO(content)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    if samples.dtype == np.int16:
        samples = samples.astype(np.float32) / 32768
    return samples, frames[0].sample_rate


@lru_cache(maxsize=1024)
def _delay(codec: Codec, sampling_rate: int) -> int:
    """By how many samples at a sampling rate the codec's sound comes later.

    It is the codec's own and the same for every waveform, so that it is measured only once, on a voice that glides
    from 90 to 350 Hz within a second: with neither a period nor a pause, it is like itself nowhere but in its place.
    """
    time = np.arange(sampling_rate) / sampling_rate
    phase = 2 * np.pi * (90 * time + 130 * time**2)
    voice = 0.1 * sum(np.sin(k * phase) / k for k in range(1, 21)).astype(np.float32)
    coded = _coded(voice, sampling_rate, codec)
    size = 1 << (len(voice) + len(coded) - 1).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(coded, size) * np.conj(np.fft.rfft(voice, size)), size)
    most = round(MOST_DELAY * sampling_rate)
    return int(np.argmax(likeness[: most + 1]))
