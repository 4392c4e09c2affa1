"""Work done ahead in the background, handed over in order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # items a worker: one that it is at, one that is ready
MOST_WORKERS = 8  # more threads than that wait for the interpreter, which they need for a tenth of their work


def in_background(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """The function's results, in the order of the items, of which a few are worked on ahead.

    The workers are threads: decoders and PyTorch let go of the interpreter while they work, nothing is copied between
    processes, and there is no process to fork, which PyTorch's own threads would not survive.

    Args:
        function: from an item to its result. Within it PyTorch uses one thread.
        items: what to work on.
        workers: threads; with 0 each result is made when it is asked for.

    What the function raises is raised in its result's place.
    """
    if workers == 0:
        yield from map(function, items)
        return
    threads = torch.get_num_threads()
    items = iter(items)
    pool = ThreadPoolExecutor(workers, "read", initializer=torch.set_num_threads, initargs=(1,))
    try:
        pending: deque[Future[Result]] = deque(pool.submit(function, item) for item in islice(items, AHEAD * workers))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(items, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # which threads to come would otherwise take from the workers


def usual_workers(device: torch.device) -> int:
    """How many threads keep a device busy: one for a model on the CPU, which needs the cores itself; else most cores.

    The cores are those of this process: where several were launched on one machine, its share of them.
    """
    if device.type == "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(MOST_WORKERS, share - 1))
