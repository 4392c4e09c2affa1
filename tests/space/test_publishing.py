"""The demo as the Hub takes it: the head of its README, and what it asks to be installed."""

import tomllib
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard

TOP = Path(__file__).parents[2]


@pytest.fixture
def project() -> dict:
    return tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_what_the_package_needs_is_installed(project: dict) -> None:
    asked = (TOP / "space" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    extras = project["optional-dependencies"]
    assert set(project["dependencies"]) | set(extras["onnx"]) | set(extras["space"]) <= set(asked)


def test_the_head_of_the_readme(project: dict) -> None:
    head = SpaceCard.load(TOP / "space" / "README.md").data
    assert (head.sdk, head.app_file) == ("gradio", "app.py")
    assert len(head.short_description) <= 60
    lowest = project["optional-dependencies"]["space"][0].removeprefix("gradio>=").split(",")[0]
    assert head.sdk_version.startswith(lowest)
