"""A source-filter speech synthesiser: the "bona fide" half of the embedded corpus.

The speech is nonsense syllables, but it carries what a vocoder tends to lose: periods and amplitudes that wander from
cycle to cycle, breath that pulses with the glottis, formants that glide, bursts, frication, closures and pauses.

The chain is Fant's source-filter theory (*Acoustic Theory of Speech Production*, 1960), with the parts of D. H. Klatt,
"Software for a cascade/parallel formant synthesizer", JASA 67(3), 1980:

    glottal pulses + aspiration -> cascade of formant resonators -+
                                                                  +-> utterance -> room
    frication noise             -> one noise resonator -----------+

Everything is plain numpy.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crnn_hf.vocoding.short_time import Samples, hann, time_varying_filter

SAMPLING_RATE = 16_000
HOP = 128  # samples (8 ms) between two settings of a time-varying filter
BINS = 513  # frequencies from 0 to 8 kHz of a filter's response
OVERSAMPLING = 4  # of the glottal flow, whose kink at closure would alias
UTTERANCE_RMS = 0.05

# F1, F2, F3 in Hz of ten American English vowels, means over men: G. E. Peterson & H. L. Barney, "Control methods used
# in a study of the vowels", JASA 24(2), 1952, Table II. Keys are ARPAbet.
VOWELS = {
    "iy": (270, 2290, 3010),
    "ih": (390, 1990, 2550),
    "eh": (530, 1840, 2480),
    "ae": (660, 1720, 2410),
    "aa": (730, 1090, 2440),
    "ao": (570, 840, 2410),
    "uh": (440, 1020, 2240),
    "uw": (300, 870, 2240),
    "ah": (640, 1190, 2390),
    "er": (490, 1350, 1690),
}
NEUTRAL = (500, 1500, 2500)
# Above F3 the formants are those of a uniform tube of 17.5 cm, closed at the glottis: 500 Hz times 7, 9, ... (Fant).
UPPER_FORMANTS = (3500, 4500, 5500, 6500, 7500)
# First three: Klatt 1980, Table I. The upper ones widen with frequency, as radiation losses do.
BANDWIDTHS = (60, 80, 120, 200, 250, 350, 450, 550)
FEMALE_FORMANT_SCALE = 1.17  # mean ratio of the women's formants to the men's in Peterson & Barney 1952


@dataclass(frozen=True)
class Speaker:
    """One artificial speaker.

    Attributes:
        name: Speaker label, such as ``"T_0001"``.
        gender: ``"F"`` or ``"M"``.
        f0: Mean fundamental frequency in Hz.
        formant_scale: Factor on every formant; 1 is a vocal tract of 17.5 cm.
        breathiness: RMS of the aspiration noise relative to that of the voiced source.
        jitter: Standard deviation of a period relative to its length. Healthy voices stay below about 1 %.
        shimmer: Standard deviation of a cycle's amplitude relative to its mean. Healthy voices stay below about 4 %.
        open_quotient: Part of the cycle in which the glottis is open.
        tilt: Corner in Hz of the one-pole low-pass on the glottal source (Klatt's ``TL``).
        rate: Speaking rate relative to about 4.5 syllables a second.
        accent: Size of a pitch accent in semitones.
    """

    name: str
    gender: str
    f0: float
    formant_scale: float
    breathiness: float
    jitter: float
    shimmer: float
    open_quotient: float
    tilt: float
    rate: float
    accent: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech with constant targets; the gains are amplitudes, 1 being a stressed vowel's."""

    seconds: float
    formants: tuple[float, float, float] = NEUTRAL
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    noise_peak: float = 4000.0  # Hz, of the frication resonator
    noise_width: float = 2000.0  # Hz
    pitch: float = 0.0  # semitones above the speaker's mean


# Formants: Klatt 1980, Tables II and III. Durations follow D. H. Klatt, "Linguistic uses of segmental duration in
# English", JASA 59(5), 1976. Noise peaks: K. N. Stevens, *Acoustic Phonetics*, 1998, ch. 8. The pitch of obstruents is
# micro-prosody: F0 is higher after voiceless consonants and lower after voiced ones (Lehiste & Peterson, JASA 1961).
CONSONANTS: tuple[tuple[Segment, ...], ...] = (
    (Segment(0.07, (290, 610, 2150), voicing=0.6),),  # w
    (Segment(0.06, (260, 2070, 3020), voicing=0.6),),  # j
    (Segment(0.07, (310, 1060, 1380), voicing=0.6),),  # r
    (Segment(0.07, (310, 1050, 2880), voicing=0.6),),  # l
    (Segment(0.07, (250, 1270, 2130), voicing=0.4),),  # m
    (Segment(0.07, (250, 1340, 2470), voicing=0.4),),  # n
    (Segment(0.10, (340, 1100, 2080), frication=0.06, noise_peak=7000, noise_width=6000, pitch=1.0),),  # f
    (Segment(0.11, (320, 1390, 2530), frication=0.25, noise_peak=5800, noise_width=1500, pitch=1.0),),  # s
    (Segment(0.11, (300, 1840, 2750), frication=0.30, noise_peak=3000, noise_width=900, pitch=1.0),),  # sh
    (Segment(0.06, (500, 1500, 2500), aspiration=0.5, pitch=0.5),),  # h
    (
        Segment(0.07, (220, 1100, 2080), voicing=0.4, frication=0.04, noise_peak=7000, noise_width=6000, pitch=-0.5),
    ),  # v
    (
        Segment(0.08, (240, 1390, 2530), voicing=0.3, frication=0.15, noise_peak=5800, noise_width=1500, pitch=-0.5),
    ),  # z
    *(
        (
            Segment(0.06, (200, *place), voicing=0.08, pitch=-0.5),
            Segment(0.010, (200, *place), voicing=0.3, frication=0.3, noise_peak=peak, noise_width=2500),
        )
        for place, peak in (((1100, 2150), 1200), ((1600, 2600), 4000), ((1990, 2850), 2200))
    ),  # b d g
    *(
        (
            Segment(0.07, (400, *place)),
            Segment(0.012, (400, *place), frication=0.5, noise_peak=peak, noise_width=2500, pitch=1.0),
            Segment(0.035, (400, *place), aspiration=0.4, pitch=1.0),
        )
        for place, peak in (((1100, 2150), 1200), ((1600, 2600), 4000), ((1990, 2850), 2200))
    ),  # p t k
)


def draw_speaker(rng: np.random.Generator, name: str, gender: str) -> Speaker:
    """Draw a speaker of the given gender (``"F"`` or ``"M"``).

    The mean F0 is spread around 132 Hz (men) and 223 Hz (women), the means of Peterson & Barney 1952.

    Raises:
        ValueError: If ``gender`` is neither ``"F"`` nor ``"M"``.
    """
    if gender not in ("F", "M"):
        raise ValueError(f"gender must be 'F' or 'M', not {gender!r}")
    female = gender == "F"
    return Speaker(
        name=name,
        gender=gender,
        f0=(223 if female else 132) * 2 ** (rng.normal(0, 1.5) / 12),
        formant_scale=(FEMALE_FORMANT_SCALE if female else 1.0) * rng.uniform(0.94, 1.06),
        breathiness=rng.uniform(0.03, 0.15),
        jitter=rng.uniform(0.004, 0.010),
        shimmer=rng.uniform(0.02, 0.06),
        open_quotient=rng.uniform(0.5, 0.7),
        tilt=rng.uniform(1500, 4000),
        rate=rng.uniform(0.85, 1.2),
        accent=rng.uniform(1.5, 4.0),
    )


def resonator(frequency: NDArray, bandwidth: NDArray, bins: int) -> NDArray[np.complex64]:
    """Response (frames, bins) of Klatt's digital resonator with unit gain at 0 Hz (Klatt 1980, eq. 1 and 2).

    Args:
        frequency: Centre in Hz, shape (frames,), below 8000.
        bandwidth: -3 dB bandwidth in Hz, shape (frames,).
        bins: Frequencies from 0 to 8000 Hz.
    """
    radius = np.exp(-np.pi * bandwidth / SAMPLING_RATE)
    c = -(radius**2)
    b = 2 * radius * np.cos(2 * np.pi * frequency / SAMPLING_RATE)
    delay = np.exp(-1j * np.pi * np.linspace(0, 1, bins)).astype(np.complex64)
    b, c = b.astype(np.float32)[:, None], c.astype(np.float32)[:, None]
    return (1 - b - c) / (1 - b * delay - c * delay**2)


def draw_segments(speaker: Speaker, seconds: float, rng: np.random.Generator) -> list[Segment]:
    """Draw phrases of consonant-vowel(-consonant) syllables, parted by pauses, lasting ``seconds`` in all.

    In a phrase the pitch falls by five semitones (declination) and starts anew in the next; stressed vowels are
    longer, louder and carry a pitch accent.
    """
    segments: list[Segment] = []
    left = seconds
    while left > 0:
        phrase: list[Segment] = []
        for _ in range(rng.integers(4, 10)):
            phrase += _draw_syllable(speaker, rng)
        fall = np.linspace(2.5, -2.5, len(phrase))
        phrase = [replace(segment, pitch=segment.pitch + step) for segment, step in zip(phrase, fall, strict=True)]
        phrase.append(Segment(rng.uniform(0.1, 0.4)))
        segments += phrase
        left -= sum(segment.seconds for segment in phrase)
    return segments


def _draw_syllable(speaker: Speaker, rng: np.random.Generator) -> list[Segment]:
    stressed = rng.random() < 0.5
    vowel = list(VOWELS.values())[rng.integers(len(VOWELS))]
    # Unstressed vowels fall short of their target, towards the neutral tube (Lindblom, JASA 35(11), 1963).
    reach = 1.0 if stressed else 0.6
    syllable = [
        Segment(
            0.14 if stressed else 0.08,
            tuple(neutral + reach * (target - neutral) for target, neutral in zip(vowel, NEUTRAL, strict=True)),
            voicing=rng.uniform(0.8, 1.2) if stressed else rng.uniform(0.4, 0.8),
            pitch=speaker.accent * rng.uniform(0.5, 1.5) if stressed else 0.0,
        )
    ]
    if rng.random() < 0.85:
        syllable = [*CONSONANTS[rng.integers(len(CONSONANTS))], *syllable]
    if rng.random() < 0.35:
        syllable += CONSONANTS[rng.integers(len(CONSONANTS))]
    return [replace(part, seconds=part.seconds * rng.lognormal(0, 0.2) / speaker.rate) for part in syllable]


def _track(values: list[float], lengths: NDArray, at: NDArray, smoothing: float) -> NDArray:
    """Steps through ``values``, each ``lengths`` samples long, smoothed and read ``at`` evenly spaced samples."""
    steps = np.repeat(np.asarray(values, dtype=np.float32), lengths)[at]
    kernel = hann(max(2, round(smoothing * SAMPLING_RATE / (at[1] - at[0]) / 2) * 2))
    padded = np.pad(steps, len(kernel) // 2, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")[: len(at)]


def glottal_source(f0: NDArray, speaker: Speaker, rng: np.random.Generator) -> tuple[Samples, Samples]:
    """Derivative of the glottal flow, and the flow itself, for a contour of F0.

    The pulse is A. E. Rosenberg's trigonometric one ("Effect of glottal pulse shape on the quality of natural vowels",
    JASA 49(2), 1971), two thirds of the open phase opening and one third closing. Every cycle has its own length
    (jitter) and height (shimmer). The flow is drawn at four times the rate and cut at 8 kHz, against aliasing.

    Args:
        f0: Fundamental frequency in Hz, shape (samples,).
        speaker: Gives jitter, shimmer and open quotient.
        rng: Source of the irregularities.

    Returns:
        The flow derivative with an RMS of 1, and the flow between about 0 and 1, each of shape (samples,).
    """
    fine = np.repeat(f0 / (SAMPLING_RATE * OVERSAMPLING), OVERSAMPLING)
    start = rng.random()
    cycle = (start + np.cumsum(fine)).astype(np.int64)
    cycles = int(cycle[-1]) + 1
    phase = start + np.cumsum(fine * (1 + speaker.jitter * rng.standard_normal(cycles))[cycle])
    height = 1 + speaker.shimmer * rng.standard_normal(2 * cycles + 1)
    cycle = phase.astype(np.int64)
    phase = (phase - cycle).astype(np.float32)

    closing = speaker.open_quotient / 3
    opening = speaker.open_quotient - closing
    flow = np.where(
        phase < opening,
        0.5 - 0.5 * np.cos(np.pi / opening * phase),
        np.cos(np.pi / 2 / closing * np.minimum(phase - opening, closing)),
    )
    spectrum = np.fft.rfft(flow * height.astype(np.float32)[cycle])
    flow = np.fft.irfft(spectrum[: len(f0) // 2 + 1], len(f0)).astype(np.float32) / OVERSAMPLING
    derivative = np.diff(flow, prepend=flow[:1])
    return derivative / np.sqrt(np.mean(derivative**2)), flow


def f0_contour(speaker: Speaker, pitch: NDArray, rng: np.random.Generator) -> NDArray:
    """F0 in Hz, shape (samples,), from a pitch track in semitones around the speaker's mean.

    A slow quasi-random flutter is added: the three sines of D. H. Klatt & L. C. Klatt, "Analysis, synthesis, and
    perception of voice quality variations", JASA 87(2), 1990, with ``FL`` at 25 %.
    """
    time = np.arange(len(pitch)) / SAMPLING_RATE
    flutter = sum(np.sin(2 * np.pi * (rate * time + rng.random())) for rate in (12.7, 7.1, 4.7))
    return speaker.f0 * 2 ** (pitch / 12) * (1 + 0.005 * flutter)


def vocal_tract(formants: NDArray, speaker: Speaker, bins: int = BINS) -> NDArray[np.complex64]:
    """Response (frames, bins) of formant cascade and source tilt, for F1 to F3 in Hz, shape (frames, 3)."""
    frames = len(formants)
    tilt = np.exp(-2 * np.pi * speaker.tilt / SAMPLING_RATE)
    response = np.ones((frames, bins), dtype=np.complex64)
    response *= (1 - tilt) / (1 - tilt * np.exp(-1j * np.pi * np.linspace(0, 1, bins)))
    tracks = [*formants.T, *(np.full(frames, formant) for formant in UPPER_FORMANTS)]
    for track, bandwidth in zip(tracks, BANDWIDTHS, strict=True):
        scaled = track * speaker.formant_scale
        if scaled.max() < SAMPLING_RATE / 2:
            response *= resonator(scaled, np.full(frames, bandwidth), bins)
    return response


def synthesize_utterance(speaker: Speaker, seconds: float, rng: np.random.Generator) -> Samples:
    """Speak nonsense syllables, dry: no room, no background.

    Args:
        speaker: Who speaks.
        seconds: Length, at least 0.2.
        rng: Source of everything that differs between two utterances.

    Returns:
        Samples of shape (samples,) at 16 kHz with an RMS of 0.05 and no DC.

    Raises:
        ValueError: If ``seconds`` is below 0.2.
    """
    if seconds < 0.2:
        raise ValueError(f"an utterance lasts at least 0.2 s, not {seconds} s")
    samples = round(seconds * SAMPLING_RATE) // 2 * 2
    segments = draw_segments(speaker, seconds, rng)
    lengths = np.array([round(segment.seconds * SAMPLING_RATE) + 1 for segment in segments])

    every = np.arange(samples)
    settings = np.minimum(np.arange(1 + -(-samples // HOP)) * HOP, samples - 1)

    def track(name: str, smoothing: float, at: NDArray = every) -> NDArray:
        return _track([getattr(segment, name) for segment in segments], lengths, at, smoothing)

    # Formants and pitch move with the tongue and larynx; the gains move as fast as a closure opens.
    pitch, voicing = track("pitch", 0.16), track("voicing", 0.030)
    aspiration, frication = track("aspiration", 0.016), track("frication", 0.006)
    formants = [_track([s.formants[k] for s in segments], lengths, settings, 0.08) for k in range(3)]

    pitch = pitch - np.average(pitch, weights=voicing + 1e-6)
    pulses, flow = glottal_source(f0_contour(speaker, pitch, rng), speaker, rng)
    breath = rng.standard_normal(samples, dtype=np.float32) * (0.5 + flow)
    source = voicing * (pulses + speaker.breathiness * breath) + 0.3 * aspiration * breath
    voiced = time_varying_filter(source, vocal_tract(np.stack(formants, axis=1), speaker), HOP)

    colour = resonator(track("noise_peak", 0.02, settings), track("noise_width", 0.02, settings), BINS)
    colour[:, :8] = 0  # frication has nothing below 125 Hz
    noise = frication * rng.standard_normal(samples, dtype=np.float32)
    hiss = time_varying_filter(noise, colour / np.abs(colour).max(axis=1, keepdims=True), HOP)

    loudness = np.sqrt(np.mean(voiced**2)) + 1e-6
    speech = voiced + 1.5 * loudness * hiss
    speech -= speech.mean()
    return (speech * UTTERANCE_RMS / np.sqrt(np.mean(speech**2))).astype(np.float32)


def place_in_room(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Add a short reverberation and a steady background noise; length and RMS stay.

    The impulse response is exponentially decaying noise (J. A. Moorer, "About this reverberation business", Computer
    Music Journal 3(2), 1979) with a T60 of 0.1 to 0.4 s, 8 to 20 dB below the direct sound. The background has a
    spectrum between white and ``1 / f**2`` and lies 25 to 45 dB below the speech.

    Args:
        waveform: Samples of shape (samples,) at 16 kHz, not silent.
        rng: Draws the room.

    Returns:
        Samples of shape (samples,).
    """
    samples = len(waveform)
    decay = rng.uniform(0.1, 0.4)
    time = np.arange(int(decay * SAMPLING_RATE)) / SAMPLING_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / decay)
    tail *= 10 ** (-rng.uniform(8, 20) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = 1 << (samples + len(tail)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(waveform, size) * np.fft.rfft(tail, size), size)[:samples]

    noise = coloured_noise(samples, rng.uniform(0, 2), rng)
    wet += noise * np.sqrt(np.mean(wet**2)) * 10 ** (-rng.uniform(25, 45) / 20)
    wet -= wet.mean()
    return (wet * np.sqrt(np.mean(waveform**2) / np.mean(wet**2))).astype(np.float32)


def coloured_noise(samples: int, exponent: float, rng: np.random.Generator) -> Samples:
    """Gaussian noise of shape (samples,), unit RMS, whose power falls as ``1 / f**exponent`` above 50 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(samples, dtype=np.float32))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLING_RATE)
    spectrum *= np.maximum(frequency, 50.0) ** (-exponent / 2)
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
