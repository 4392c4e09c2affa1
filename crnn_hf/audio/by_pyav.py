"""Decoding with PyAV (FFmpeg's libraries): MP3, M4A, WebM, AMR, WMA, the sound of videos, and what else there is."""

from collections.abc import Iterator
from itertools import islice

import av
import numpy as np

from crnn_hf.audio.content import Content
from crnn_hf.audio.errors import Fault

# A playlist could have FFmpeg open other files or addresses. The content is handed over; it needs no protocol at all.
OPTIONS = {"protocol_whitelist": "none"}
# FFmpeg's names of the containers whose header states a duration. For the others (a bare stream of MP3, AAC, AC-3,
# AMR, or MPEG-TS) FFmpeg guesses one from the bitrate, which proves nothing.
STATE_DURATION = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "asf", "flac", "caf", "tta", "wv", "ape"})
# The codec's delay and the padding of its last packet may or may not be counted in that duration.
TOLERATED_FRAMES = 3
# A frame is a packet's worth of sound, 20 ms or so; what follows takes less time with longer pieces.
FRAMES_AT_ONCE = 32


def decoded(content: Content) -> Iterator[tuple[np.ndarray, int]]:
    """The best audio stream piece by piece, channels averaged, (samples,), float32; and the rate of each in Hz.

    Raises Fault for what FFmpeg does not know, holds no audio, does not decode from end to end, changes its sampling
    rate, or is shorter than it declares.
    """
    content.seek(0)
    try:
        container = av.open(content, metadata_errors="ignore", options=OPTIONS)
    except av.FFmpegError as error:
        raise Fault(
            f"no audio in a known format, nothing but a header, or a damaged one (it begins with {_head(content)})"
        ) from error
    with container:
        stream = container.streams.best("audio")
        if stream is None:
            kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            raise Fault(f"no audio stream in it (found: {kinds})")
        if stream.codec_context is None:
            raise Fault("its audio stream is in a codec that FFmpeg does not know")
        frames = _frames(container, stream)
        found, longest, rates = 0, 0, set()
        while batch := list(islice(frames, FRAMES_AT_ONCE)):
            rates.update(frame.sample_rate for frame in batch)
            if len(rates) > 1:
                raise Fault(f"its sampling rate changes on the way ({sorted(rates)} Hz); expected one")
            found += sum(frame.samples for frame in batch)
            longest = max(longest, *(frame.samples for frame in batch))
            yield _mono(batch), batch[0].sample_rate
        if found == 0:
            raise Fault("no samples in it: it is nothing but a header, or cut off within its first packet")
        _check_duration(_declared_seconds(container, stream), found, longest, *rates)


def _frames(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    """Each decoded frame. Raises Fault where one does not decode, or FFmpeg marks it as corrupt."""
    codec = stream.codec_context.name
    # Of plain PCM, FFmpeg so marks a last packet that is merely shorter than the others.
    is_pcm = codec.startswith("pcm_")
    try:
        for packet in container.demux(stream):
            for frame in packet.decode():
                if (packet.is_corrupt or frame.is_corrupt) and not is_pcm:
                    raise Fault(f"cut off or damaged: a corrupt packet in its {codec} stream")
                yield frame
    except av.FFmpegError as error:
        raise Fault(f"cut off or damaged: its {codec} stream does not decode") from error


# Values beyond float32 become infinite, and the mean of infinite ones no number: for others to find and name.
@np.errstate(over="ignore", invalid="ignore")
def _mono(frames: list[av.AudioFrame]) -> np.ndarray:
    """The samples of frames that follow one another, channels averaged, (samples,), float32."""
    return np.concatenate([_to_float(frame).mean(axis=0, dtype=np.float32) for frame in frames])


def _to_float(frame: av.AudioFrame) -> np.ndarray:
    """A frame's samples, (channels, samples), float32, integers scaled so that their full scale is 1.0.

    Raises Fault for 64-bit integers, of which PyAV makes no array.
    """
    try:
        values = frame.to_ndarray()
    except ValueError as error:
        raise Fault(f"its samples are of a kind that is not supported ({frame.format.name})") from error
    if not frame.format.is_planar:
        values = values.reshape(-1, len(frame.layout.channels)).T
    if values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    half_range = np.float32(2 ** (8 * values.dtype.itemsize - 1))
    return values.astype(np.float32) / half_range - (1 if values.dtype.kind == "u" else 0)


def _declared_seconds(container: av.container.InputContainer, stream: av.AudioStream) -> float | None:
    """How long the audio stream claims to be; None where nothing trustworthy says so."""
    if container.format.name not in STATE_DURATION:
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Next to a picture, the container's duration may be the picture's.
    alone = len(container.streams) == 1 and container.duration is not None
    return container.duration / av.time_base if alone else None


def _check_duration(declared: float | None, samples: int, longest_frame: int, rate: int) -> None:
    """Raises Fault where the samples fall short of the declared seconds by more than the tolerated frames."""
    if declared is not None and samples < declared * rate - TOLERATED_FRAMES * longest_frame:
        raise Fault(f"cut off or damaged: it declares {declared:.3f} s, {samples / rate:.3f} s decode")


def _head(content: Content) -> str:
    """The first bytes, for people."""
    return repr(content.at(0, 8))
