"""Keeps a long training run from hoarding memory.

Owns one call of the C library. Knows nothing about training. Batches differ in shape, and glibc keeps the freed blocks of one
shape while it takes new ones for the next: a run then grows to several times what it uses. Asking for every large block afresh
would double the time (a page fault for each 4 KiB); giving back what lies free now and then costs nothing that can be measured.
Invariant: results do not change.
"""

from __future__ import annotations

import ctypes

EVERY_STEPS = 8


def give_back(step: int) -> None:
    """Every `EVERY_STEPS` steps, returns free pages to the system (malloc_trim, man page 3), where the C library can."""
    if step % EVERY_STEPS == 0:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
