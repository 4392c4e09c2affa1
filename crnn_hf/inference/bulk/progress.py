"""How far a run of scoring is."""

from pathlib import Path
from typing import Self

from tqdm.auto import tqdm

from crnn_hf.inference.bulk.parts import Parts


class Progress:
    """A bar of the clips that all processes of all runs are done with, by what has come to be in their files.

    Args:
        parts: the run's folder.
        hidden: show nothing, and look at nothing.
    """

    def __init__(self, parts: Parts, hidden: bool) -> None:
        self.parts = parts
        self.hidden = hidden
        self.sizes: dict[Path, int] = {}

    def __enter__(self) -> Self:
        self.batches = 0 if self.hidden else self.parts.count(self.sizes)
        total, before = self.parts.identity.clips, self._clips()
        self.bar = tqdm(total=total, initial=before, desc="Scoring", unit="clip", disable=self.hidden)
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def update(self) -> None:
        """Look at the files again."""
        if not self.hidden:
            self.batches += self.parts.count(self.sizes)
            self.bar.update(self._clips() - self.bar.n)

    def _clips(self) -> int:
        return min(self.batches * self.parts.identity.batch_size, self.parts.identity.clips)
