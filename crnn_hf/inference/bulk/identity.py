"""What a run of scoring is of: results of two runs may be put together only where all of it is the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

from crnn_hf.metrics.exchange.text_lines import refuse_unwritable

SETTINGS = ("config.json", "preprocessor_config.json")
WEIGHTS = {"torch": ("*.safetensors", "*.bin"), "onnx": ("onnx/*",)}


@dataclass(frozen=True)
class Identity:
    """All that decides what a run's scores are, and how its batches are composed.

    Attributes:
        model: folder or Hub name, as it was given.
        content: digest of its files, see `content_of`.
        data: which clips, in words.
        clips: how many.
        names: digest of their names in order, see `names_of`.
        batch_size: clips at a time.
        backend: what the model runs on.
    """

    model: str
    content: str
    data: str
    clips: int
    names: str
    batch_size: int
    backend: str

    @property
    def batches(self) -> int:
        """How many batches there are; the last may be smaller."""
        return -(-self.clips // self.batch_size)

    def rows(self, batch: int) -> range:
        """The rows of a batch: always the same, however many processes share the batches."""
        return range(batch * self.batch_size, min((batch + 1) * self.batch_size, self.clips))

    def differences(self, found: dict[str, Any]) -> list[str]:
        """In what another run, whose values are given by name, differs from this one; empty if in nothing.

        A model that was moved or renamed is the same one.
        """
        differing = [field.name for field in fields(self) if found.get(field.name) != getattr(self, field.name)]
        if "content" not in differing:
            differing = [name for name in differing if name != "model"]
        return [f"{name} is {found.get(name)!r} there and {getattr(self, name)!r} now" for name in differing]

    def as_dict(self) -> dict[str, Any]:
        """Its values by name."""
        return asdict(self)


def content_of(model: str | Path, backend: str) -> str:
    """A digest of the files that a detector is loaded from: its config, its feature extractor's, and its weights.

    Args:
        model: folder or Hub name, of which the files have been downloaded.
        backend: as `crnn_hf.inference.backends.load_backend` takes it.
    """
    folder = Path(model) if Path(model).is_dir() else Path(cached_file(str(model), "config.json")).parent
    digest = blake2b(digest_size=16)
    for pattern in (*SETTINGS, *WEIGHTS["torch" if backend == "torch" else "onnx"]):
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.name} {path.stat().st_size} ".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def names_of(utterances: Sequence[str]) -> str:
    """A digest of clips by their names, in order.

    Raises:
        ValueError: a name that no score file can hold, or one that two clips have.
    """
    refuse_unwritable(utterances)
    if len(set(utterances)) < len(utterances):
        seen: set[str] = set()
        twice = next(name for name in utterances if name in seen or seen.add(name))
        raise ValueError(f"two clips are called {twice!r}; a score file needs a name for each clip")
    return blake2b("\n".join(utterances).encode(), digest_size=16).hexdigest()
