"""The demo in a real browser, with a microphone that plays a file: what people see, click, type and hear."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="needs crnn-hf[space]")
playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    spoken = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    time = np.arange(20 * 16_000) / 16_000
    soundfile.write(spoken, 0.3 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(2 * np.pi * 3 * time)), 16_000)
    arguments = [
        "--no-sandbox",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}",
    ]
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide-light", "phone-dark"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, permissions=["microphone"]
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}/?__theme={scheme}")
    page.wait_for_selector("#recording input[type=file]", state="attached")
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not faults
    context.close()


def test_upload_verdict_and_timeline(page: Any, recording: Path) -> None:
    page.locator("#reasons input").check()
    page.set_input_files("#recording input[type=file]", recording)
    page.wait_for_selector("#verdict h2")
    assert "0:06.0 long" in page.inner_text("#verdict")
    assert page.get_attribute("#verdict", "aria-live") == "polite"
    page.wait_for_selector(".seen img.effects")
    page.locator(".show-effects").uncheck()
    assert not page.locator(".seen img.effects").is_visible()

    page.evaluate(
        "document.querySelector('.seen audio').addEventListener("
        "'seeked', event => { window.seekedTo = event.target.currentTime; }, {once: true})"
    )
    box = page.locator(".seen .tracks").bounding_box()
    page.locator(".seen .tracks").click(position={"x": box["width"] / 2, "y": 20})
    page.wait_for_function("window.seekedTo !== undefined")
    assert page.evaluate("window.seekedTo") == pytest.approx(3.0, abs=0.3)
    page.wait_for_function("!document.querySelector('.seen audio').paused")
    page.evaluate("document.querySelector('.seen audio').pause()")

    page.locator(".seen .tracks").focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert _time(page) == pytest.approx(1.0)
    assert page.get_attribute(".seen .tracks", "aria-valuetext").startswith("0:01.0, ")
    page.keyboard.press(" ")
    page.wait_for_function("!document.querySelector('.seen audio').paused")
    page.locator(".stretch").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.seen audio').currentTime < 1")


def test_threshold(page: Any, recording: Path) -> None:
    page.set_input_files("#recording input[type=file]", recording)
    page.wait_for_selector("#verdict h2")
    headlines = set()
    for option in ("At most 1 % of real clips flagged", "At most 1 % of fakes missed"):
        page.locator("#threshold input").click()
        page.get_by_role("option", name=option).click()
        page.wait_for_function("document.querySelector('#verdict h2').innerText.toLowerCase().includes('flag')")
        page.wait_for_timeout(1_500)
        headlines.add(page.inner_text("#verdict h2"))
        labels = page.locator(".slim .part").all_inner_texts()
        assert page.locator(".seen .marks div").count() == labels.count("fake")
    assert headlines <= {"Flagged as fake", "Not flagged"}
    assert "% of fakes are wrongly called real" in page.inner_text("#cost")


def test_an_example(page: Any) -> None:
    page.get_by_text("The same through a vocoder").click()
    page.wait_for_selector("#verdict h2")
    assert "artificial-voice-vocoded.wav" in page.inner_text("#verdict")


def test_record(page: Any) -> None:
    page.locator("#recording").get_by_label("Record audio").click()
    page.locator("#recording").get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(3_000)
    page.locator("#recording").get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector(".seen audio", state="attached")
    assert page.locator("#verdict h2").is_visible()


def test_live(page: Any) -> None:
    page.get_by_role("tab", name="Live").click()
    page.locator("#microphone").get_by_role("button", name="Record", exact=True).click()
    page.wait_for_function("/0:0[2-9]\\.\\d heard/.test(document.querySelector('#said').innerText)")
    assert page.locator(".live-voice").text_content() == page.inner_text("#said h2")
    page.locator("#microphone").get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_timeout(1_500)
    page.locator("#reset").click()
    page.wait_for_function("document.querySelector('#said').innerText.includes('Nothing was heard yet')")


def test_several(page: Any, recording: Path, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    page.get_by_role("tab", name="Several").click()
    page.set_input_files("#recordings input[type=file]", [recording, tmp_path / "text.wav"])
    page.get_by_text("text.wav").or_(page.get_by_text(".wav").last).first.wait_for()
    page.wait_for_timeout(1_000)
    page.locator("#judge-several").click()
    page.wait_for_selector("#table table")
    assert "Not judged: no audio" in page.inner_text("#table")
    with page.expect_download() as download:
        page.get_by_text("Download as CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [row["seconds"] for row in rows] == ["6.0", ""]
    assert rows[1]["error"].startswith("no audio")


def test_faults_are_told(page: Any, tmp_path: Path) -> None:
    page.locator("#judge").click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Choose a recording first')")
    (tmp_path / "text.wav").write_text("no sound at all")
    page.set_input_files("#recording input[type=file]", tmp_path / "text.wav")
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('text.wav: no audio')")
    assert str(tmp_path) not in page.inner_text("#verdict")


def _time(page: Any) -> float:
    return page.evaluate("document.querySelector('.seen audio').currentTime")
