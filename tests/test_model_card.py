"""The card's template renders, and leaves out what there is nothing to say about."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard, ModelCardData

TEMPLATE = Path(__file__).parents[1] / "model_card.md"
ALWAYS = {
    "model_name": "CRNN",
    "repo_id": "user/crnn",
    "sampling_rate": 16_000,
    "parameters": "0.77 M",
    "licence": "Apache-2.0",
    "citation": "@misc{crnn}",
}
SECTIONS = {
    "data": "## Data",
    "training": "## Training",
    "results": "## Results",
    "thresholds": "## Thresholds",
    "speed": "## Speed",
    "versions": "## What is new",
}


def render(**values: object) -> ModelCard:
    card_data = ModelCardData(license="apache-2.0", pipeline_tag="audio-classification", library_name="transformers")
    return ModelCard.from_template(card_data, template_path=str(TEMPLATE), **{**ALWAYS, **values})


def test_a_card_says_which_label_is_which() -> None:
    card = render()
    assert card.data.license == "apache-2.0"
    assert card.data.pipeline_tag == "audio-classification"
    assert "`0` = real, `1` = fake" in card.text
    assert 'model="user/crnn"' in card.text


def test_a_second_opinion_is_told_of_where_there_is_one() -> None:
    told = "linear), and beside it a small network that hears the fine structure of the spectrum, that tells\nwhether"
    assert told in render(second_opinion=True).text
    assert "linear) that tells\nwhether" in render(second_opinion=False).text


@pytest.mark.parametrize(("name", "heading"), SECTIONS.items())
def test_a_section_without_data_is_left_out(name: str, heading: str) -> None:
    assert heading not in render().text
    assert f"{heading}\n\nWhat was found." in render(**{name: "What was found."}).text


def test_a_model_without_calibration_says_so() -> None:
    assert "not to be read as chances" in render().text
    assert "not to be read as chances" not in render(calibration="affine").text


def test_a_warning_stands_above_the_rest() -> None:
    text = render(warning="Artificial voices.").text
    assert 0 < text.index("> **Artificial voices.**") < text.index("## Use")
    assert "> **" not in render().text


def test_no_placeholder_is_left() -> None:
    text = render(**dict.fromkeys([*SECTIONS, "warning", "limits", "calibration"], "x")).text
    assert "{{" not in text
    assert "{%" not in text
    assert "\n\n\n" not in text
