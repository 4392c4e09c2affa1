"""ASVspoof 5, Track 1, and any corpus in its layout, as a `datasets` dataset: protocols joined with their clips."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import datasets

from crnn_hf.data import locations
from crnn_hf.data.columns import DESCRIPTIONS, LABELS, features
from crnn_hf.data.protocol import ProtocolError, Trial, parse_protocol

PROTOCOL_ARCHIVES = ("ASVspoof5_protocols.tar.gz", "ASVspoof5_protocols.tar")
HUB = "hf://datasets/jungjee/asvspoof5"

HOMEPAGE = "https://www.asvspoof.org"
LICENSE = "Database: ODC-By 1.0. Bona fide speech, from Multilingual LibriSpeech (LibriVox): CC BY 4.0."
CITATION = """@article{wang2025asvspoof5,
  title = {{ASVspoof} 5: Design, collection and validation of resources for spoofing, deepfake, and adversarial attack
           detection using crowdsourced speech},
  author = {Wang, Xin and Delgado, H{\\'e}ctor and Tak, Hemlata and Jung, Jee-weon and Shim, Hye-jin and Todisco,
            Massimiliano and Kukanov, Ivan and Liu, Xuechen and Sahidullah, Md and Kinnunen, Tomi and Evans, Nicholas
            and Lee, Kong Aik and Yamagishi, Junichi and others},
  journal = {Computer Speech and Language},
  doi = {10.1016/j.csl.2025.101825},
}"""


@dataclass(frozen=True)
class Layout:
    """How one split lies on the disk.

    Attributes:
        protocol: name of its protocol file.
        tars: what the names of its tars begin with.
        published: the letters that end them, in ASVspoof 5 as it is published.
        clips: how many clips ASVspoof 5 has in it.
        folder: name of the folder into which the tars unpack.
    """

    protocol: str
    tars: str
    published: str
    clips: int
    folder: str

    @property
    def tar_names(self) -> list[str]:
        """The names of the tars of ASVspoof 5."""
        return [f"{self.tars}a{letter}.tar" for letter in self.published]


SPLITS = {
    "train": Layout("ASVspoof5.train.tsv", "flac_T_", "abcde", 182_357, "flac_T"),
    "validation": Layout("ASVspoof5.dev.track_1.tsv", "flac_D_", "abc", 140_950, "flac_D"),
    "test": Layout("ASVspoof5.eval.track_1.tsv", "flac_E_", "abcdefghij", 680_774, "flac_E_eval"),
}


@dataclass
class ASVspoof5Config(datasets.BuilderConfig):
    """What is read.

    Attributes:
        source: absolute path of a directory, or an address under which the files lie.
        splits: names of the splits wanted.
        state: what a directory holds, so that another content is another dataset to the cache.
    """

    source: str = ""
    splits: tuple[str, ...] = tuple(SPLITS)
    state: str = ""


class ASVspoof5(datasets.GeneratorBasedBuilder):
    """Builder of ASVspoof 5, Track 1; `load_asvspoof5` is the short way to it. One shard a tar, or an unpacked folder.

    A split that is not there raises when it is asked for: FileNotFoundError where there is neither protocol nor clip,
    ProtocolError where the protocol cannot be right, AudioReadError where a tar is cut off.
    """

    BUILDER_CONFIG_CLASS = ASVspoof5Config
    # Clips of some 400 KB each: the default of 1000 rows would hold half a gigabyte until they are written.
    DEFAULT_WRITER_BATCH_SIZE = 64

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="ASVspoof 5, Track 1: stand-alone speech deepfake detection, or a corpus in its layout.",
            features=features(),
            homepage=HOMEPAGE,
            license=LICENSE,
            citation=CITATION,
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        generators = []
        for split in self.config.splits:
            layout = SPLITS[split]
            protocol = find_protocol(self.config.source, layout)
            containers = find_containers(self.config.source, layout)
            # To a local path each, if they are downloaded at all; the name is what errors and rows call them.
            shards = {"containers": dl_manager.download(containers), "names": containers}
            generators.append(datasets.SplitGenerator(split, {**shards, "protocol": protocol, "split": split}))
        return generators

    def _generate_shards(self, containers: list[str], names: list[str], protocol: str, split: str) -> Iterator[str]:
        yield from names

    def _generate_examples(
        self, containers: list[str], names: list[str], protocol: str, split: str
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        trials = read_protocol(protocol, SPLITS[split].protocol)
        for shard, (container, name) in enumerate(zip(containers, names, strict=True)):
            for index, (path, content) in enumerate(clips_of(container, name)):
                trial = trials.get(locations.stem(path))
                if trial is not None:
                    yield (shard, index), as_row(trial, path, content)


def load_asvspoof5(
    source: str | Path,
    split: str,
    *,
    streaming: bool = False,
    first: int | None = None,
    num_proc: int | None = None,
    cache_dir: str | Path | None = None,
) -> datasets.Dataset | datasets.IterableDataset:
    """Load a split of ASVspoof 5, Track 1, or of a corpus in its layout.

    Args:
        source: a directory with the protocols, as files or in their archive, and the clips, in tars or unpacked into
            folders, all or some of them; `"hub"` for the Hub's copy of ASVspoof 5; or an address under which the
            files lie, such as `https://…` or `hf://datasets/user/name`.
        split: "train", "validation" (ASVspoof's dev) or "test" (eval).
        streaming: nothing is copied or downloaded first; clips are read from the tars one after the other. Without
            it they are copied once into an Arrow file in the cache, which takes as much disk as the tars, and are
            then memory-mapped.
        first: only so many clips, the first ones, which are streamed: the rest is neither copied nor downloaded.
        num_proc: processes that share the tars among themselves when that copy is made.
        cache_dir: where it goes; by default where `datasets` keeps all its caches.

    Returns:
        Rows with the columns of `crnn_hf.data.columns`. Files that no line of the protocol lists, such as the
        enrolment files of the other track, are left out; so are lines whose file is not there. `coverage` counts both.

    Raises:
        FileNotFoundError: there is no such directory, no protocol, or no clip.
        ProtocolError: the protocol cannot be right; names file, line and content.
        AudioReadError: a tar is cut off, or no tar.
        ValueError: no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; expected one of {', '.join(SPLITS)}")
    source = _resolved(source)
    # Faults of the corpus are raised here, as what they are; within the builder `datasets` would wrap them.
    read_protocol(find_protocol(source, SPLITS[split]), SPLITS[split].protocol)
    find_containers(source, SPLITS[split])
    state = "" if locations.is_address(source) else _state(Path(source))
    cache_dir = None if cache_dir is None else str(cache_dir)
    builder = ASVspoof5(cache_dir=cache_dir, source=source, splits=(split,), state=state)
    if streaming:
        stream = builder.as_streaming_dataset(split)
        return stream if first is None else stream.take(first)
    with _causes_of_failure():
        if first is not None:
            # The arguments are what the cache knows such a copy by.
            arguments = {"source": source, "split": split, "first": first, "state": state, "cache_dir": cache_dir}
            return datasets.Dataset.from_generator(
                _first_rows, features=features(), cache_dir=cache_dir, gen_kwargs=arguments, split=split
            )
        builder.download_and_prepare(num_proc=num_proc)
    if builder.info.splits[split].num_examples == 0:
        raise FileNotFoundError(f"{source}: not one of the clips that {SPLITS[split].protocol} lists")
    return builder.as_dataset(split)


def _first_rows(source: str, split: str, first: int, state: str, cache_dir: str | None) -> Iterator[dict[str, Any]]:
    builder = ASVspoof5(cache_dir=cache_dir, source=source, splits=(split,), state=state)
    yield from builder.as_streaming_dataset(split).take(first)


@contextmanager
def _causes_of_failure() -> Iterator[None]:
    """Raise what went wrong with a corpus, not that its dataset could not be generated."""
    try:
        yield
    except datasets.exceptions.DatasetGenerationError as error:
        raise error.__cause__ or error from None


@dataclass(frozen=True)
class Coverage:
    """How protocol and clips of a split match.

    Attributes:
        lines: lines of the protocol.
        without_audio: lines whose file is not there, as when only some tars were downloaded.
        unlisted: audio files that no line lists, such as the enrolment files of the other track.
    """

    lines: int
    without_audio: int
    unlisted: int


def coverage(directory: str | Path, split: str) -> Coverage:
    """Count what of a split is there, without reading a clip. Raises what `load_asvspoof5` does."""
    source, layout = _resolved(directory), SPLITS[split]
    trials = read_protocol(find_protocol(source, layout), layout.protocol)
    found = {locations.stem(name) for container in find_containers(source, layout) for name in _names_in(container)}
    return Coverage(
        lines=len(trials),
        without_audio=sum(utterance not in found for utterance in trials),
        unlisted=sum(utterance not in trials for utterance in found),
    )


def find_protocol(source: str, layout: Layout) -> str:
    """Where a split's protocol lies: the file itself, or the archive that it is in.

    Raises:
        FileNotFoundError: there is neither.
    """
    if not locations.is_address(source):
        loose = sorted([*Path(source).glob(layout.protocol), *Path(source).glob(f"*/{layout.protocol}")])
        if loose:
            return str(loose[0])
    for name in PROTOCOL_ARCHIVES:
        if locations.exists(archive := locations.join(source, name)):
            return archive
    raise FileNotFoundError(f"{source}: no protocol; expected {layout.protocol} or {' or '.join(PROTOCOL_ARCHIVES)}")


def find_containers(source: str, layout: Layout) -> list[str]:
    """Where a split's clips lie: its tars, and the folder that they unpack to.

    Behind an address, where nothing lists the files, the tars are looked for under the names that they were
    published with.

    Raises:
        FileNotFoundError: there is none.
    """
    if locations.is_address(source):
        candidates = [locations.join(source, name) for name in layout.tar_names]
        found = [location for location in candidates if locations.exists(location)]
    else:
        found = [str(path) for path in sorted(Path(source).glob(f"{layout.tars}*.tar"))]
        unpacked = Path(source) / layout.folder
        found += [str(unpacked)] if unpacked.is_dir() else []
    if not found:
        raise FileNotFoundError(f"{source}: no clips; expected {layout.tars}*.tar or {layout.folder}/*.flac")
    return found


def read_protocol(location: str, name: str) -> dict[str, Trial]:
    """The trials of a protocol by the name of their file; parsed anew only where the file has changed.

    Raises:
        ProtocolError: see `parse_protocol`; or the archive is cut off, or does not hold the protocol.
    """
    return _parsed(location, name, None if locations.is_address(location) else Path(location).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _parsed(location: str, name: str, modified: int | None) -> dict[str, Trial]:
    if Path(location).name == name:
        trials = parse_protocol(Path(location).read_bytes(), location)
    else:
        trials = parse_protocol(_read_member(location, name), f"{location}/{name}")
    return {trial.utterance: trial for trial in trials}


def _read_member(archive: str, name: str) -> bytes:
    """The file of that name, in whatever folder of the archive."""
    try:
        for member, content in locations.members(archive, ".tsv"):
            if Path(member).name == name:
                return content
    except (ValueError, OSError) as error:
        raise ProtocolError(f"{archive}: not a whole tar archive: {error}") from error
    raise ProtocolError(f"{archive}: no {name} in it")


def clips_of(container: str, name: str, wanted: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
    """The audio files of a tar or a folder: each one's path, which begins with `name`, and its content.

    `wanted` tells of a file's name whether its content is. Of a folder, what lies in a tar beside it too is left to
    that tar, so that a tar which was unpacked and kept does not count twice.
    """
    if not locations.is_address(container) and Path(container).is_dir():
        packed = _packed_beside(Path(container))
        for path in locations.files_in(container, ".flac"):
            if path.stem not in packed and (wanted is None or wanted(path.name)):
                yield str(path), path.read_bytes()
        return
    for member, content in locations.members(container, ".flac", name, wanted):
        yield f"{name}/{member}", content


def _packed_beside(folder: Path) -> set[str]:
    """The names, without extension, of the clips in the tars that unpack to a folder and lie beside it."""
    (layout,) = (layout for layout in SPLITS.values() if layout.folder == folder.name)
    tars = folder.parent.glob(f"{layout.tars}*.tar")
    return {locations.stem(name) for tar in tars for name in locations.member_names(str(tar), ".flac")}


def as_row(trial: Trial, path: str, content: bytes) -> dict[str, Any]:
    """A row with the columns of `crnn_hf.data.columns`."""
    descriptions = {name: getattr(trial, name) for name in DESCRIPTIONS}
    return {"audio": {"bytes": content, "path": path}, "label": LABELS[trial.label], **descriptions}


def _names_in(container: str) -> list[str]:
    if Path(container).is_dir():
        return [str(path) for path in locations.files_in(container, ".flac")]
    return locations.member_names(container, ".flac")


def _resolved(source: str | Path) -> str:
    """The source as an absolute path or an address."""
    if str(source) == "hub":
        return HUB
    if locations.is_address(str(source)):
        return str(source)
    if not Path(source).is_dir():
        raise FileNotFoundError(f"{source} is no directory; expected a corpus in ASVspoof 5's layout")
    return str(Path(source).resolve())


def _state(directory: Path) -> str:
    """A digest of the names, sizes and times of what a directory holds, two folders deep."""
    digest = hashlib.sha256()
    for path in sorted([*directory.glob("*"), *directory.glob("*/*")]):
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
