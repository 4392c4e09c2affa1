"""Eight analysis-resynthesis vocoders: the "spoof" half of the embedded corpus.

Each takes speech apart and puts it together again, and leaves the traces of its own method: incoherent phases
(Griffin-Lim, phase vocoder), perfectly regular pulses (LPC, channel, WORLD-style), harmonics without noise,
folded spectra. What would give a vocoder away without listening (length, DC, level, spectral balance) is put right.

A vocoder is a function ``(waveform, sampling_rate, rng) -> waveform`` on float32 samples of shape (samples,) in
[-1, 1]; :data:`VOCODERS` names them all.
"""

from collections.abc import Callable
from functools import lru_cache, wraps

import numpy as np
from numpy.typing import NDArray

from crnn_hf.data.embedded.voice import Samples, frame, hann, overlap_add, time_varying_filter
from crnn_hf.feature_extraction_crnn import triangular_filters

Vocoder = Callable[[Samples, int, np.random.Generator], Samples]
Spectrum = NDArray[np.complex64]

FFT_SIZE = 1024
HOP_SECONDS = 0.008  # between two settings of a filter
F0_RANGE = (60.0, 400.0)  # Hz
VOICED_ABOVE = 0.5  # normalised autocorrelation at the pitch period
POWER_FLOOR = 1e-10  # relative to a frame's own power, and absolute for silent frames
BALANCE_BANDS = 12  # on the mel scale, in which the long-term spectrum is restored

VOCODERS: dict[str, Vocoder] = {}


