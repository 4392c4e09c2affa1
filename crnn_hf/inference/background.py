"""Work done in the background, handed over as it gets ready."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # items a worker: one that it is at, one that is ready
MOST_WORKERS = 8  # more threads than that wait for the interpreter, which they need for a tenth of their work


def in_background(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, threads: int = 1
) -> Iterator[Result]:
    """The function's results, each as soon as it is there, while a few items more are worked on.

    The workers are threads: decoders and PyTorch let go of the interpreter while they work, nothing is copied between
    processes, and there is no process to fork, which PyTorch's own threads would not survive.

    Args:
        function: from an item to its result.
        items: what to work on; they are begun in their order.
        workers: threads; with 0 each result is made when it is asked for, and so is that of an item that is alone.
        threads: how many threads PyTorch uses in each worker, and for what making the items takes.

    What the function raises is raised in its result's place.
    """
    items = iter(items)
    first = [] if workers == 0 else list(islice(items, 2))
    if len(first) < 2:
        yield from map(function, chain(first, items))
        return
    items = chain(first, items)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)  # here too, where items are made meanwhile; but who takes the results keeps theirs
    pool = ThreadPoolExecutor(workers, "background", initializer=torch.set_num_threads, initargs=(threads,))
    try:
        pending: list[Future[Result]] = [pool.submit(function, item) for item in islice(items, AHEAD * workers)]
        while pending:
            wait(pending, return_when=FIRST_COMPLETED)
            for future in [future for future in pending if future.done()]:
                pending.remove(future)
                pending.extend(pool.submit(function, item) for item in islice(items, 1))
                torch.set_num_threads(before)
                yield future.result()
                torch.set_num_threads(threads)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)  # which threads to come would otherwise take from the workers


def usual_workers(device: torch.device) -> int:
    """How many threads keep a device busy: on a CPU as many as PyTorch would use, elsewhere most cores.

    The cores are those of this process: where several were launched on one machine, its share of them.
    """
    if device.type == "cpu":
        return min(MOST_WORKERS, torch.get_num_threads())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(MOST_WORKERS, share - 1))


def threads_each(workers: int) -> int:
    """How many threads PyTorch may use in each of so many workers on a CPU, so that each has cores of its own."""
    return max(1, torch.get_num_threads() // max(1, workers))
