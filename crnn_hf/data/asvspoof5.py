"""ASVspoof 5, Track 1, and any corpus in its layout: protocols joined with the clips they list."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypedDict

import numpy as np

from crnn_hf.audio import read_audio
from crnn_hf.data.locations import Location, files_in, members_of
from crnn_hf.data.protocol import ProtocolError, Trial, parse_protocol

PROTOCOL_ARCHIVES = ("ASVspoof5_protocols.tar.gz", "ASVspoof5_protocols.tar")


@dataclass(frozen=True)
class Layout:
    """How one split lies on the disk.

    Attributes:
        protocol: name of its protocol file.
        tars: pattern of the names of its tars.
        folder: name of the folder into which the tars unpack.
    """

    protocol: str
    tars: str
    folder: str


SPLITS = {
    "train": Layout("ASVspoof5.train.tsv", "flac_T_*.tar", "flac_T"),
    "validation": Layout("ASVspoof5.dev.track_1.tsv", "flac_D_*.tar", "flac_D"),
    "test": Layout("ASVspoof5.eval.track_1.tsv", "flac_E_*.tar", "flac_E_eval"),
}


class Clip(TypedDict):
    """A clip as the model is to hear it: mono float32 of shape (samples,), its label and its name."""

    waveform: np.ndarray
    label: int
    utterance: str


def _unchanged(waveform: np.ndarray) -> np.ndarray:
    return waveform


@dataclass
class ASVspoof5:
    """The clips of one split, read when they are asked for; a map-style dataset for PyTorch.

    Attributes:
        trials: what the protocol says of each clip, in its order.
        locations: where each clip lies, in the same order.
        missing: how many lines of the protocol have no audio file here, as when only some tars were downloaded.
        unlisted: how many audio files no line lists, such as the enrolment files of the other track.
        sampling_rate: of the waveforms, in Hz; what is recorded at another is resampled.
        transform: what is done to a waveform after reading, such as cropping.
    """

    trials: list[Trial]
    locations: list[Location]
    missing: int
    unlisted: int
    sampling_rate: int = 16_000
    transform: Callable[[np.ndarray], np.ndarray] = field(default=_unchanged)

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: int) -> Clip:
        """Read a clip. Raises AudioReadError, which names archive and member, where it cannot be read whole."""
        location, trial = self.locations[index], self.trials[index]
        waveform = read_audio(location.read(), self.sampling_rate, name=location.name)
        return Clip(waveform=self.transform(waveform), label=trial.label, utterance=trial.utterance)

    @property
    def labels(self) -> list[int]:
        """Each clip's label: 0 for real, 1 for fake."""
        return [trial.label for trial in self.trials]

    def summary(self, name: str) -> str:
        """What is there and what is not, in one line for people."""
        fakes = sum(self.labels)
        attacks = len({trial.attack for trial in self.trials if trial.label == 1})
        return (
            f"{name}: {len(self)} clips, {len(self) - fakes} real and {fakes} fake, {attacks} attacks; "
            f"{self.missing} lines without audio, {self.unlisted} audio files without a line"
        )


def load_asvspoof5(directory: str | Path, split: str, sampling_rate: int = 16_000) -> ASVspoof5:
    """Find a split's clips in a directory in ASVspoof 5's layout.

    The directory holds the protocols, as files or in `ASVspoof5_protocols.tar.gz`, and the clips, in tars or unpacked
    into folders, all or some of them.

    Args:
        directory: where the corpus was downloaded to.
        split: "train", "validation" (ASVspoof's dev) or "test" (eval).
        sampling_rate: of the waveforms wanted, in Hz.

    Raises:
        FileNotFoundError: the directory or the protocol is not there, or none of the clips it lists.
        ProtocolError: the protocol cannot be right; names file, line and content.
        AudioReadError: a tar is cut off, or no tar.
        ValueError: no such split, or two audio files for one clip.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; expected one of {', '.join(SPLITS)}")
    directory, layout = Path(directory), SPLITS[split]
    if not directory.is_dir():
        raise FileNotFoundError(f"{directory} is no directory; expected a corpus in ASVspoof 5's layout")
    trials = parse_protocol(*_find_protocol(directory, layout.protocol))
    locations = _find_clips(directory, layout)
    listed = [trial for trial in trials if trial.utterance in locations]
    if not listed:
        raise FileNotFoundError(
            f"{directory}: none of the {len(trials)} clips that {layout.protocol} lists; "
            f"expected {layout.tars} or {layout.folder}/*.flac"
        )
    return ASVspoof5(
        trials=listed,
        locations=[locations[trial.utterance] for trial in listed],
        missing=len(trials) - len(listed),
        unlisted=len(locations) - len(listed),
        sampling_rate=sampling_rate,
    )


def _find_protocol(directory: Path, name: str) -> tuple[bytes, str]:
    """A protocol's content, and what errors call it."""
    loose = next(chain(directory.glob(name), directory.glob(f"*/{name}")), None)
    if loose is not None:
        return loose.read_bytes(), str(loose)
    for archive in (directory / archive for archive in PROTOCOL_ARCHIVES):
        if archive.is_file():
            return _read_member(archive, name), f"{archive}/{name}"
    raise FileNotFoundError(f"{directory}: no protocol; expected {name} or {' or '.join(PROTOCOL_ARCHIVES)}")


def _read_member(archive: Path, name: str) -> bytes:
    """The file of that name, in whatever folder of the archive."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isreg() and Path(member.name).name == name:
                    return tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ProtocolError(f"{archive}: not a whole tar archive: {error}") from error
    raise ProtocolError(f"{archive}: no {name} in it")


def _find_clips(directory: Path, layout: Layout) -> dict[str, Location]:
    """Every audio file of a split, by its name without extension."""
    locations: dict[str, Location] = {}
    archives = sorted(directory.glob(layout.tars))
    members = (members_of(archive, ".flac") for archive in archives)
    for location in chain(*members, files_in(directory / layout.folder, ".flac")):
        # A tar that was unpacked beside itself holds the same clip again; the size tells it from another's.
        other = locations.setdefault(location.stem, location)
        if other.size != location.size:
            raise ValueError(f"two different audio files for one clip: {other.name} and {location.name}")
    return locations
