"""Evaluation on clips that are augmented, once and always the same: coded ones, say, where a corpus has none."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from datasets import Dataset
from datasets.fingerprint import Hasher

from crnn_hf.audio.flac import as_flac
from crnn_hf.augmentation import Chain
from crnn_hf.data.reading import waveform_of

CACHE = "crnn_hf-augmented"  # folder within that of `datasets`


@dataclass(frozen=True)
class Augmenter:
    """Augments a row of a corpus. What is drawn depends on the clip's name and on nothing else.

    Attributes:
        chain: of waveforms; it says at which sampling rate.
    """

    chain: Chain

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's `audio` anew: FLAC of 16 bits, in which what exceeds full scale is clipped.

        Raises:
            AudioReadError: the clip cannot be read whole; the message names it.
        """
        waveform = waveform_of(row["audio"], self.chain.sampling_rate)
        waveform = self.chain(waveform, np.random.default_rng(_seed(row["utterance"])))
        content = as_flac(waveform, self.chain.sampling_rate)
        return {"audio": {"bytes": content, "path": row["audio"]["path"]}}


def augmented(dataset: Dataset, chain: Chain) -> Dataset:
    """Augment all clips of a corpus, with a progress bar, and keep the result where `datasets` keeps its copies.

    The next run with the same clips and augmentations finds them there. One process does it: those that `map` forks
    could wait for ever on a lock of PyTorch's threads.

    Args:
        dataset: rows with the columns of `crnn_hf.data.columns`.
        chain: what is done to each clip.

    Raises:
        AudioReadError, FileNotFoundError: a clip cannot be read whole; the message names it.
    """
    augmenter = Augmenter(chain)
    key = Hasher.hash([dataset._fingerprint, augmenter, _states(dataset)])
    folder = Path(datasets.config.HF_DATASETS_CACHE) / CACHE
    folder.mkdir(parents=True, exist_ok=True)
    return dataset.map(
        augmenter,
        features=dataset.features,
        cache_file_name=str(folder / f"{key}.arrow"),
        new_fingerprint=key,
        desc="Augmenting an evaluation set",
    )


def _seed(utterance: str) -> int:
    return int.from_bytes(blake2b(utterance.encode(), digest_size=7).digest(), "big")


def _states(dataset: Dataset) -> list[tuple[int, int]]:
    """When each recording that is kept as a path alone was written, and how large it is."""
    recordings = dataset.select_columns(["audio"]).with_format(None)
    if recordings[0]["audio"]["bytes"] is not None:
        return []  # they are part of the dataset, whose own fingerprint tells them apart
    found = [Path(row["audio"]["path"]).stat() for row in recordings]
    return [(state.st_mtime_ns, state.st_size) for state in found]
