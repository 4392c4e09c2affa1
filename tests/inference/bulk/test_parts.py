"""The folder of a run of scoring: what counts as finished, and what does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from crnn_hf.inference.bulk.identity import Identity, content_of
from crnn_hf.inference.bulk.parts import HEADER, FinishedBatch, Parts


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    identity = Identity("model", "1", "clips", clips=5, names="2", batch_size=2, backend="torch")
    return Parts(tmp_path / "scores.tsv.parts", identity)


def test_batches_are_read_back_as_they_were(parts: Parts) -> None:
    parts.begin()
    batches = [FinishedBatch(1, {2: 0.1 + 0.2, 3: -1e-300}, {}), FinishedBatch(2, {}, {4: "cut\toff\n"})]
    for process, batch in enumerate(batches):
        with parts.written_by(process) as keep:
            keep(batch)
    assert parts.finished() == {1: batches[0], 2: batches[1]}
    sizes: dict[Path, int] = {}
    assert [parts.count(sizes), parts.count(sizes)] == [2, 0]


def test_the_beginning_of_a_line_is_no_batch_and_the_next_line_does_not_join_it(parts: Parts) -> None:
    parts.begin()
    one, two = FinishedBatch(0, {0: 1.5, 1: 2.5}, {}), FinishedBatch(1, {2: 3.5, 3: 4.5}, {})
    for cut in range(1, len(two.as_line())):
        (parts.folder / "part-0.jsonl").write_bytes(one.as_line() + two.as_line()[:-cut])
        assert parts.finished() == {0: one}
        with parts.written_by(0) as keep:
            keep(two)
        assert parts.finished() == {0: one, 1: two}


def test_a_line_that_no_process_wrote_is_named(parts: Parts) -> None:
    parts.begin()
    (parts.folder / "part-0.jsonl").write_bytes(FinishedBatch(0, {0: 1.0}, {}).as_line() + b"{}\n")
    with pytest.raises(ValueError, match=r"part-0\.jsonl, line 2: no finished batch; delete the folder"):
        parts.finished()


def test_a_folder_without_header_holds_nothing(parts: Parts) -> None:
    parts.begin()
    with parts.written_by(0) as keep:
        keep(FinishedBatch(0, {0: 1.0, 1: 1.0}, {}))
    assert parts.are_there()
    (parts.folder / HEADER).unlink()
    assert not parts.are_there()
    parts.begin()
    assert parts.finished() == {}


def test_a_model_that_was_moved_is_the_same_and_another_one_is_not(parts: Parts) -> None:
    parts.begin()
    assert Parts(parts.folder, replace(parts.identity, model="moved/model")).are_there()
    with pytest.raises(ValueError, match="model is 'model' there and 'other' now; content is '1' there and '3' now;"):
        Parts(parts.folder, replace(parts.identity, model="other", content="3")).are_there()


def test_a_header_that_is_none_is_named(parts: Parts) -> None:
    parts.begin()
    (parts.folder / HEADER).write_text("[1]")
    with pytest.raises(ValueError, match=r"header\.json: not the header of a run"):
        parts.are_there()


def test_batches_cover_the_rows(parts: Parts) -> None:
    rows = [list(parts.identity.rows(batch)) for batch in range(parts.identity.batches)]
    assert rows == [[0, 1], [2, 3], [4]]


def test_another_content_is_another_model(tmp_path: Path) -> None:
    contents = set()
    for name, text in (("config.json", "{}"), ("model.safetensors", "1"), ("model.safetensors", "2")):
        (tmp_path / name).write_text(text)
        contents.add(content_of(tmp_path, "torch"))
    (tmp_path / "README.md").write_text("a model")
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_text("3")
    assert content_of(tmp_path, "torch") in contents
    assert content_of(tmp_path, "onnx") not in contents
    assert len(contents) == 3
