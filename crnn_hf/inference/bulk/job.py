"""A corpus of any size in, a score file out; by one process or several, broken off and gone on with at any time."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate.state import PartialState
from datasets import Dataset

from crnn_hf.data import ClipReader, Collator
from crnn_hf.inference.backends import load_backend
from crnn_hf.inference.background import in_background, threads_each, usual_workers
from crnn_hf.inference.batches import allowed_batch_size, collect, read_clips, scores_of
from crnn_hf.inference.bulk.identity import Identity, content_of, names_of
from crnn_hf.inference.bulk.lock import only_run
from crnn_hf.inference.bulk.merging import merge
from crnn_hf.inference.bulk.parts import FinishedBatch, Parts
from crnn_hf.inference.bulk.processes import processes
from crnn_hf.inference.bulk.progress import Progress


class ReadBatch(NamedTuple):
    """A batch that is ready for the model.

    Attributes:
        number: of the batch.
        rows: of the clips that have features, in order.
        inputs: from `Collator`; None where no clip has features.
        faults: why a row has none.
    """

    number: int
    rows: list[int]
    inputs: dict[str, torch.Tensor] | None
    faults: dict[int, str]


def score_to_file(
    model: str | Path,
    dataset: Dataset,
    output: Path,
    *,
    data: str = "",
    batch_size: int = 32,
    backend: str = "torch",
    workers: int | None = None,
    overwrite: bool = False,
) -> list[tuple[str, str]]:
    """Score every clip and write a score file, as `crnn_hf.metrics.write_scores` does, in the order of the corpus.

    What is finished is kept in a folder beside the output, `scores.tsv.parts` for `scores.tsv`. Called again with the
    same arguments after it was killed, it goes on there, with any number of processes. Batches are composed the same
    whatever happens, so that the files are too, to the byte, on devices of one kind (on some processors only where
    MKL_CBWR=AUTO was set before PyTorch's first product, as `crnn-hf score` does). Clips that cannot be scored are
    named in `scores.errors.tsv`. All processes that `accelerate launch` or `torchrun` started are to call this; of two
    runs at a time on one output the second is refused.

    Args:
        model: folder or Hub name.
        dataset: rows with the columns of `crnn_hf.data.columns`, the same in each process.
        output: the score file.
        data: what the clips are called; part of what must be the same to go on.
        batch_size: clips at a time.
        backend: what the model runs on, as `load_backend` takes it.
        workers: threads, in each process, that read clips and compute their features while the model is at work
            elsewhere; on a CPU they score them as well, for a model gains less by several cores for one batch than by
            a batch for each core. See `usual_workers` for how many by default.
        overwrite: replace an output that is there.

    Returns:
        The clips that could not be scored, in order: each one's name, and why. Of several processes, only the main
        one knows; the others get none.

    Raises:
        FileExistsError: the output is there, whole, and not to be overwritten.
        ValueError: another run is writing the output; the folder is of another run, which the message tells apart from
            this one; `batch_size` or `workers` is out of range; names that no score file can hold; or as
            `load_backend`, `scores_of`.
        OSError: as `load_backend`, or a file cannot be written.
    """
    if workers is not None and workers < 0:
        raise ValueError(f"workers must be at least 0; found {workers}")
    state = processes()
    # ONNX Runtime has a device of its own.
    device = state.device if backend == "torch" else torch.device("cpu")
    workers = usual_workers(device) if workers is None else workers
    threads = threads_each(workers) if device.type == "cpu" else 1
    detector, feature_extractor = load_backend(model, backend, device, threads)
    utterances = list(dataset["utterance"])
    identity = Identity(
        model=str(model),
        content=content_of(model, backend),
        data=data,
        clips=len(utterances),
        names=names_of(utterances),
        batch_size=allowed_batch_size(batch_size, [feature_extractor]),
        backend=backend,
    )
    parts = Parts(output.with_name(f"{output.name}.parts"), identity)
    read = partial(
        _read,
        identity=identity,
        clips=dataset.with_transform(ClipReader(feature_extractor.sampling_rate)),
        collate=Collator(feature_extractor, detector.config.label2id),
    )
    score = partial(_scored, detector)
    with only_run(output) if state.is_main_process else nullcontext():
        own = _own_share(parts, output, overwrite, state)
        if device.type == "cpu":
            scored = in_background(lambda number: score(read(number)), own, workers, threads)
        else:
            scored = map(score, in_background(read, own, workers))
        with parts.written_by(state.process_index) as keep, Progress(parts, not state.is_main_process) as progress:
            for batch in scored:
                keep(batch)
                progress.update()
            state.wait_for_everyone()
            progress.update()
        if not state.is_main_process:
            return []
        errors = merge(parts.finished().values(), utterances, output, parts.folder)
        parts.remove()
        return errors


def _own_share(parts: Parts, output: Path, overwrite: bool, state: PartialState) -> list[int]:
    """The numbers of the batches that are left for this process; the folder is there then."""
    finished = _finished_before(parts, output, overwrite)
    state.wait_for_everyone()  # each has seen the folder as the last run left it
    if state.is_main_process and finished is None:
        parts.begin()
    state.wait_for_everyone()
    todo = [number for number in range(parts.identity.batches) if number not in (finished or ())]
    return todo[state.process_index :: state.num_processes]


def _finished_before(parts: Parts, output: Path, overwrite: bool) -> set[int] | None:
    """The numbers of the batches that a run which was broken off has finished; None if there was no such run."""
    if parts.are_there():
        return set(parts.finished())
    if output.is_dir():
        raise FileExistsError(f"{output} is a folder; expected the name of a score file")
    if output.exists() and not overwrite:
        raise FileExistsError(f"{output} is there already; choose another output, or ask for it to be overwritten")
    return None


def _read(number: int, identity: Identity, clips: Dataset, collate: Collator) -> ReadBatch:
    found, unread = read_clips(clips, identity.rows(number))
    sound, inputs, without_features = collect(found, collate)
    return ReadBatch(number, list(sound), inputs, unread | without_features)


def _scored(detector: Any, batch: ReadBatch) -> FinishedBatch:
    with torch.inference_mode():
        scores = [] if batch.inputs is None else scores_of(detector, batch.inputs).tolist()
    return FinishedBatch(batch.number, dict(zip(batch.rows, scores, strict=True)), batch.faults)
