"""A corpus is measured clip by clip, and shortcuts show."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf.data.statistics import MEASURES, Statistics, as_table, describe

RATE = 16_000


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
    assert found.separation["level"] == (0, (0, 0), "real")
    swapped = quiet_fakes.map(lambda row: {"label": 1 - row["label"]})
    assert describe(swapped, progress=False).separation["level"] == (0, (0, 0), "fake")


def test_what_is_the_same_for_all_tells_nothing(found: Statistics) -> None:
    assert found.separation["seconds"].eer == 0.5
    assert found.separation["zeros"].eer == 0.5


def test_equal_values_are_mixed(noise: Callable, wav: Callable, corpus: Callable) -> None:
    # 60 % of the real clips and 20 % of the fakes begin with silence, all of the same length.
    pause, none = wav(np.concatenate([np.zeros(RATE // 5, np.float32), noise(0.1, -20)])), wav(noise(0.3, -20))
    clips = [("bonafide", pause)] * 12 + [("bonafide", none)] * 8 + [("A01", pause)] * 4 + [("A01", none)] * 16
    found = describe(corpus(clips), progress=False)
    # Calling fake what has no pause, and half of what has: rejecting 40 % and accepting 20 %, where the line between
    # (40, 20) and (0, 100) crosses the diagonal: at 1/3.
    assert found.separation["leading_silence"].eer == pytest.approx(1 / 3, abs=0.02)


def test_one_class_separates_nothing(noise: Callable, wav: Callable, corpus: Callable) -> None:
    found = describe(corpus([("A01", wav(noise(0.3, -20)))] * 3), progress=False)
    assert list(found.by_class) == ["fake"]
    assert (found.separation, found.together) == ({}, None)
    assert "Where there is but one class, nothing tells classes apart." in as_table(found)


def test_clips_are_measured_at_the_rate_asked_for(noise: Callable, wav: Callable, corpus: Callable) -> None:
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


def test_files_are_measured_where_they_lie_and_one_that_is_gone_is_named(
    found: Statistics, quiet_fakes: Dataset, tmp_path: Path
) -> None:
    def as_file(row: dict, number: int) -> dict:
        path = tmp_path / row["audio"]["path"]
        if number:
            path.write_bytes(row["audio"]["bytes"])
        return {"audio": {"bytes": None, "path": str(path)}}

    files = describe(quiet_fakes.map(as_file, with_indices=True), progress=False)
    assert [Path(name).name for name, _ in files.unreadable] == ["0.wav", "2.wav"]
    assert "No such file" in files.unreadable[0][1]
    np.testing.assert_array_equal(files.by_class["fake"].values["level"], found.by_class["fake"].values["level"])
