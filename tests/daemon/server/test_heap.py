"""Freed memory is reused for the next picture, and goes back when it is not needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource, sys
import psutil
from daemon.server import heap

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
SIZE = 48_000_000

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(SIZE)
    ctypes.memset(block, 1, SIZE)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

heap.keep_freed()
first, second = faults(), faults()
kept = psutil.Process().memory_info().rss
heap.give_back()
print(first, second, kept - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_a_second_picture_lands_on_the_pages_of_the_first_until_they_are_given_back():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    first, second, returned = map(int, done.stdout.split())
    assert first > 10_000
    assert second < 100
    assert returned > 40_000_000
