"""The pages: all that was measured is on them, nothing from data breaks them, and they need nothing else."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from crnn_hf.metrics import abstention_band, operating_points
from crnn_hf.metrics.report import measure, write_report
from crnn_hf.metrics.report.pages import escaped_for_markdown, html_page, markdown_page
from crnn_hf.metrics.report.pictures import heat_of
from crnn_hf.metrics.report.wording import METRICS, UNMEASURED, figure, headline, interval, out_of, printable, share
from crnn_hf.metrics.trials import Trials

HOSTILE = ("<script>alert(1)</script>", "a|b\nc", "$x_1$", "_hidden", "`&amp;`", "A" * 60, "\x00\udcff")
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Reads a page: refuses tags that do not match, and keeps ids, tags with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(folder: Path, trials: Trials, **how: object) -> tuple[dict, Page, str]:
    """Figures, web page and Markdown of a report that is written into a folder."""
    figures = measure(trials, {"model": "the model", "data": "the data", "unscored_clips": 3}, resamples=20, **how)
    write_report(folder, trials, figures)
    return figures, Page((folder / "report.html").read_text("utf-8")), (folder / "report.md").read_text("utf-8")


def pages(trials: Trials, **how: object) -> tuple[dict, Page, str]:
    """The same without pictures, for they take longest, and without files."""
    figures = measure(trials, {}, resamples=20, **how)
    return figures, Page(html_page(figures, [], {}, None)), markdown_page(figures, [], {}, None)


@pytest.fixture(scope="module")
def full(make_trials: Callable[..., Trials], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Page, str, Path]:
    folder = tmp_path_factory.mktemp("full")
    return *report(folder, make_trials(speakers=30)), folder


def test_everything_measured_is_on_both_pages(full: tuple[dict, Page, str, Path]) -> None:
    figures, page, markdown, _ = full
    for text in (page.text, markdown.replace("\\", "")):
        assert headline(figures) in text
        assert "the model" in text
        assert "Unscored clips" in text
        counts = figures["counts"]
        assert f"600, of which {counts['real']} real and {counts['fake']} fake" in text
        for name, metric in METRICS.items():
            assert metric.label in text
            assert figure(name, figures["metrics"][name]) in text
            for kind in ("by_clip", "by_speaker"):
                assert interval(name, figures["intervals"][kind][name]) in text
        for point in figures["operating_points"]:
            assert point["name"] in text
            assert point["meaning"] in text
        for column, found in figures["breakdowns"].items():
            assert f"By {column}" in text
            for group in found["groups"]:
                assert group["name"] in text
                if group["metrics"]:
                    assert interval("eer", group["eer_interval"]) in text
        for row in figures["matrix"]["eer"]:
            assert all(f"{100 * value:.1f}" in text for value in row if value is not None)
        assert "Not calibrated: the scores are not log-likelihood ratios" in text


def test_a_group_of_one_class_is_listed_with_its_counts(full: tuple[dict, Page, str, Path]) -> None:
    figures, page, markdown, _ = full
    (lonely,) = [group for group in figures["breakdowns"]["codec"]["groups"] if group["name"] == "C10"]
    assert lonely["real"] == 0
    row = f"C10 | 0 | {lonely['fake']} | {UNMEASURED} | {UNMEASURED} |"
    assert row in markdown
    assert row.replace(" | ", "").replace(" |", "") in page.text.replace(" ", "")


def test_the_page_can_be_read_by_all_and_asks_for_nothing(full: tuple[dict, Page, str, Path]) -> None:
    _, page, _, folder = full
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["aria-labelledby"] for attributes in page.all("section")} <= set(ids)
    assert not page.all("script")
    assert "http://" not in (folder / "report.html").read_text("utf-8")
    assert "https://" not in (folder / "report.html").read_text("utf-8")
    for attribute in ("src", "href"):
        assert all((found.get(attribute) or "#").startswith("#") for _, found in page.tags)
    assert all(attributes["scope"] in ("row", "col") for attributes in page.all("th"))
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in page.all("svg"))
    assert len(page.all("svg")) == len(page.all("figure")) == len(page.all("figcaption")) == 5
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_each_cell_of_the_matrix_is_as_dark_as_its_eer(full: tuple[dict, Page, str, Path]) -> None:
    figures, page, _, _ = full
    styles = [attributes["style"] for attributes in page.all("td") if "style" in attributes]
    assert styles == [f"--heat: {opacity:.2f}" for opacity in heat_of(figures["matrix"]["eer"]).flat]
    assert len(set(styles)) > len(figures["matrix"]["column_names"])


def test_markdown_names_the_pictures_that_lie_beside_it(full: tuple[dict, Page, str, Path]) -> None:
    _, _, markdown, folder = full
    named = re.findall(r"\]\(([^)]+\.png)\)", markdown)
    assert sorted(named) == sorted(path.name for path in folder.glob("*.png"))
    assert set(named) >= {"det.png", "scores.png", "calibration.png", "eer_by_attack_and_codec.png"}
    assert_tables_are_whole(markdown)


def test_figures_are_written_as_they_are(full: tuple[dict, Page, str, Path]) -> None:
    figures, _, _, folder = full
    text = (folder / "metrics.json").read_text("utf-8")
    assert json.loads(text) == json.loads(json.dumps(figures))
    assert list(json.loads(text)) == list(figures)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_report(folder, None, {"format": float("nan")})


def test_same_clips_same_bytes(full: tuple[dict, Page, str, Path], make_trials: Callable, tmp_path: Path) -> None:
    *_, folder = full
    report(tmp_path / "new" / "again", make_trials(speakers=30))
    again = {path.name: path.read_bytes() for path in (tmp_path / "new" / "again").iterdir()}
    assert again == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_names_from_data_break_nothing(make_trials: Callable[..., Trials], tmp_path: Path) -> None:
    trials = make_trials(attacks=HOSTILE)
    trials = Trials(
        trials.utterances, trials.scores, trials.is_fake, {**trials.columns, HOSTILE[0]: trials.columns["codec"]}
    )
    figures = measure(trials, {"model": HOSTILE[0], "data": "a|b\n# c", "nested": {"a": [1, None]}}, resamples=2)
    figures["warnings"].append("</p><img src=x>")
    write_report(tmp_path, trials, figures)
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert not page.all("script")
    assert not page.all("img")
    assert f"a: 1, {UNMEASURED}" in page.text
    for name in HOSTILE:
        assert " ".join(printable(name).split()) in page.text
    markdown = (tmp_path / "report.md").read_text("utf-8")
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert r"a\|b c" in markdown
    assert r"\$x\_1\$" in markdown
    assert_tables_are_whole(markdown)
    assert (tmp_path / "eer_by_script_alert_1_script.png").exists()


def test_what_is_not_known_leaves_no_trace(make_trials: Callable[..., Trials], tmp_path: Path) -> None:
    trials = make_trials()
    figures = measure(Trials(trials.utterances, trials.scores, trials.is_fake), {}, resamples=20)
    write_report(tmp_path, trials, figures)
    page, markdown = Page((tmp_path / "report.html").read_text("utf-8")), (tmp_path / "report.md").read_text("utf-8")
    for text in (page.text, markdown):
        for absent in ("by speaker;", "interval by speaker", "By attack", "Macro:", "Warning", "EER by", "None"):
            assert absent not in text
    assert "# Evaluation\n" in markdown
    assert not re.search(r"\n#+ [^\n]+\n+#{1,2} ", markdown)
    assert {path.name for path in tmp_path.glob("*.png")} == {"det.png", "scores.png", "calibration.png"}


def test_a_calibrated_model_says_what_its_thresholds_cost_here_and_where_they_were_found(
    make_trials: Callable[..., Trials],
) -> None:
    trials = make_trials()
    points = [asdict(point) for point in operating_points(trials.scores[:300], trials.is_fake[:300])]
    calibration = {
        "scale": 0.75,
        "offset": -0.5,
        "prior_of_real": 0.655,
        "thresholds": points,
        "abstain": list(abstention_band(trials.scores, trials.is_fake)),
        "data": "validation",
        "clips": {"real": 120, "fake": 180},
    }
    figures, page, markdown = pages(trials, calibration=calibration)
    for text in (page.text, markdown):
        assert (
            "Calibrated: the scores are natural-log likelihood ratios of real to fake, 0.75 x the difference of the "
            "model's logits - 0.5, fitted for a prior of real of 0.655 on validation (120 real clips, 180 fakes)."
        ) in text
        assert "Not calibrated" not in text
        assert "fakes missed when fitted" in text
        for point in figures["operating_points"]:
            assert share(point["far"]) in text
            assert share(point["far_when_fitted"]) in text


def test_no_errors_are_no_promise() -> None:
    is_fake = np.arange(100) % 2 == 1
    trials = Trials([f"E_{number}" for number in range(100)], np.where(is_fake, -3.0, 3.0), is_fake)
    _, page, _ = pages(trials)
    # One or more errors in 50 clips, each with a chance of 5.82 %, have a chance of 95 %.
    assert "makes no error on 50 real clips and 50 fakes" in page.text
    assert "up to 5.82 % of real clips" in page.text


def test_warnings_come_first() -> None:
    trials = Trials(list("abcd"), np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    _, page, markdown = pages(trials)
    assert page.text.index("the scores look reversed") < page.text.index("What was measured")
    assert "> **Warning:** the scores look reversed" in markdown


def test_shares_as_people_say_them() -> None:
    assert [out_of(value) for value in (0.22, 1 - 0.9, 0.0221, 0.00221, 0.00001, 0.0, 1.0)] == [
        "22 of 100",
        "10 of 100",
        "22 of 1,000",
        "22 of 10,000",
        "fewer than 1 of 10,000",
        "none of 100",
        "100 of 100",
    ]
    assert [share(value) for value in (0.21964, 0.0, 0.00003, 1.0)] == ["21.96 %", "0.00 %", "0.003 %", "100.00 %"]


def test_text_for_markdown() -> None:
    assert escaped_for_markdown("a|b\n<i>`*_[x](y)\\") == r"a\|b &lt;i&gt;\`\*\_\[x\](y)\\"


def assert_tables_are_whole(markdown: str) -> None:
    """Every row of every table has as many cells as its header."""
    tables = re.findall(r"(?:^\|.*\|$\n)+", markdown, re.MULTILINE)
    assert tables
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1
        assert re.fullmatch(r"\|(-+:?\|)+", table.splitlines()[1])
