"""What a process does with the memory that it has done with."""

import ctypes

# Parameters of `mallopt`, as malloc.h of the GNU C library numbers them.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGE = 2**30  # bytes; no tensor here is larger


def keep_freed_memory() -> bool:
    """Let memory that is freed stay with this process, and with those that it forks from now on.

    Every step of training, and every batch of scoring, frees tensors of megabytes and soon needs others as large.
    The GNU C library gives most of them back to the system, which then hands out each page anew, cleared: a step takes
    up to a quarter longer. The process's peak stays what it is, but it does not fall between the peaks; for a process
    that has nothing else to do, as that of a command.

    Returns:
        Whether it does: only the GNU C library can be told.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(parameter, LARGE) == 1 for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD))
