"""Sound as it comes in: from a microphone, or as raw PCM on standard input."""

import os
import select
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

Chunks = Iterator[NDArray[np.float32]]

FORMATS = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}
# What a pipe holds is far less; of a file, some seconds at a time.
MOST_BYTES = 2**18
LONGEST_WAIT = 0.5  # seconds
# What recordings in files begin with, which raw PCM has no reason to.
HEADERS = {b"RIFF": "WAV", b"RF64": "WAV", b"fLaC": "FLAC", b"OggS": "Ogg", b"FORM": "AIFF", b"caff": "CAF"}
# 40 dB above full scale: integers or another format that are taken for floats, never sound.
LOUDEST = 100.0


@dataclass(frozen=True)
class LiveSound:
    """Sound that goes on.

    Attributes:
        name: for people.
        sampling_rate: in Hz.
        chunks: of any length, (samples,), float32, mono, as they come; ends where the sound does.
    """

    name: str
    sampling_rate: int
    chunks: Chunks


def standard_input(rate: int, form: str, channels: int) -> LiveSound:
    """Raw PCM on standard input, its channels interleaved.

    Args:
        rate: in Hz.
        form: one of `FORMATS`.
        channels: how many; they are averaged.

    Raises:
        ValueError: standard input is a terminal; later, what comes is a file with a header, or no sound.
    """
    if sys.stdin.isatty():
        raise ValueError("expected raw PCM on standard input, such as arecord's; found a terminal")
    name = f"standard input: {form}, {rate} Hz, {channels} channel{'s' if channels > 1 else ''}"
    return LiveSound(name, rate, pcm_chunks(sys.stdin.fileno(), form, channels))


def pcm_chunks(descriptor: int, form: str, channels: int) -> Chunks:
    """Whatever is there of a file or pipe, at each turn; what is less than a sample waits for its other bytes."""
    size = FORMATS[form].itemsize * channels
    head, rest = b"", b""
    while content := _read(descriptor):
        head = (head + content[:4])[:4]
        if head in HEADERS:
            raise ValueError(
                f"standard input: expected raw PCM; found {HEADERS[head]} with a header: for recordings there is "
                "crnn-hf detect -"
            )
        held = rest + content
        whole = len(held) - len(held) % size
        rest = held[whole:]
        yield _mono(np.frombuffer(held[:whole], FORMATS[form]), channels)
    if rest:
        print(
            f"crnn-hf: left out the last bytes of standard input: {len(rest)}, less than a sample, which has {size}",
            file=sys.stderr,
        )


def _read(descriptor: int) -> bytes:
    """What is there, once something is; nothing at the end.

    A Ctrl-C just before a read that waits would be heeded after it, which may be never: so none waits for long.
    """
    while not select.select([descriptor], [], [], LONGEST_WAIT)[0]:
        pass
    return os.read(descriptor, MOST_BYTES)


def _mono(values: NDArray[Any], channels: int) -> NDArray[np.float32]:
    """Interleaved values to (samples,), float32 of full scale 1.0, channels averaged."""
    samples = values.astype(np.float32) / 32768 if values.dtype.kind == "i" else values.astype(np.float32)
    if not (fits := np.abs(samples) <= LOUDEST).all():  # which no NaN does
        found = samples[fits.argmin()]
        raise ValueError(f"standard input: expected floats of full scale 1.0; found {found:g}: is it f32le?")
    return samples if channels == 1 else samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def microphone(rate: int | None = None) -> LiveSound:
    """The system's default microphone.

    Args:
        rate: in Hz; by default the microphone's own, as not every system resamples well.

    Raises:
        OSError: what it takes is not installed, or there is no microphone; later, it cannot be opened.
    """
    sounddevice = _sounddevice()
    try:
        device = sounddevice.query_devices(kind="input")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise OSError(f"no microphone found ({error}); raw PCM can be piped in: crnn-hf listen -") from error
    rate = rate or round(device["default_samplerate"])
    return LiveSound(f"the microphone: {device['name']}, {rate} Hz", rate, _microphone_chunks(sounddevice, rate))


def _microphone_chunks(sounddevice: Any, rate: int) -> Chunks:
    """What the microphone hears, kept while the detector is at work; ends where the microphone is taken away."""
    waiting: SimpleQueue[NDArray[np.float32] | None] = SimpleQueue()
    losses = 0

    def take(samples: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        nonlocal losses
        losses += bool(status.input_overflow)
        waiting.put(samples[:, 0].copy())

    settings = {"samplerate": rate, "channels": 1, "dtype": "float32"}
    try:
        with sounddevice.InputStream(**settings, callback=take, finished_callback=lambda: waiting.put(None)):
            while (samples := waiting.get()) is not None:
                yield samples
    except sounddevice.PortAudioError as error:
        raise OSError(f"the microphone cannot be opened: {error}") from error
    finally:
        if losses:
            print(f"crnn-hf: the system lost some of the microphone's sound, {losses} times", file=sys.stderr)


def _sounddevice() -> Any:
    """The library that records. Raises OSError, which says what to install."""
    try:
        import sounddevice
    except ImportError as error:
        raise OSError("the microphone takes sounddevice: pip install crnn-hf[listen]") from error
    except OSError as error:  # it is there, but not PortAudio, which its packages hold for Windows and macOS alone
        raise OSError(
            f"the microphone takes PortAudio ({error}): apt install libportaudio2, or as your system has it"
        ) from error
    return sounddevice
