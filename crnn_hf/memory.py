"""What a process does with the memory that it has done with."""

import ctypes

# Parameters of `mallopt`, as malloc.h of the GNU C library numbers them.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGE = 2**30  # bytes; only larger pieces still go back to the system


def keep_freed_memory() -> bool:
    """Let memory that is freed stay with this process, and with those that it forks from now on.

    Every step of training, and every batch of scoring, frees tensors of megabytes and soon needs others as large.
    The GNU C library gives most of them back to the system, which then hands out each page anew, cleared: where that
    is slow, a step of training takes up to half as long again. The peak of the process stays what it is, but its
    memory does not fall between the peaks: for a process that does nothing else, as that of a command.

    Returns:
        Whether it does: only the GNU C library can be told.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(parameter, LARGE) == 1 for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD))
