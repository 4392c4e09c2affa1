"""The bytes of a recording, as the decoders get at them."""

import io
from pathlib import Path

import pytest

from crnn_hf.audio.content import Content


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_place_that_no_file_has_is_no_exception(tmp_path: Path, in_memory: bool) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    with io.BytesIO(b"abc") if in_memory else path.open("rb") as stream:
        content = Content(stream)
        assert content.seek(1) == 1
        assert content.seek(-5) == -1
        assert content.tell() == 1
        assert content.read(2) == b"bc"


def test_at_stops_where_the_content_does() -> None:
    content = Content(io.BytesIO(b"abc"))
    assert content.size == 3
    assert content.at(1, 1) == b"b"
    assert content.at(1, 9) == b"bc"
    assert content.at(9, 9) == b""
