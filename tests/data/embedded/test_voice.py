"""The synthesised voice has the pitch, the irregularities and the formants it was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from crnn_hf.data.embedded.voice import (
    BINS,
    SAMPLING_RATE,
    draw_speaker,
    glottal_source,
    place_in_room,
    resonator,
    synthesize_utterance,
)
from crnn_hf.vocoding.pitch import track_f0


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("gender", "f0"), [("M", 105.0), ("M", 150.0), ("F", 190.0), ("F", 250.0)])
def test_f0_is_near_the_asked_one(gender, f0):
    speaker = replace(draw_speaker(rng(), "x", gender), f0=f0)
    tracked, voiced = track_f0(synthesize_utterance(speaker, 3.0, rng(1)), SAMPLING_RATE)
    assert 0.3 < voiced.mean() < 0.95  # consonants and pauses are unvoiced
    assert np.median(tracked[voiced]) == pytest.approx(f0, rel=0.1)
    assert np.std(12 * np.log2(tracked[voiced] / f0)) > 0.5  # semitones: it is no monotone


def test_jitter_and_shimmer_set_how_much_cycles_differ():
    speaker = draw_speaker(rng(), "x", "M")
    regular = replace(speaker, jitter=0.0, shimmer=0.0)

    def cycle_difference(who):
        derivative, _ = glottal_source(np.full(SAMPLING_RATE, 100.0), who, rng())
        return np.std(derivative[160:] - derivative[:-160])  # one cycle against the next

    assert cycle_difference(regular) < 0.02
    assert cycle_difference(replace(regular, shimmer=0.05)) > 0.04
    assert cycle_difference(replace(regular, jitter=0.01)) > 0.1


def test_glottal_source_does_not_alias():
    speaker = replace(draw_speaker(rng(), "x", "F"), jitter=0.0, shimmer=0.0)
    derivative, _ = glottal_source(np.full(SAMPLING_RATE, 310.0), speaker, rng())
    power = np.abs(np.fft.rfft(derivative)) ** 2  # one second, so bin k is k Hz
    harmonic = np.zeros(len(power), dtype=bool)
    harmonic[::310] = harmonic[1::310] = harmonic[309::310] = True
    assert power[~harmonic].max() < 1e-4 * power[harmonic].max()


def test_resonator_peaks_at_its_frequency_with_unit_gain_at_zero():
    gain = np.abs(resonator(np.array([500.0, 3000.0]), np.array([60.0, 120.0]), BINS))
    assert gain[:, 0] == pytest.approx(1, abs=0.01)
    assert gain.argmax(axis=1) * SAMPLING_RATE / 2 / (BINS - 1) == pytest.approx([500, 3000], abs=10)


def test_formant_scale_moves_the_spectrum_up():
    def centroid(scale):
        speaker = replace(draw_speaker(rng(), "x", "M"), formant_scale=scale)
        power = np.abs(np.fft.rfft(synthesize_utterance(speaker, 2.0, rng(3)))) ** 2
        return np.average(np.linspace(0, 8000, len(power)), weights=power)

    assert centroid(1.2) > 1.05 * centroid(0.95)


def test_utterances_repeat_for_a_seed_and_differ_between_seeds():
    speaker = draw_speaker(rng(), "x", "F")
    first = synthesize_utterance(speaker, 1.0, rng(5))
    assert first.dtype == np.float32
    assert first.shape == (SAMPLING_RATE,)
    assert abs(first.mean()) < 1e-5
    np.testing.assert_array_equal(first, synthesize_utterance(speaker, 1.0, rng(5)))
    assert abs(np.corrcoef(first, synthesize_utterance(speaker, 1.0, rng(6)))[0, 1]) < 0.5


def test_room_keeps_length_and_level_and_fills_silence():
    speech = np.zeros(2 * SAMPLING_RATE, dtype=np.float32)
    speech[:SAMPLING_RATE] = synthesize_utterance(draw_speaker(rng(), "x", "M"), 1.0, rng())
    wet = place_in_room(speech, rng())
    assert wet.shape == speech.shape
    assert np.std(wet) == pytest.approx(np.sqrt(np.mean(speech**2)), rel=1e-3)
    tail = np.std(wet[-1600:]) / np.std(wet[:SAMPLING_RATE])
    assert 10 ** (-50 / 20) < tail < 10 ** (-20 / 20)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="gender"):
        draw_speaker(rng(), "x", "female")
    with pytest.raises(ValueError, match=r"at least 0\.2"):
        synthesize_utterance(draw_speaker(rng(), "x", "M"), 0.1, rng())
