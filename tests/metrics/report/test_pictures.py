"""What the pictures show, and that they are small, take on a page's colour, and do not meddle with matplotlib."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from crnn_hf.metrics.report.measuring import measure
from crnn_hf.metrics.report.pictures import (
    DET_MOST_GROUPS,
    MOST_GROUPS,
    STRONGEST_HEAT,
    det_picture,
    file_names,
    group_pictures,
    heat_of,
    main_pictures,
    matrix_picture,
)
from crnn_hf.metrics.report.svg import INK
from crnn_hf.metrics.trials import Trials


def test_a_picture_is_one_svg_element_in_the_ink_of_its_page(make_trials: Callable[..., Trials]) -> None:
    trials = make_trials()
    figures = measure(trials, {}, resamples=2)
    for picture in main_pictures(trials, figures):
        svg = picture.svg()
        root = ElementTree.fromstring(svg)
        assert root.tag == "svg"
        assert (root.get("role"), root.get("aria-label")) == ("img", picture.message)
        assert "viewBox" in root.attrib
        assert "currentColor" in svg
        assert INK not in svg
        assert "http" not in svg
        # Text is text, which a reader's own fonts can show.
        assert [element for element in root.iter("text") if element.text]
        targets = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", svg)
        ids = {element.get("id") for element in root.iter() if element.get("id")}
        assert {one or other for one, other in targets} == ids


def test_a_det_curve_of_many_clips_is_small_and_marks_the_eer() -> None:
    rng = np.random.default_rng(0)
    clips = 200_000
    is_fake = rng.random(clips) < 0.8
    scores = rng.standard_t(4, size=clips) + np.where(is_fake, -1, 1)
    attack = np.where(is_fake, rng.choice([f"A{number}" for number in range(DET_MOST_GROUPS)], clips), "-").tolist()
    trials = Trials([""] * clips, scores, is_fake, {"attack": attack})
    group = {"real": 1, "fake": 1, "metrics": {"eer": 0.2}, "eer_interval": None}
    figures = {
        "metrics": {"eer": 0.1857, "min_dcf": 0.5},
        "breakdowns": {"attack": {"groups": [{"name": f"A{number}", **group} for number in range(DET_MOST_GROUPS)]}},
    }
    svg = det_picture(trials, figures).svg()
    assert len(svg) < 60_000
    texts = [element.text for element in ElementTree.fromstring(svg).iter("text")]
    assert "EER 18.57 %" in texts
    assert "20.00 %  A7" in texts


def test_more_attacks_than_can_be_told_apart_get_no_curves(make_trials: Callable[..., Trials]) -> None:
    few, many = (make_trials(attacks=tuple(f"A{number}" for number in range(attacks))) for attacks in (8, 9))
    assert "A7" in det_picture(few, measure(few, {}, resamples=2)).svg()
    assert "A7" not in det_picture(many, measure(many, {}, resamples=2)).svg()


@pytest.mark.parametrize("scores", [[0.0, 0.0, 0.0, 0.0], [2.0, 1.0, -1.0, -2.0], [-2.0, -1.0, 1.0, 2.0]])
def test_degenerate_scores_can_be_drawn(scores: list[float]) -> None:
    trials = Trials(list("abcd"), np.array(scores), np.array([False, False, True, True]))
    for picture in main_pictures(trials, measure(trials, {}, resamples=2)):
        assert picture.png().startswith(b"\x89PNG")
        assert "nan" not in picture.svg()


def test_groups_are_sorted_by_eer_and_cut_where_there_are_too_many() -> None:
    metrics = [{"eer": number / 100} for number in range(50)]
    groups = [
        {"name": f"G{number}", "real": 1, "fake": 1, "metrics": found, "eer_interval": [found["eer"], found["eer"]]}
        for number, found in enumerate(metrics)
    ]
    lonely = {"name": "G50", "real": 0, "fake": 1, "metrics": None, "eer_interval": None}
    column = {"groups": [*groups, lonely], "macro": {"eer": 0.2}}
    figures = {"metrics": {"eer": 0.2}, "breakdowns": {"codec": column, "source": {"groups": [groups[0], lonely]}}}
    pictures = group_pictures(figures)
    # One group alone is nothing to compare.
    assert list(pictures) == ["codec"]
    shown = re.findall(r">(G\d+)<", pictures["codec"].svg())
    assert shown == [f"G{number}" for number in range(49, 49 - MOST_GROUPS, -1)]
    assert f"{MOST_GROUPS} highest of 50" in pictures["codec"].caption


def test_heat_grows_with_the_eer() -> None:
    assert heat_of([[0.1, None], [0.4, 0.0]]).tolist() == [[STRONGEST_HEAT / 4, 0], [STRONGEST_HEAT, 0]]
    assert heat_of([[0.0, None]]).tolist() == [[0, 0]]


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (32, 12)])
def test_the_matrix_has_a_number_in_each_cell_that_has_one(rows: int, columns: int) -> None:
    matrix = {
        "rows": "attack",
        "columns": "codec",
        "row_names": [f"A{number:02d}" for number in range(rows)],
        "column_names": [f"C{number:02d}" for number in range(columns)],
        "eer": [[0.125] * columns for _ in range(rows)],
    }
    matrix["eer"][1][0] = None
    picture = matrix_picture({"matrix": matrix})
    numbers = [text for axes in picture.figure.axes for text in axes.texts if text.get_text() == "12.5"]
    assert len(numbers) == rows * columns - 1


def test_files_are_named_apart_whatever_the_columns_are_called() -> None:
    assert file_names(["codec", "Codec", "../codec", "语", "attack and codec"]) == {
        "codec": "eer_by_codec",
        "Codec": "eer_by_codec-2",
        "../codec": "eer_by_codec-3",
        "语": "eer_by_column",
        "attack and codec": "eer_by_attack_and_codec-2",
    }


def test_drawing_leaves_matplotlib_as_it_was(make_trials: Callable[..., Trials]) -> None:
    trials = make_trials()
    figures = measure(trials, {}, resamples=2)
    plain = [picture.svg() for picture in main_pictures(trials, figures)]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "text.usetex": True}):
        before = dict(matplotlib.rcParams)
        # Nor does what a user has set change the pictures.
        assert [picture.svg() for picture in main_pictures(trials, figures)] == plain
        assert dict(matplotlib.rcParams) == before
