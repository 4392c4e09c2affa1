"""The figures of a corpus can be read."""

from collections.abc import Callable

import numpy as np
from datasets import Dataset

from crnn_hf.data.statistics import MEASURES, Statistics, as_table, describe

RATE = 16_000


def test_the_table_holds_the_figures(found: Statistics) -> None:
    table = as_table(found)
    assert table.startswith(
        "9 clips, 0.00 hours, 3 known speakers\n1 more could not be read, and are counted nowhere:"
    )
    assert "\n- 2.wav: cut off" in table
    assert "| Level [dB]           | real  |     3 |" in table
    assert "| codec  | -        |    1 |    6 |" in table
    alone = table[table.index("| measure          |") :].splitlines()
    assert alone[2].split("|")[1:-1] == [" Level            ", "     0.0 % ", "    0.0 to 0.0 % ", "       real "]
    assert next(row for row in alone if row.startswith("| Length")).split("|")[2].strip() == "50.0 %"
    assert len([row for row in alone if row.startswith("| ")]) == 2 + len(MEASURES) + 1 + 2 + 7
    assert len({len(row) for row in alone[: 2 + len(MEASURES)]}) == 1


def test_the_table_gives_shares_in_per_cent(noise: Callable, wav: Callable, corpus: Callable) -> None:
    half = np.concatenate([noise(0.5, -20), np.zeros(RATE // 2, np.float32)])
    table = as_table(describe(corpus([("A01", wav(half))]), progress=False))
    assert next(line for line in table.splitlines() if line.startswith("| Digital zeros [%]")).count(" 50.00 |") == 5


def test_of_many_unreadable_clips_the_table_names_some(corpus: Callable) -> None:
    table = as_table(describe(corpus([("A01", b"nothing")] * 12), progress=False))
    assert table.startswith("0 clips, 0.00 hours, 0 known speakers\n12 more could not be read")
    assert "- 9.wav: " in table
    assert "- 10.wav: " not in table
    assert "- and 2 more" in table


def test_an_empty_corpus_has_statistics(quiet_fakes: Dataset) -> None:
    assert as_table(describe(quiet_fakes.select([]), progress=False)).startswith("0 clips")
