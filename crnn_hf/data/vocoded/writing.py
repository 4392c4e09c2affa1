"""Recordings and the fakes made of them, as files that training reads."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from tqdm.auto import tqdm

from crnn_hf.audio import AudioReadError
from crnn_hf.audio.flac import as_flac
from crnn_hf.data.columns import DESCRIPTIONS, UNKNOWN
from crnn_hf.data.reading import waveform_of
from crnn_hf.data.vocoded.plans import File, Original, generator, plan, with_stems
from crnn_hf.vocoding.on_the_fly import Resynthesis

SAMPLING_RATE = 16_000  # Hz, of real recordings and fakes alike
TABLE = "recordings.parquet"
MANIFEST = "vocoding.json"
VERSION = 2  # raise it whenever the same settings give other bytes
AT_A_TIME = 16  # recordings a worker, between two looks at what was done


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        counts: files by split and class, such as `("train", "fake")`.
        faults: what is wrong with the recordings of which nothing was made, each a line that names one.
    """

    counts: Mapping[tuple[str, str], int]
    faults: Sequence[str]


def write_fakes(
    originals: Sequence[Original],
    folder: Path,
    vocoders: Mapping[str, Resynthesis],
    *,
    run: Mapping[str, Any],
    per_clip: int = 1,
    seed: int = 0,
    workers: int = 1,
) -> Outcome:
    """Write real recordings and fakes made of them, in the layout that `crnn_hf.data.load_corpus` reads.

    `SPLIT/real/SPEAKER/NAME.flac` is a recording, and `SPLIT/fake/VOCODER/NAME.flac` a fake of it, both mono, at
    16 kHz and 16 bits, so that no file tells its class by how it was written. A recording and its fakes are always in
    the same split. `recordings.parquet` lists them with all the columns of `crnn_hf.data.columns`, and the name of
    each one's original. What is written depends on the settings and the recordings, not on `workers`; a run that was
    interrupted goes on where it stopped.

    Args:
        originals: what to make fakes of.
        folder: where to; made if it is not there.
        vocoders: by name; which of them a recording goes through is drawn.
        run: what else tells one run from another, as JSON; another run in the same folder is refused.
        per_clip: how many fakes are made of a recording, each by another vocoder.
        seed: of all that is drawn.
        workers: processes.

    Raises:
        FileExistsError: `folder` holds something else.
        ValueError: `per_clip` or `workers` is out of range.
    """
    if not 1 <= per_clip <= len(vocoders):
        raise ValueError(f"expected 1 to {len(vocoders)} fakes of a recording, as many as vocoders; found {per_clip}")
    if workers < 1:
        raise ValueError(f"expected one worker at least; found {workers}")
    claim(folder, {"version": VERSION, **run, "vocoders": list(vocoders), "per_clip": per_clip, "seed": seed})
    originals = with_stems(originals)
    plans = [(original, plan(original, list(vocoders), per_clip, seed)) for original in originals]
    job = partial(make_files, folder=folder, vocoders=vocoders, seed=seed)
    faults, kept = [], []
    with _mapper(workers) as in_order, tqdm(total=len(plans), desc="Vocoding", unit="recording") as progress:
        rest = iter(plans)
        while batch := list(islice(rest, AT_A_TIME * workers)):
            tasks = [(original.name, _audio_of(original, files, folder), files) for original, files in batch]
            for (original, files), fault in zip(batch, in_order(job, tasks), strict=True):
                if fault is None:
                    kept.append((original, files))
                else:
                    faults.append(fault)
                progress.update()
    write_table(folder / TABLE, kept)
    counts = Counter((original.split, file.label) for original, files in kept for file in files)
    return Outcome(counts, faults)


def claim(folder: Path, run: Mapping[str, Any]) -> None:
    """Make a folder for a run, or find it as the same run left it. Raises FileExistsError where it holds another."""
    manifest = folder / MANIFEST
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        _write(manifest, (json.dumps(run, indent=2) + "\n").encode())
        return
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise FileExistsError(f"{folder} is not empty; expected an empty folder, or none") from None
    other = sorted(name for name in {*found, *run} if found.get(name) != run.get(name))
    if other:
        differ = "; ".join(f"{name} {found.get(name)!r} there, {run.get(name)!r} here" for name in other)
        raise FileExistsError(f"{folder} holds another run ({differ}); expected an empty folder, or the same run")


def make_files(
    task: tuple[str, Mapping[str, Any] | None, Sequence[File]],
    folder: Path,
    vocoders: Mapping[str, Resynthesis],
    seed: int,
) -> str | None:
    """Write the files of a recording that are not there yet.

    Args:
        task: the recording's name, its audio, or None where all files are there, and its files.
        folder: that these are in.
        vocoders: by name.
        seed: of all that is drawn.

    Returns:
        What is wrong with the recording, or None.
    """
    name, audio, files = task
    if audio is None:
        return None
    try:
        waveform = waveform_of(audio, SAMPLING_RATE)
    except (AudioReadError, OSError) as error:
        return str(error)
    if not waveform.any():
        return f"{audio['path']}: digital silence throughout, of which no vocoder makes a fake"
    for file in files:
        if (folder / file.path).exists():
            continue
        heard = waveform
        if file.vocoder is not None:
            heard = vocoders[file.vocoder](waveform, SAMPLING_RATE, generator(seed, file.vocoder, name))
        _write(folder / file.path, as_flac(heard, SAMPLING_RATE))
    return None


def write_table(path: Path, kept: Iterable[tuple[Original, Sequence[File]]]) -> None:
    """List files with the columns of a corpus, their splits and their originals, as Parquet."""
    rows = [
        {
            "audio": file.path,
            "label": file.label,
            **dict.fromkeys(DESCRIPTIONS, UNKNOWN),
            "speaker": original.speaker,
            "utterance": file.path.removesuffix(".flac"),
            "attack": file.vocoder or UNKNOWN,
            "split": original.split,
            "original": original.name,
        }
        for original, files in kept
        for file in files
    ]
    if rows:
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)


def _audio_of(original: Original, files: Sequence[File], folder: Path) -> Mapping[str, Any] | None:
    """The audio of a recording of which something is still to be made; a worker may not have the corpus open."""
    return None if all((folder / file.path).exists() for file in files) else original.audio()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_name(f".{path.name}.{os.getpid()}")
    partial_path.write_bytes(content)
    partial_path.replace(path)


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[str | None]]]:
    """A ``map`` that keeps the order, in this process or in ``workers`` fresh ones."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield pool.map
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
