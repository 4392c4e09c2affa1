"""Nobody learns from a published record where files lay on somebody's machine."""

import pytest

from crnn_hf.hub.paths import without_paths


@pytest.mark.parametrize(
    ("told", "published"),
    [
        ("/srv/somebody/corpus, test", "corpus, test"),
        ("/corpus", "corpus"),
        ("~/secret/corpus", "corpus"),
        (r"C:\Users\somebody\corpus", "corpus"),
        ("crnn-hf evaluate /a/model /b/c/corpus --output=/d/report", "crnn-hf evaluate model corpus --output=report"),
        ('{"noise": "/srv/somebody/noise"}', '{"noise": "noise"}'),
        ("runs/mine and https://zenodo.org/records/14498691", "runs/mine and https://zenodo.org/records/14498691"),
        ("user/corpus, 1/2", "user/corpus, 1/2"),
        ("hf://datasets/user/corpus", "hf://datasets/user/corpus"),
    ],
)
def test_folders_of_absolute_paths_are_taken_out(told: str, published: str) -> None:
    assert without_paths(told) == published


def test_whatever_is_inside_is_looked_at_too() -> None:
    assert without_paths({"a": ["/b/c", 1], "d": {"e": "/f/g"}, "h": None}) == {
        "a": ["c", 1],
        "d": {"e": "g"},
        "h": None,
    }
