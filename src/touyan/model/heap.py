"""Keeps a long training run from hoarding memory.

Owns two settings below torch. Knows nothing about training. Batches differ in shape: oneDNN keeps a compiled primitive with its
scratch memory for each shape it met (1,024 by default: gigabytes), and glibc keeps the freed blocks of one shape while it takes new
ones for the next. Invariant: results do not change.
"""

from __future__ import annotations

import ctypes
import os

PRIMITIVES = "128"
"""Enough for the shapes of a few batches: with 32 a step takes half as long again, with the default a run grows past 2.5 GB."""
EVERY_STEPS = 8


def bound_primitives() -> None:
    """Bounds oneDNN's cache, for a process that has not loaded torch yet."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)


def give_back(step: int) -> None:
    """Every `EVERY_STEPS` steps, returns free pages to the system (malloc_trim, man page 3), where the C library can."""
    if step % EVERY_STEPS == 0:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
