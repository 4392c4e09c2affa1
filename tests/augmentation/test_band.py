import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from crnn_hf.augmentation.band import A_LAW, MU_LAW, BandLimit, Telephone, companded, fast_length
from crnn_hf.augmentation.level import rms


@pytest.fixture
def white() -> np.ndarray:
    """Four seconds of white noise at 16 kHz."""
    return (np.random.default_rng(0).standard_normal(64_000) * 0.1).astype(np.float32)


def _decibels_between(waveform: np.ndarray, rate: int, low: float, high: float) -> float:
    """The mean power of the bins from `low` to `high` Hz; white noise of level 1 has 0 dB."""
    powers = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)))) ** 2 / len(waveform) / 0.375
    frequencies = np.fft.rfftfreq(len(waveform), 1 / rate)
    return 10 * np.log10(powers[(frequencies >= low) & (frequencies <= high)].mean())


@pytest.mark.parametrize("augmentation", [BandLimit(), Telephone()])
def test_keeps_the_protocol(augmentation: BandLimit, check_protocol: Callable[..., None]) -> None:
    check_protocol(augmentation)


def test_nothing_is_left_outside_of_the_band_and_all_within(white: np.ndarray) -> None:
    limited = BandLimit(1, (300, 300), (4_000, 4_000))(white, 16_000, np.random.default_rng(0))
    assert _decibels_between(limited, 16_000, 0, 240) < -80
    assert _decibels_between(limited, 16_000, 4_450, 8_000) < -80
    within = _decibels_between(limited, 16_000, 320, 3_980) - _decibels_between(white, 16_000, 320, 3_980)
    assert within == pytest.approx(0, abs=0.05)


def test_edges_are_drawn(white: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    levels = [rms(BandLimit(1)(white, 16_000, rng)) / rms(white) for _ in range(30)]
    assert min(levels) < 0.75
    assert max(levels) > 0.9


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_a_band_past_half_the_rate_changes_nothing(white: np.ndarray, rate: int) -> None:
    limited = BandLimit(1, (0, 0), (8_000, 8_000))(white, rate, np.random.default_rng(0))
    np.testing.assert_allclose(limited, white, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("seed", range(4))
def test_telephone_lets_its_band_through(white: np.ndarray, rate: int, seed: int) -> None:
    called = Telephone(1)(white, rate, np.random.default_rng(seed))
    within = _decibels_between(called, rate, 400, 3_300) - _decibels_between(white, rate, 400, 3_300)
    assert within == pytest.approx(0, abs=0.2)
    assert _decibels_between(called, rate, 0, 200) < _decibels_between(called, rate, 400, 3_300) - 30
    assert _decibels_between(called, rate, 4_010, rate / 2) < -80


def test_telephone_stays_in_time_and_adds_but_quantisation_noise(white: np.ndarray) -> None:
    band = BandLimit(1, (300, 300), (3_400, 3_400))(white, 16_000, np.random.default_rng(0))
    called = [Telephone(1)(white, 16_000, np.random.default_rng(seed)) for seed in range(8)]
    ratios = [20 * np.log10(rms(band) / rms(result - band)) for result in called]
    assert all(33 < ratio < 42 for ratio in ratios)  # G.711 gives 38 dB or so
    assert len(set(np.round(ratios, 6))) == 2  # A-law and mu-law


@pytest.mark.parametrize(("intervals", "subtype"), [(A_LAW, "ALAW"), (MU_LAW, "ULAW")])
def test_companding_is_that_of_g711(intervals: np.ndarray, subtype: str) -> None:
    # Middles of libsndfile's 16-bit input steps, lest the two round the same value to different sides.
    linear = (np.arange(-32_000, 32_000, 8, dtype=np.int16) + 4).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, linear, 8_000, format="WAV", subtype=subtype)
    file.seek(0)
    expected = soundfile.read(file, dtype="int16")[0] / 32_768
    full_scale = intervals.sum() * (4 if subtype == "ULAW" else 8) / 32_768
    found = companded((linear / 32_768 / full_scale).astype(np.float32), intervals) * full_scale
    assert np.mean(np.abs(found - expected) < 1e-6) > 0.99


def test_companding_clips_and_keeps_silence_quiet() -> None:
    for intervals in (A_LAW, MU_LAW):
        levels = companded(np.array([-2, 0, 2], np.float32), intervals)
        assert levels[0] == -levels[2]
        assert 0.98 < levels[2] <= 1
        assert abs(levels[1]) < 3e-4


def test_fast_lengths_are_no_shorter_and_not_much_longer() -> None:
    for samples in [*range(1, 300), 64_000, 70_001]:
        assert samples <= fast_length(samples) <= 1.25 * samples + 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": None}, "probability must be"),
        ({"low_hz": (-1, 300)}, "low_hz must be"),
        ({"high_hz": (8_000, 3_000)}, "high_hz must be"),
        ({"low_hz": (0, 4_000)}, "low_hz must end below high_hz"),
    ],
)
def test_refuses_settings_by_name(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        BandLimit(**settings)
