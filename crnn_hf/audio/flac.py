"""Waveforms out, as FLAC files."""

import io

import numpy as np
import soundfile

FULL_SCALE = 32_768  # steps of 16 bits from zero to 1.0


def as_flac(waveform: np.ndarray, sampling_rate: int, full_scale: int = FULL_SCALE) -> bytes:
    """A waveform as a mono FLAC file of 16 bits; what exceeds [-1, 1] is clipped.

    Args:
        waveform: (samples,), floats.
        sampling_rate: in Hz.
        full_scale: what a sample of 1.0 becomes. With 32768, which is cut to 32767 there, whatever was read from 16
            bits is written as it was; with 32767 nothing within [-1, 1] is cut.
    """
    pcm = np.round(waveform * full_scale).clip(-full_scale, min(full_scale, FULL_SCALE - 1)).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, pcm, sampling_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
