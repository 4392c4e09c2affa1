"""Freed memory that stays with a process."""

import subprocess
import sys

import pytest

# Of 64 MiB that are filled and freed, a few times over, how often the system had to hand out memory the last time.
FAULTS = """
import resource, numpy
from crnn_hf.memory import keep_freed_memory

kept = {kept} and keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    numpy.ones(8 * 2**20)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(int(kept), faults)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts what Linux counts")
def test_what_was_freed_is_handed_out_again() -> None:
    (_, usual), (kept, faults) = (
        map(int, subprocess.check_output([sys.executable, "-c", FAULTS.format(kept=kept)], text=True).split())
        for kept in (False, True)
    )
    if not kept:
        pytest.skip("the C library is another than GNU's")
    assert usual > 10_000 / 512  # 4 KiB a page, or 2 MiB
    assert faults < usual / 10
