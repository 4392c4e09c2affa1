"""A recording's samples as they are decoded, piece by piece: what reading whole and reading in blocks share."""

from collections.abc import Iterator

import numpy as np

from crnn_hf.audio import by_pyav, by_soundfile, completeness
from crnn_hf.audio.content import Content
from crnn_hf.audio.errors import Fault

# No recorder runs slower or faster; a header outside of these is damaged.
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000


def decoded(content: Content) -> Iterator[tuple[np.ndarray, int]]:
    """The pieces of a recording's waveform in their order, and the sampling rate of each, which is the same for all.

    Yields:
        (samples,), float32, channels averaged, all of them finite; and their rate in Hz. There is at least one piece.

    Raises:
        Fault: before the first piece, where the container shows that the recording is empty, cut off, or no audio;
            later, where damage shows in decoding, samples are missing, or the sampling rate changes.
    """
    if content.size == 0:
        raise Fault("empty: 0 bytes")
    missing = completeness.shortfall(content)
    if missing is not None:
        raise Fault(missing)
    taken = 0
    for samples, rate in by_soundfile.decoded(content) or by_pyav.decoded(content):
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise Fault(f"a sampling rate of {rate} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE} Hz")
        finite = np.isfinite(samples)
        if not finite.all():
            at = int(finite.argmin())
            raise Fault(f"the sample {(taken + at) / rate:.3f} s in is not a finite number, but {samples[at]}")
        taken += len(samples)
        yield samples, rate
