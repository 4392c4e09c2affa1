"""How long clips are, as far as that is known without decoding them."""

from pathlib import Path

import pyarrow.compute as pc
from datasets import Dataset

BATCH = 1000  # rows whose audio is in memory at a time


def sizes_of(dataset: Dataset) -> list[int]:
    """The size of each clip's file in bytes, which for one format and rate grows with its length.

    Args:
        dataset: rows with the columns of `crnn_hf.data.columns`. Its transform is not applied.

    Raises:
        FileNotFoundError: a recording that is kept as a path alone is not there.
    """
    sizes: list[int] = []
    for table in dataset.select_columns(["audio"]).with_format("arrow").iter(BATCH):
        audio = table.column("audio").combine_chunks()
        contents = pc.binary_length(audio.field("bytes")).to_pylist()
        paths = audio.field("path").to_pylist()
        sizes += [
            Path(path).stat().st_size if size is None else size for size, path in zip(contents, paths, strict=True)
        ]
    return sizes
