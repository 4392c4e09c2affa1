"""How much of a recording can be heard at all."""

import numpy as np
from numpy.typing import NDArray

# Frames as long as speech stays the same, without overlap.
FRAME_SECONDS = 0.02
# Quieter by more than the loudest that was heard so far, a frame is a pause: speech itself spans some 30 dB.
BELOW_LOUDEST = 40.0
# Rounding to 16 bits makes noise of -101 dB; below this there is nothing but such noise.
SILENCE = -85.0
# One click in a window does not make the rest of the recording a pause.
LOUDEST_PERCENTILE = 95


def levels(waveform: NDArray[np.float32], sampling_rate: int) -> NDArray[np.float32]:
    """The level of each whole frame of 20 ms without its mean, in dB below full scale; (frames,), at least one frame.

    A frame's level is that of its mean square; a sine at full scale has -3 dB, digital silence -200 dB.
    """
    size = max(1, min(len(waveform), round(FRAME_SECONDS * sampling_rate)))
    frames = waveform[: len(waveform) // size * size].reshape(-1, size)
    power = frames.var(axis=1, dtype=np.float64)
    return (10 * np.log10(np.maximum(power, 1e-20))).astype(np.float32)


class Loudness:
    """Tells sound from pauses, window by window, by what was heard until then; so a stream and a file are alike."""

    def __init__(self, loudest: float = -np.inf) -> None:
        self.loudest = loudest

    def sounding(self, frames: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which frames of a window sound, by their levels."""
        self.loudest = max(self.loudest, float(np.percentile(frames, LOUDEST_PERCENTILE)))
        return frames >= max(SILENCE, self.loudest - BELOW_LOUDEST)


def sounds_enough(sounding: NDArray[np.bool_], seconds: float, least: float) -> bool:
    """Whether a window is to be counted: it sounds for as long as the least, or for half of what is shorter than that.

    Args:
        sounding: which of its frames sound.
        seconds: how long it is.
        least: seconds of sound that a whole window must have.
    """
    return float(sounding.sum()) * FRAME_SECONDS >= min(least, seconds / 2)


def newest_sounding(sounding: NDArray[np.bool_], samples: int, sampling_rate: int) -> int:
    """How many of the frames that sound lie in a window's last so many samples, which no window before it had.

    Args:
        sounding: which of the window's whole frames sound, (frames,).
        samples: of the window, counted from its end; no more than it has.
        sampling_rate: in Hz.
    """
    frames = min(len(sounding), round(samples / (FRAME_SECONDS * sampling_rate)))
    return int(sounding[len(sounding) - frames :].sum())
