"""A score file is the same to the byte, whoever wrote it and however often they were killed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from crnn_hf.inference import load_detector, score_clips
from crnn_hf.inference.bulk import errors_beside, score_to_file
from crnn_hf.inference.bulk.lock import only_run
from crnn_hf.metrics import read_scores


@pytest.fixture(scope="module")
def unbroken(dataset: Dataset, tiny_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The score file of one process that nothing has stopped."""
    output = tmp_path_factory.mktemp("unbroken") / "scores.tsv"
    assert score_to_file(tiny_detector, dataset, output, batch_size=3) == []
    assert [path.name for path in output.parent.iterdir()] == ["scores.tsv"]
    return output.read_bytes()


def lines_of(parts: Path) -> list[dict]:
    return [json.loads(line) for path in parts.glob("part-*") for line in path.read_text().splitlines()]


def test_the_scores_are_those_of_score_clips(
    dataset: Dataset, tiny_detector: Path, unbroken: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "scores.tsv"
    path.write_bytes(unbroken)
    names, scores = read_scores(path)
    expected = score_clips(*load_detector(tiny_detector), dataset, batch_size=3).trials
    assert names == expected.utterances
    np.testing.assert_allclose(scores, expected.scores, atol=1e-5)


@pytest.mark.parametrize("workers", [0, 3])
def test_workers_change_nothing(
    dataset: Dataset, tiny_detector: Path, unbroken: bytes, tmp_path: Path, workers: int
) -> None:
    score_to_file(tiny_detector, dataset, tmp_path / "new" / "scores.tsv", batch_size=3, workers=workers)
    assert (tmp_path / "new" / "scores.tsv").read_bytes() == unbroken


def test_two_processes_write_what_one_does(score_in_processes: Callable, unbroken: bytes, tmp_path: Path) -> None:
    output = tmp_path / "scores.tsv"
    score_in_processes(output, count=2)
    assert output.read_bytes() == unbroken
    assert [path.name for path in tmp_path.iterdir()] == ["scores.tsv"]


def test_kills_lose_no_finished_batch_and_repeat_none(
    score_in_processes: Callable, unbroken: bytes, tmp_path: Path
) -> None:
    output, parts = tmp_path / "scores.tsv", tmp_path / "scores.tsv.parts"
    before: list[dict] = []
    for count in (1, 2, 1):  # with another number of processes each time
        score_in_processes(output, count, killed_after=2)
        assert not output.exists()
        lines = lines_of(parts)
        assert len(lines) >= len(before) + 2
        assert all(line in lines for line in before)
        assert len({line["batch"] for line in lines}) == len(lines) < 20
        before = lines
    score_in_processes(output, 2)
    assert output.read_bytes() == unbroken
    assert not parts.exists()


def test_a_line_half_written_is_dropped(score_in_processes: Callable, unbroken: bytes, tmp_path: Path) -> None:
    output, part = tmp_path / "scores.tsv", tmp_path / "scores.tsv.parts" / "part-0.jsonl"
    score_in_processes(output, killed_after=3)
    lines = lines_of(part.parent)
    part.write_bytes(part.read_bytes()[:-20])
    score_in_processes(output, killed_after=1)
    again = lines_of(part.parent)
    assert again[: len(lines) - 1] == lines[:-1]
    assert len({line["batch"] for line in again}) == len(again)
    score_in_processes(output)
    assert output.read_bytes() == unbroken


def test_another_run_is_not_gone_on_with(
    score_in_processes: Callable, dataset: Dataset, tiny_detector: Path, tmp_path: Path
) -> None:
    output = tmp_path / "scores.tsv"
    score_in_processes(output, killed_after=1)
    with pytest.raises(
        ValueError, match=r"batch_size is 3 there and 4 now; delete the folder .*scores\.tsv\.parts to"
    ):
        score_to_file(tiny_detector, dataset, output, batch_size=4)
    with pytest.raises(ValueError, match="clips is 60 there and 59 now; names is"):
        score_to_file(tiny_detector, dataset.select(range(59)), output, batch_size=3)
    with pytest.raises(ValueError, match="data is '' there and 'others' now; delete"):
        score_to_file(tiny_detector, dataset, output, batch_size=3, data="others", overwrite=True)
    assert not output.exists()


def test_an_output_is_overwritten_only_if_asked_for(dataset: Dataset, tiny_detector: Path, tmp_path: Path) -> None:
    output, few = tmp_path / "scores.tsv", dataset.select(range(4))
    output.write_text("mine")
    with pytest.raises(FileExistsError, match=r"scores\.tsv is there already"):
        score_to_file(tiny_detector, few, output)
    assert output.read_text() == "mine"
    score_to_file(tiny_detector, few, output, overwrite=True)
    assert len(read_scores(output)[0]) == 4
    with pytest.raises(FileExistsError, match="is a folder; expected the name of a score file"):
        score_to_file(tiny_detector, few, tmp_path, overwrite=True)


def test_clips_that_cannot_be_scored_are_named(dataset: Dataset, tiny_detector: Path, tmp_path: Path) -> None:
    output = tmp_path / "scores.tsv"
    few = dataset.select(range(8))
    paths = [audio["path"] for audio in few["audio"]]
    contents = [Path(path).read_bytes() for path in paths]
    contents[1], contents[6] = contents[1][:3_000], b"no audio"
    audio = [{"bytes": content, "path": path} for content, path in zip(contents, paths, strict=True)]
    damaged = few.remove_columns("audio").add_column("audio", audio)

    errors = score_to_file(tiny_detector, damaged, output, batch_size=2)
    names = list(few["utterance"])
    assert [name for name, _ in errors] == [names[1], names[6]]
    assert read_scores(output)[0] == [name for row, name in enumerate(names) if row not in (1, 6)]
    header, first, second = errors_beside(output).read_text().splitlines()
    assert header == "filename\treason"
    assert first.startswith(f"{names[1]}\t")
    assert "cut off or damaged" in first
    assert second.startswith(f"{names[6]}\t")

    assert score_to_file(tiny_detector, few, output, overwrite=True) == []
    assert not errors_beside(output).exists()


def test_two_clips_of_one_name_are_refused(dataset: Dataset, tiny_detector: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"two clips are called '{dataset['utterance'][0]}'"):
        score_to_file(tiny_detector, dataset.select([0, 1, 0]), tmp_path / "scores.tsv")


def test_two_runs_do_not_write_one_output(dataset: Dataset, tiny_detector: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "scores.tsv"
    few = dataset.select(range(4))
    with (
        only_run(output),
        pytest.raises(ValueError, match=r"scores\.tsv: another run is writing it; wait for its end"),
    ):
        score_to_file(tiny_detector, few, output)
    score_to_file(tiny_detector, few, output)
    assert [path.name for path in output.parent.iterdir()] == ["scores.tsv"]
