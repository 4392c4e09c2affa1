"""What can be told of a clip without listening is measured rightly, and shortcuts show."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from datasets import Dataset

from crnn_hf.data.columns import features
from crnn_hf.data.statistics import MEASURES, Statistics, as_table, describe, draw, measure

RATE = 16_000


def noise(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    """White noise of a level in dB."""
    rng = np.random.default_rng(seed)
    return (10 ** (level / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def tone(seconds: float, frequency: float, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def wav(waveform: np.ndarray, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, waveform, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def corpus(clips: list[tuple[str, bytes]], **descriptions: list[str]) -> Dataset:
    """A corpus of attacks, or bonafide, and contents."""
    unknown = dict.fromkeys(("speaker", "gender", "codec", "codec_quality", "codec_seed", "attack_tag"), "-")
    rows = [
        {
            "audio": {"bytes": content, "path": f"{number}.wav"},
            "label": int(attack != "bonafide"),
            "utterance": str(number),
            "attack": attack,
            **unknown,
            **{name: values[number] for name, values in descriptions.items()},
        }
        for number, (attack, content) in enumerate(clips)
    ]
    return Dataset.from_list(rows, features=features())


@pytest.fixture(scope="module")
def quiet_fakes() -> Dataset:
    """4 real clips and 6 fakes of one length: the fakes are quieter; the third, a real one, is cut off."""
    clips = [("bonafide" if number < 4 else "A01", wav(noise(0.5, -20 - number, seed=number))) for number in range(10)]
    clips[2] = ("bonafide", clips[2][1][:1_000])
    return corpus(
        clips,
        speaker=["-", "S1", "S7", "S2", *["S3"] * 6],
        codec=["C01", "C02", "C09", *["-"] * 7],
        gender=["F", "M"] * 5,
    )


@pytest.fixture(scope="module")
def found(quiet_fakes: Dataset) -> Statistics:
    return describe(quiet_fakes, progress=False)


def test_length_is_in_seconds() -> None:
    assert measure(noise(1.25, -20), RATE)["seconds"] == 1.25
    assert measure(noise(1.25, -20), 8_000)["seconds"] == 2.5


@pytest.mark.parametrize(
    ("waveform", "level"),
    [
        (np.ones(1_000, np.float32), 0),
        (tone(1, 1_000), -3.01),
        (tone(1, 1_000, 0.1), -23.01),
        (noise(4, -37), -37),
        (np.zeros(1_000, np.float32), -120),
        (np.full(1_000, 1e-9, np.float32), -120),
    ],
)
def test_level_is_relative_to_full_scale(waveform: np.ndarray, level: float) -> None:
    assert measure(waveform, RATE)["level"] == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize(("below", "leading", "trailing"), [(200, 0.5, 0.3), (41, 0.5, 0.3), (39, 0.0, 0.0)])
def test_what_is_40_db_below_the_loudest_frame_is_silence(below: float, leading: float, trailing: float) -> None:
    # Steady sounds: the level of a frame of noise is not quite the level of the noise.
    waveform = np.concatenate(
        [tone(length, 500, 10 ** (-down / 20)) for length, down in ((0.5, 6 + below), (1, 6), (0.3, 6 + below))]
    )
    silence = measure(waveform, RATE)
    assert silence["leading_silence"] == pytest.approx(leading, abs=1e-9)
    assert silence["trailing_silence"] == pytest.approx(trailing, abs=1e-9)


def test_silence_within_is_not_at_the_edge() -> None:
    silence = measure(np.concatenate([noise(0.2, -20), np.zeros(RATE, np.float32), noise(0.2, -20)]), RATE)
    assert (silence["leading_silence"], silence["trailing_silence"]) == (0, 0)


def test_a_click_at_the_cut_end_does_not_turn_the_voice_into_silence() -> None:
    # One sample in a frame of its own: its mean energy would be that of the loudest frame by far.
    silence = measure(np.append(noise(1, -40), np.float32(1)), RATE)
    assert (silence["leading_silence"], silence["trailing_silence"]) == (0, 0)


def test_silence_has_no_sound_and_no_band() -> None:
    assert measure(np.zeros(8_000, np.float32), RATE) == {
        "seconds": 0.5,
        "level": -120,
        "leading_silence": 0.5,
        "trailing_silence": 0.5,
        "zeros": 1,
        "band_width": 0,
    }


def test_zeros_are_a_share() -> None:
    waveform = noise(1, -20)
    waveform[:4_000] = 0
    assert measure(waveform, RATE)["zeros"] == 0.25
    assert measure(waveform + np.float32(1e-6), RATE)["zeros"] == 0


@pytest.mark.parametrize("frequency", [300, 1_000, 7_000])
def test_the_band_ends_at_the_highest_tone_that_counts(frequency: float) -> None:
    waveform = tone(1, 200) + tone(1, frequency) + tone(1, 7_900, 0.05)
    assert measure(waveform, RATE)["band_width"] == pytest.approx(frequency, abs=2 * RATE / 1024)
    assert measure(waveform, 2 * RATE)["band_width"] == pytest.approx(2 * frequency, abs=4 * RATE / 1024)


def test_a_tone_between_two_frequencies_of_the_spectrum_is_narrow() -> None:
    between = 64.5 * RATE / 1024
    assert measure(tone(1, between), RATE)["band_width"] == pytest.approx(between, abs=2 * RATE / 1024)


def test_white_noise_fills_the_band() -> None:
    assert measure(noise(4, -20), RATE)["band_width"] == pytest.approx(0.99 * RATE / 2, abs=60)


@pytest.mark.parametrize("place", [0, 511, 512, 1023, 1024, 2999])
def test_a_click_is_heard_wherever_it_is(place: int) -> None:
    waveform = np.zeros(3_000, np.float32)
    waveform[place] = 1
    assert measure(waveform, RATE)["band_width"] == pytest.approx(0.99 * RATE / 2, abs=20)


@pytest.mark.parametrize("waveform", [np.ones(1, np.float32), np.full(50, 3e38, np.float32), noise(0.021, -20)])
def test_odd_clips_have_finite_measures(waveform: np.ndarray) -> None:
    measures = measure(waveform, RATE)
    assert list(measures) == list(MEASURES)
    assert np.isfinite(list(measures.values())).all()
    assert measures["leading_silence"] == measures["trailing_silence"] == 0


def test_a_corpus_is_counted_without_what_cannot_be_read(found: Statistics) -> None:
    assert (found.clips, found.speakers) == (9, 3)
    assert found.hours == pytest.approx(9 * 0.5 / 3600)
    assert {label: of_class.clips for label, of_class in found.by_class.items()} == {"real": 3, "fake": 6}
    assert found.counts == {
        "attack": {"A01": (0, 6), "bonafide": (3, 0)},
        "codec": {"-": (1, 6), "C01": (1, 0), "C02": (1, 0)},
        "gender": {"F": (1, 3), "M": (2, 3)},
    }
    assert [name for name, _ in found.unreadable] == ["2.wav"]
    assert "cut off" in found.unreadable[0][1]


def test_values_belong_to_their_class(found: Statistics) -> None:
    np.testing.assert_allclose(found.by_class["real"].values["level"], [-20, -21, -23], atol=0.2)
    np.testing.assert_allclose(found.by_class["fake"].values["level"], np.arange(-24, -30, -1), atol=0.2)
    assert found.by_class["fake"].quantiles("level") == pytest.approx((-28.75, -27.75, -26.5, -25.25, -24.25), abs=0.2)


def test_a_shortcut_shows_in_either_direction(quiet_fakes: Dataset, found: Statistics) -> None:
    assert found.separation["level"] == 0
    swapped = quiet_fakes.map(lambda row: {"label": 1 - row["label"]})
    assert describe(swapped, progress=False).separation["level"] == 0


def test_what_is_the_same_for_all_tells_nothing(found: Statistics) -> None:
    assert found.separation["seconds"] == 0.5
    assert found.separation["zeros"] == 0.5


def test_equal_values_are_mixed() -> None:
    # 60 % of the real clips and 20 % of the fakes begin with silence, all of the same length.
    pause, none = wav(np.concatenate([np.zeros(RATE // 5, np.float32), noise(0.1, -20)])), wav(noise(0.3, -20))
    clips = [("bonafide", pause)] * 12 + [("bonafide", none)] * 8 + [("A01", pause)] * 4 + [("A01", none)] * 16
    found = describe(corpus(clips), progress=False)
    # Calling fake what has no pause, and half of what has: rejecting 40 % and accepting 20 %, where the line between
    # (40, 20) and (0, 100) crosses the diagonal: at 1/3.
    assert found.separation["leading_silence"] == pytest.approx(1 / 3, abs=0.02)


def test_one_class_separates_nothing() -> None:
    found = describe(corpus([("A01", wav(noise(0.3, -20)))] * 3), progress=False)
    assert list(found.by_class) == ["fake"]
    assert found.separation == {}
    assert " - |" in next(line for line in as_table(found).splitlines() if line.startswith("| Level"))


def test_clips_are_measured_at_the_rate_asked_for() -> None:
    dataset = corpus([("bonafide", wav(noise(0.5, -20), rate=8_000))])
    values = describe(dataset, progress=False).by_class["real"].values
    assert values["seconds"] == [1.0]
    assert values["band_width"] < 4_100
    assert describe(dataset, sampling_rate=2_000, progress=False).by_class["real"].values["band_width"] < 1_000


def test_threads_change_nothing(found: Statistics, quiet_fakes: Dataset) -> None:
    # More than a batch.
    several = quiet_fakes.select(list(range(10)) * 5)
    one, three = describe(several, progress=False), describe(several, progress=False, workers=3)
    assert one.clips == three.clips == 45
    assert one.unreadable == three.unreadable == found.unreadable * 5
    for label in ("real", "fake"):
        for name in MEASURES:
            np.testing.assert_array_equal(one.by_class[label].values[name], three.by_class[label].values[name])
            np.testing.assert_array_equal(
                one.by_class[label].values[name], np.tile(found.by_class[label].values[name], 5)
            )


def test_transforms_are_not_run(quiet_fakes: Dataset, found: Statistics) -> None:
    def fail(batch: dict) -> dict:
        raise AssertionError("transformed")

    assert describe(quiet_fakes.with_transform(fail), progress=False).counts == found.counts


def test_progress_is_shown_if_wanted(quiet_fakes: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    describe(quiet_fakes)
    assert "10/10" in capsys.readouterr().err
    describe(quiet_fakes, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [{"workers": 0}, {"sampling_rate": 0}])
def test_arguments_are_positive(arguments: dict[str, int], quiet_fakes: Dataset) -> None:
    with pytest.raises(ValueError, match="expected positive workers and sampling rate; found"):
        describe(quiet_fakes, progress=False, **arguments)


def test_the_table_holds_the_figures(found: Statistics) -> None:
    table = as_table(found)
    assert table.startswith(
        "9 clips, 0.00 hours, 3 known speakers\n1 more could not be read, and are counted nowhere:"
    )
    assert "\n- 2.wav: cut off" in table
    assert "| Level [dB]           | real  |     3 |" in table
    assert "| codec  | -        |    1 |    6 |" in table
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert next(row for row in rows if row.startswith("| Level")).endswith("|     0.0 % |")
    assert next(row for row in rows if row.startswith("| Length")).endswith("|    50.0 % |")
    assert len(rows) == 2 + 2 * len(MEASURES) + 2 + 7
    assert len({len(row) for row in rows[: 2 + 2 * len(MEASURES)]}) == 1


def test_the_table_gives_shares_in_per_cent() -> None:
    half = np.concatenate([noise(0.5, -20), np.zeros(RATE // 2, np.float32)])
    table = as_table(describe(corpus([("A01", wav(half))]), progress=False))
    assert next(line for line in table.splitlines() if line.startswith("| Digital zeros [%]")).count(" 50.00 |") == 5


def test_of_many_unreadable_clips_the_table_names_some() -> None:
    table = as_table(describe(corpus([("A01", b"nothing")] * 12), progress=False))
    assert table.startswith("0 clips, 0.00 hours, 0 known speakers\n12 more could not be read")
    assert "- 9.wav: " in table
    assert "- 10.wav: " not in table
    assert "- and 2 more" in table


def test_an_empty_corpus_has_statistics(quiet_fakes: Dataset) -> None:
    assert as_table(describe(quiet_fakes.select([]), progress=False)).startswith("0 clips")


@pytest.mark.parametrize("rows", [range(10), range(4, 10)])
def test_the_picture_is_a_png(rows: range, quiet_fakes: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "new" / "picture"
    draw(describe(quiet_fakes.select(rows), progress=False), path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert np.frombuffer(content[16:24], ">u4").tolist() == [1800, 1050]


def test_nothing_cannot_be_drawn(quiet_fakes: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no clip could be read"):
        draw(describe(quiet_fakes.select([2]), progress=False), tmp_path / "picture.png")
