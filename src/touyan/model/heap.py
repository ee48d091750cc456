"""Keeps a long training run from hoarding memory.

Owns one setting of the C library. Knows nothing about training. Batches differ in shape, and glibc keeps freed blocks of up
to 32 MiB for blocks of the same size: a run then grows to several times what it uses. Invariant: results do not change.
"""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3
"""Its number in glibc's malloc.h (mallopt, man page 3)."""

LARGE_BYTES = 1 << 20


def return_large_blocks() -> bool:
    """From now on blocks of 1 MiB and more go back to the system when freed. False where the C library has no such setting."""
    try:
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))
    except (OSError, AttributeError):
        return False
