"""Results made in the background come in order, and what goes wrong is raised where it belongs."""

import threading
import time

import pytest
import torch

from crnn_hf.inference.bulk.prefetching import in_background, usual_workers


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order(workers: int) -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))
        return item * item

    assert list(in_background(slow_first, range(20), workers)) == [item * item for item in range(20)]


def test_work_is_done_ahead_but_not_without_bound() -> None:
    begun: list[int] = []
    results = in_background(lambda item: begun.append(item) or item, range(100), workers=2)
    assert next(results) == 0
    time.sleep(0.05)
    assert 1 < len(begun) <= 6
    results.close()


def test_what_a_worker_raises_is_raised_in_its_place() -> None:
    results = in_background(lambda item: 1 // (2 - item), range(5), workers=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_workers_use_one_thread_of_pytorch_and_leave_the_others_theirs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        results = in_background(lambda _: (torch.get_num_threads(), threading.current_thread().name), range(2), 1)
        assert next(results)[0] == 1
        assert torch.get_num_threads() == 2
        list(results)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_how_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usual_workers(torch.device("cpu")) == 1
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    assert usual_workers(torch.device("cuda")) == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert usual_workers(torch.device("cuda")) == 3
