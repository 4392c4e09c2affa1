"""Any corpus by one name: ASVspoof 5 or one in its layout, or anybody's own recordings."""

from pathlib import Path
from typing import Any

from datasets import Dataset

from crnn_hf.data import locations
from crnn_hf.data.asvspoof5 import PROTOCOL_ARCHIVES, SPLITS, coverage, load_asvspoof5
from crnn_hf.data.columns import UNKNOWN
from crnn_hf.data.own import load_recordings
from crnn_hf.data.subsets import natural_subset, speaker_disjoint_split, stratified_split

# Of recordings that nobody has split: the share that training does not hear, and the seed that it is drawn by.
VALIDATION_SHARE = 0.2
EVERYTHING = "all"
SPLIT_SEED = 0


def load_corpus(
    source: str | Path, split: str, *, first: int | None = None, may_lack_class: bool = False, **recordings: Any
) -> Dataset:
    """Load a split of a corpus for training or evaluation.

    Args:
        source: a corpus in ASVspoof 5's layout, or its address, or `"hub"`, see `load_asvspoof5`; or anything that
            `load_recordings` takes. A folder may hold a folder for each split, `train/` and `validation/`, each with
            its classes. Where nobody has split the recordings, a fifth of them is validation, always the same: other
            speakers than those of training where speakers are known, otherwise a fifth of each attack.
        split: "train", "validation" or "test"; of recordings that nobody has split also "all", for a detector that was
            trained on others.
        first: only so many clips: the first ones of ASVspoof 5, which are streamed, or of recordings as many that
            keep the shares of the classes and attacks.
        may_lack_class: whether a folder of recordings may hold one class alone.
        recordings: what else `load_recordings` is to be told, such as the names of columns.

    Raises:
        FileNotFoundError, ProtocolError, AudioReadError, ValueError: see `load_asvspoof5` and `load_recordings`.
    """
    if first is not None and first < 1:
        raise ValueError(f"first must be at least 1; found {first}")
    if is_asvspoof5(source):
        if recordings:
            raise ValueError(f"{source} is in ASVspoof 5's layout, whose columns are known; found {recordings}")
        return load_asvspoof5(source, split, first=first)
    dataset = _split_of_recordings(str(source), split, {**recordings, "may_lack_class": may_lack_class})
    return dataset if first is None or first >= len(dataset) else natural_subset(dataset, first, SPLIT_SEED)


def overview(dataset: Dataset, source: str | Path, split: str) -> str:
    """What a split loaded from `source` holds, and what it lacks as far as that is known, in one line for people."""
    fakes = [attack for attack, label in zip(dataset["attack"], dataset["label"], strict=True) if label == 1]
    text = (
        f"{split}: {len(dataset)} clips, {len(dataset) - len(fakes)} real and {len(fakes)} fake, "
        f"{len(set(fakes) - {UNKNOWN})} known attacks"
    )
    if not is_asvspoof5(source) or not Path(source).is_dir():
        return text
    counts = coverage(source, split)
    return f"{text}; {counts.without_audio} lines without audio, {counts.unlisted} audio files without a line"


def is_asvspoof5(source: str | Path) -> bool:
    """Whether a source is in ASVspoof 5's layout: an address, "hub", or a directory with its protocols."""
    if locations.is_address(str(source)) or str(source) == "hub":
        return True
    names = [*PROTOCOL_ARCHIVES, *(layout.protocol for layout in SPLITS.values())]
    return any(found for name in names for found in (*Path(source).glob(name), *Path(source).glob(f"*/{name}")))


def _split_of_recordings(source: str, split: str, recordings: dict[str, Any]) -> Dataset:
    if split == EVERYTHING:
        return load_recordings(source, **recordings)
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; expected one of {', '.join(SPLITS)} or {EVERYTHING}")
    if (folder := Path(source) / split).is_dir():
        return load_recordings(folder, **recordings)
    if not Path(source).exists():
        if source.count("/") != 1 or Path(source).parent.is_dir():
            raise FileNotFoundError(f"{source}: no such file or folder, and no name on the Hub, which is user/name")
        return load_recordings(source, split=split, **recordings)
    if split == "test":
        or_folder = f", or a folder {folder}" if Path(source).is_dir() else ""
        raise ValueError(f"{source} has no test split; expected train, validation or {EVERYTHING}{or_folder}")
    everything = load_recordings(source, **recordings)
    knows_speakers = UNKNOWN not in everything["speaker"] and len(set(everything["speaker"])) > 1
    divide = speaker_disjoint_split if knows_speakers else stratified_split
    train, validation = divide(everything, VALIDATION_SHARE, SPLIT_SEED)
    return train if split == "train" else validation
