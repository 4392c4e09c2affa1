"""The sizes of clips, wherever they are kept."""

from pathlib import Path

from datasets import Dataset

from crnn_hf.data import ClipReader, load_asvspoof5
from crnn_hf.data.columns import DESCRIPTIONS, features
from crnn_hf.data.lengths import sizes_of


def test_sizes_of_embedded_clips_also_after_a_selection(tiny_corpus: Path) -> None:
    train = load_asvspoof5(tiny_corpus, "train")
    expected = [len(row["audio"]["bytes"]) for row in train]
    assert sizes_of(train) == expected
    chosen = train.select([5, 2, 9]).with_transform(ClipReader())
    assert sizes_of(chosen) == [expected[index] for index in (5, 2, 9)]


def test_sizes_of_files(tmp_path: Path) -> None:
    rows = []
    for size in (300, 20):
        path = tmp_path / f"{size}.wav"
        path.write_bytes(bytes(size))
        rows.append({"audio": {"bytes": None, "path": str(path)}, "label": 0, **dict.fromkeys(DESCRIPTIONS, "-")})
    assert sizes_of(Dataset.from_list(rows, features=features())) == [300, 20]
