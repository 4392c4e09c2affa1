"""The processes that a launcher started together."""

from datetime import timedelta

import torch
from accelerate import PartialState

LONGEST_WAIT = timedelta(days=2)  # of a process for another, which may be slower or copy the corpus first


def processes() -> PartialState:
    """Which of them this one is, and its device: a GPU each, or the CPU where there is none; alone if not launched."""
    # Left to itself, accelerate takes processes without GPUs for one each.
    return PartialState(cpu=not torch.cuda.is_available(), timeout=LONGEST_WAIT)