def _vocoder(function: Vocoder) -> Vocoder:
    """Register a vocoder, and keep length, level and spectral balance of what it is given."""

    @wraps(function)
    def conditioned(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
        if waveform.ndim != 1:
            raise ValueError(f"a vocoder takes a waveform of shape (samples,), not {waveform.shape}")
        return _restore_balance(function(waveform, sampling_rate, rng), waveform, sampling_rate)

    VOCODERS[function.__name__] = conditioned
    return conditioned


def _restore_balance(vocoded: Samples, original: Samples, sampling_rate: int) -> Samples:
    """Give ``vocoded`` the long-term spectrum of ``original`` in twelve mel bands, and so its level, without DC.

    The peak may then lie above full scale, as the phases are others; the whole is turned down where it does.
    """
    samples = len(original)
    after, before = np.fft.rfft(vocoded, samples), np.fft.rfft(original)
    bands = _mel_filters(BALANCE_BANDS, len(after), sampling_rate)
    gains = np.sqrt((bands @ np.abs(before) ** 2 + POWER_FLOOR) / (bands @ np.abs(after) ** 2 + POWER_FLOOR))
    after *= gains @ bands / np.maximum(bands.sum(axis=0), POWER_FLOOR)
    after[0] = 0
    balanced = np.fft.irfft(after, samples)
    balanced *= np.sqrt(np.mean((original - original.mean()) ** 2) / (np.mean(balanced**2) + POWER_FLOOR))
    return (balanced / max(1.0, np.abs(balanced).max() / 0.99)).astype(np.float32)


@lru_cache(maxsize=8)
def _mel_filters(bands: int, bins: int, sampling_rate: int) -> Samples:
    """Triangular filters (bands, bins) up to the Nyquist frequency, on the mel scale of O'Shaughnessy (1987)."""
    filters = triangular_filters(bands, bins, sampling_rate, 0.0, sampling_rate / 2, "htk").numpy()
    return np.ascontiguousarray(filters.T)


def stft(waveform: Samples, size: int = FFT_SIZE, hop: int = FFT_SIZE // 4) -> Spectrum:
    """Short-time Fourier transform (frames, size // 2 + 1) with a Hann window, frame ``t`` centred on ``t * hop``."""
    return np.fft.rfft(frame(waveform, size, hop) * hann(size))


def istft(spectrum: Spectrum, samples: int, size: int = FFT_SIZE, hop: int = FFT_SIZE // 4) -> Samples:
    """Least-squares inverse of :func:`stft` (Griffin & Lim 1984, eq. 6), of shape (samples,)."""
    window = hann(size)
    weights = overlap_add(np.broadcast_to(window**2, (len(spectrum), size)), hop, samples)
    return overlap_add(np.fft.irfft(spectrum, size) * window, hop, samples) / weights


def griffin_lim(
    magnitude: Samples, samples: int, iterations: int, rng: np.random.Generator, size: int, hop: int
) -> Samples:
    """Find a waveform whose spectrogram is ``magnitude``, starting from random phases.

    D. W. Griffin & J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE TASSP 32(2), 1984,
    with the momentum of 0.99 of N. Perraudin, P. Balazs & P. L. Søndergaard, "A fast Griffin-Lim algorithm", WASPAA
    2013.

    Args:
        magnitude: Shape (frames, size // 2 + 1).
        samples: Length of the result.
        iterations: Rounds of going to the waveform and back.
        rng: Draws the first phases.
        size: FFT length.
        hop: Samples between frames.
    """
    phase = np.exp(2j * np.pi * rng.random(magnitude.shape, dtype=np.float32)).astype(np.complex64)
    previous = np.zeros_like(phase)
    for _ in range(iterations):
        consistent = stft(istft(magnitude * phase, samples, size, hop), size, hop)
        phase = consistent + np.float32(0.99) * (consistent - previous)
        phase /= np.abs(phase) + np.float32(POWER_FLOOR)
        previous = consistent
    return istft(magnitude * phase, samples, size, hop)


def track_f0(waveform: Samples, sampling_rate: int) -> tuple[NDArray, NDArray[np.bool_]]:
    """F0 in Hz and voicing, each of shape (frames,), every ``HOP_SECONDS``.

    The highest peak of the autocorrelation divided by that of the window, as in P. Boersma, "Accurate short-term
    analysis of the fundamental frequency", IFA Proceedings 17, 1993, but with a median over five frames for its path
    search. Unvoiced frames take the F0 of the nearest voiced ones by interpolation; 100 Hz if nothing is voiced.
    """
    length, hop = round(0.048 * sampling_rate) // 2 * 2, round(HOP_SECONDS * sampling_rate)
    window = hann(length)
    size = 1 << (2 * length - 1).bit_length()
    power = np.abs(np.fft.rfft(frame(waveform, length, hop) * window, size)) ** 2
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)
    shortest, longest = (round(sampling_rate / f0) for f0 in reversed(F0_RANGE))
    correlation = np.fft.irfft(power)[:, : longest + 2]
    loud = correlation[:, 0] > 1e-3 * correlation[:, 0].max()
    correlation /= (correlation[:, :1] + POWER_FLOOR) * (shape / shape[0])[: longest + 2]
    # Twice the period fits as well as the period: favour the shorter by a little.
    cost = 0.02 * np.log2(np.arange(shortest, longest + 1) / shortest)
    peak = shortest + np.argmax(correlation[:, shortest : longest + 1] - cost, axis=1)
    left, top, right = (correlation[np.arange(len(peak)), peak + step] for step in (-1, 0, 1))
    curvature = np.minimum(left - 2 * top + right, -POWER_FLOOR)
    f0 = sampling_rate / (peak + np.clip((left - right) / (2 * curvature), -0.5, 0.5))

    def median(track: NDArray) -> NDArray:
        return np.median(np.lib.stride_tricks.sliding_window_view(np.pad(track, 2, mode="edge"), 5), axis=1)

    voiced = median((top > VOICED_ABOVE) & loud).astype(bool)
    if not voiced.any():
        return np.full(len(f0), 100.0), voiced
    time = np.arange(len(f0))
    return median(np.interp(time, time[voiced], f0[voiced])), voiced


def linear_prediction(waveform: Samples, sampling_rate: int, order: int) -> tuple[Samples, Samples]:
    """Linear prediction by the autocorrelation method and Levinson-Durbin (J. Makhoul, Proc. IEEE 63(4), 1975).

    Args:
        waveform: Shape (samples,).
        sampling_rate: In Hz.
        order: Number of poles.

    Returns:
        Coefficients of the inverse filter of shape (frames, order + 1), the first being 1, and the residual's RMS of
        shape (frames,), every ``HOP_SECONDS``, from windows of 32 ms.
    """
    hop, length = round(HOP_SECONDS * sampling_rate), round(0.032 * sampling_rate) // 2 * 2
    window = hann(length)
    power = np.abs(np.fft.rfft(frame(waveform, length, hop) * window, 2 * length)) ** 2
    correlation = np.fft.irfft(power)[:, : order + 1].astype(np.float64) / np.sum(window.astype(np.float64) ** 2)
    correlation[:, 0] = correlation[:, 0] * (1 + 1e-5) + POWER_FLOOR  # a noise floor keeps the recursion stable
    coefficients = np.zeros_like(correlation)
    coefficients[:, 0] = 1
    error = correlation[:, 0].copy()
    for step in range(1, order + 1):
        reflection = -np.sum(coefficients[:, :step] * correlation[:, step:0:-1], axis=1) / error
        coefficients[:, 1 : step + 1] += reflection[:, None] * coefficients[:, step - 1 :: -1][:, :step]
        error *= 1 - reflection**2
    return coefficients.astype(np.float32), np.sqrt(error).astype(np.float32)


def _pulses(f0: NDArray, samples: int, sampling_rate: int) -> Samples:
    """One pulse a period, of unit power, shape (samples,), for F0 of shape (frames,) every ``HOP_SECONDS``."""
    frames = np.arange(samples) / round(HOP_SECONDS * sampling_rate)
    track = np.interp(frames, np.arange(len(f0)), f0)
    cycles = np.floor(np.cumsum(track / sampling_rate))
    return (np.diff(cycles, prepend=0.0) * np.sqrt(sampling_rate / track)).astype(np.float32)


def _buzz_or_hiss(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """The classic two-state excitation of unit power, (samples,): pulses where voiced, white noise elsewhere."""
    f0, voiced = track_f0(waveform, sampling_rate)
    samples = len(waveform)
    nearest = (np.arange(samples) / round(HOP_SECONDS * sampling_rate) + 0.5).astype(np.int64)
    noise = rng.standard_normal(samples, dtype=np.float32)
    return np.where(voiced[nearest], _pulses(f0, samples, sampling_rate), noise)


@_vocoder
def mel_griffin_lim(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """80 mel bands, spread back over the bins by the pseudo-inverse, and 8 rounds of Griffin-Lim."""
    spectrum = stft(waveform)
    mel = (np.abs(spectrum) ** 2) @ _mel_filters(80, spectrum.shape[1], sampling_rate).T
    power = np.maximum(mel @ _mel_inverse(80, spectrum.shape[1], sampling_rate), 0)
    return griffin_lim(np.sqrt(power), len(waveform), 8, rng, FFT_SIZE, FFT_SIZE // 4)


@lru_cache(maxsize=8)
def _mel_inverse(bands: int, bins: int, sampling_rate: int) -> Samples:
    return np.linalg.pinv(_mel_filters(bands, bins, sampling_rate)).T


@_vocoder
def lpc_vocoder(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """Linear prediction of order 18, excited by pulses or noise (B. S. Atal & S. L. Hanauer, JASA 50(2), 1971)."""
    coefficients, gain = linear_prediction(waveform, sampling_rate, order=18)
    response = gain[:, None] / np.fft.rfft(coefficients, FFT_SIZE)
    excitation = _buzz_or_hiss(waveform, sampling_rate, rng)
    return time_varying_filter(excitation, response, round(HOP_SECONDS * sampling_rate))


@_vocoder
def harmonic_plus_noise(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """Harmonics of F0 up to 4 kHz with invented phases, noise above and where unvoiced.

    R. J. McAulay & T. F. Quatieri, "Speech analysis/synthesis based on a sinusoidal representation", IEEE TASSP 34(4),
    1986; with the maximum voiced frequency of Y. Stylianou, "Applying the harmonic plus noise model", IEEE TSAP 9(1),
    2001, held at 4 kHz.
    """
    hop, samples, top = round(HOP_SECONDS * sampling_rate), len(waveform), 4000.0
    f0, voiced = track_f0(waveform, sampling_rate)
    magnitude = np.abs(stft(waveform, FFT_SIZE, hop)) * (2 / hann(FFT_SIZE).sum())
    frames = np.arange(samples) / hop
    track = np.interp(frames, np.arange(len(f0)), f0)
    cycle = np.cumsum(track / sampling_rate)
    harmonics = np.zeros(samples, dtype=np.float32)
    for number in range(1, int(top / f0.min()) + 1):
        position = np.minimum(number * f0 * FFT_SIZE / sampling_rate, FFT_SIZE // 2)
        amplitude = magnitude[np.arange(len(f0)), position.round().astype(np.int64)]
        amplitude *= voiced & (number * f0 < top)
        angle = (2 * np.pi * ((number * cycle + rng.random()) % 1)).astype(np.float32)
        harmonics += np.interp(frames, np.arange(len(f0)), amplitude).astype(np.float32) * np.cos(angle)

    coefficients, gain = linear_prediction(waveform, sampling_rate, order=18)
    response = gain[:, None] / np.fft.rfft(coefficients, FFT_SIZE)
    response[:, : round(top / sampling_rate * FFT_SIZE)] *= ~voiced[:, None]
    return harmonics + time_varying_filter(rng.standard_normal(samples, dtype=np.float32), response, hop)


@_vocoder
def channel_vocoder(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """The envelopes of 24 mel bands laid on pulses or noise (H. Dudley, "Remaking speech", JASA 11(2), 1939)."""
    hop = round(HOP_SECONDS * sampling_rate)
    power = np.abs(stft(waveform, FFT_SIZE, hop)) ** 2
    bands = _mel_filters(24, power.shape[1], sampling_rate)
    envelope = np.sqrt(power @ bands.T / bands.sum(axis=1)) @ bands
    return time_varying_filter(_buzz_or_hiss(waveform, sampling_rate, rng), envelope, hop)


@_vocoder
def linear_griffin_lim(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """The exact magnitudes of short frames (32 ms), phases from noise by only two rounds of Griffin-Lim."""
    size = FFT_SIZE // 2
    return griffin_lim(np.abs(stft(waveform, size, size // 4)), len(waveform), 2, rng, size, size // 4)


@_vocoder
def residual_excited(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """Linear prediction of order 10 whose residual survives only below an eighth of the rate; the rest is folded up.

    J. Makhoul & M. Berouti, "High-frequency regeneration in speech coding systems", ICASSP 1979: keeping every fourth
    sample of the low band mirrors it into the bands above. A little noise hides the rigid pattern.
    """
    hop, fold = round(HOP_SECONDS * sampling_rate), 4
    coefficients, _ = linear_prediction(waveform, sampling_rate, order=10)
    inverse = np.fft.rfft(coefficients, FFT_SIZE)
    residual = np.fft.rfft(time_varying_filter(waveform, inverse, hop))
    residual[len(residual) // fold :] = 0
    baseband = np.fft.irfft(residual, len(waveform))
    excitation = np.zeros(len(waveform), dtype=np.float32)
    excitation[::fold] = fold * baseband[::fold]
    excitation *= 1 + 0.2 * rng.standard_normal(len(waveform), dtype=np.float32)
    return time_varying_filter(excitation, 1 / inverse, hop)


@_vocoder
def world_style(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """F0, smooth envelope and band aperiodicity; minimum-phase pulses and noise.

    The parts of M. Morise, F. Yokomori & K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system",
    IEICE Trans. E99-D(7), 2016, each in a simple form: the envelope is the power spectrum averaged over one F0 in
    frequency, the aperiodicity of a band is one minus its normalised autocorrelation at the period.
    """
    hop, samples = round(HOP_SECONDS * sampling_rate), len(waveform)
    f0, voiced = track_f0(waveform, sampling_rate)
    power = np.abs(stft(waveform, FFT_SIZE, hop)) ** 2
    bins = power.shape[1]
    quefrency = np.minimum(np.arange(FFT_SIZE), FFT_SIZE - np.arange(FFT_SIZE)) / sampling_rate
    # A rectangle one F0 wide is a sinc in the domain of quefrency, with its first zero at the period.
    smooth = np.fft.irfft(power) * np.sinc(quefrency * f0[:, None]).astype(np.float32)
    smooth = np.maximum(np.fft.rfft(smooth).real, 1e-3 * power.mean(axis=1, keepdims=True)) + POWER_FLOOR

    # The cepstrum folded onto positive quefrencies gives minimum phase (Oppenheim & Schafer 1975).
    cepstrum = np.fft.irfft(0.5 * np.log(smooth))
    cepstrum[:, 1 : FFT_SIZE // 2] *= 2
    cepstrum[:, FFT_SIZE // 2 + 1 :] = 0
    envelope = np.exp(np.fft.rfft(cepstrum))

    bands = _mel_filters(8, bins, sampling_rate)
    frequency = np.linspace(0, sampling_rate / 2, bins, dtype=np.float32)
    comb = np.cos(2 * np.pi * frequency / f0.astype(np.float32)[:, None])
    periodicity = (power * comb) @ bands.T / (power @ bands.T + POWER_FLOOR)
    periodicity = np.clip(periodicity, 0, 1) * voiced[:, None] @ (bands / np.maximum(bands.sum(axis=0), POWER_FLOOR))

    pulses, noise = _pulses(f0, samples, sampling_rate), rng.standard_normal(samples, dtype=np.float32)
    return time_varying_filter(pulses, envelope * np.sqrt(periodicity), hop) + time_varying_filter(
        noise, envelope * np.sqrt(1 - periodicity), hop
    )


@_vocoder
def phase_vocoder(waveform: Samples, sampling_rate: int, rng: np.random.Generator) -> Samples:
    """Stretched by 15 to 35 % and shrunk back (J. L. Flanagan & R. M. Golden, "Phase vocoder", BSTJ 45(9), 1966)."""
    stretch = rng.uniform(1.15, 1.35)
    longer = round(len(waveform) * stretch)
    return _change_duration(_change_duration(waveform, longer), len(waveform))


def _change_duration(waveform: Samples, samples: int, size: int = FFT_SIZE) -> Samples:
    """Play at another speed and the same pitch, by integrating each bin's instantaneous frequency."""
    hop = size // 4
    spectrum = stft(waveform, size, hop)
    frames = 1 + -(-samples // hop)
    position = np.minimum(np.arange(frames) * len(waveform) / samples, len(spectrum) - 1.001)
    left, weight = position.astype(np.int64), (position % 1)[:, None].astype(np.float32)
    magnitude = (1 - weight) * np.abs(spectrum[left]) + weight * np.abs(spectrum[left + 1])
    step = np.angle(spectrum[left + 1] * spectrum[left].conj())
    phase = np.cumsum(np.concatenate([np.angle(spectrum[:1]), step[:-1]]), axis=0)
    return istft(magnitude * np.exp(1j * phase), samples, size, hop)
