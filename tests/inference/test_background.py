"""Results made in the background come as soon as they are there, and what goes wrong is raised."""

import threading
import time

import pytest
import torch

from crnn_hf.inference.background import in_background, threads_each, usual_workers


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_result_comes_once(workers: int) -> None:
    results = list(in_background(lambda item: item * item, range(20), workers))
    assert sorted(results) == [item * item for item in range(20)]
    assert workers == 3 or results == sorted(results)


def test_a_slow_one_keeps_no_other_waiting() -> None:
    released = threading.Event()
    results = in_background(lambda item: released.wait(10) and item if item == 0 else item, range(6), workers=2)
    assert [next(results) for _ in range(5)] == [1, 2, 3, 4, 5]
    released.set()
    assert list(results) == [0]


def test_work_is_done_ahead_but_not_without_bound() -> None:
    begun: list[int] = []
    results = in_background(lambda item: begun.append(item) or item, range(100), workers=2)
    assert next(results) == 0
    time.sleep(0.05)
    assert 1 < len(begun) <= 6
    results.close()


def test_what_a_worker_raises_is_raised_in_its_place() -> None:
    results = in_background(lambda item: 1 // (2 - item), range(5), workers=1)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("threads", [1, 3])
def test_workers_use_so_many_threads_of_pytorch_and_leave_the_others_theirs(threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert list(in_background(lambda _: torch.get_num_threads(), range(1), 1, threads)) == [2]
        items = (torch.get_num_threads() for _ in range(6))
        results = in_background(lambda item: (item, torch.get_num_threads()), items, 1, threads)
        assert next(results)[1] == threads
        assert torch.get_num_threads() == 2
        assert list(results)[-1] == (threads, threads)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    assert usual_workers(torch.device("cpu")) == 4
    assert [threads_each(workers) for workers in (0, 1, 2, 4, 8)] == [4, 4, 2, 1, 1]
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    assert usual_workers(torch.device("cuda")) == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert usual_workers(torch.device("cuda")) == 3
