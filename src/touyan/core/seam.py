"""The one seam for time, randomness and identifiers.

Whatever needs a clock or entropy takes a `Seam`. Tests give a `FixedSeam` whose clock moves only when told; so a test never
waits and never flickers. Times on the wire are UTC, ISO 8601 with milliseconds and a final Z, so that they sort as text.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Protocol


class Seam(Protocol):
    """Time, randomness and ids."""

    def now_ms(self) -> int:
        """Wall clock: milliseconds since 1970-01-01T00:00Z. May jump; never use it for leases on one host."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def token(self, n_bytes: int = 16) -> str:
        """Unpredictable lower-case hex of `n_bytes` bytes."""
        ...


class SystemSeam:
    """The clock and entropy of the operating system."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def token(self, n_bytes: int = 16) -> str:
        return os.urandom(n_bytes).hex()


class FixedSeam:
    """A clock that stands still until it is moved, and reproducible tokens. For tests."""

    def __init__(self, at_ms: int = 1_760_000_000_000, seed: int = 0) -> None:
        self.at_ms = at_ms
        self.mono_s = 0.0
        from random import Random  # for tests only: a payload's start should not pay for it

        self._random = Random(seed)

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_s(self) -> float:
        return self.mono_s

    def token(self, n_bytes: int = 16) -> str:
        return self._random.randbytes(n_bytes).hex()

    def move(self, seconds: float) -> None:
        """Moves both clocks forward."""
        self.at_ms += round(seconds * 1000)
        self.mono_s += seconds


def iso(at_ms: int) -> str:
    """`iso(0) == "1970-01-01T00:00:00.000Z"`."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def from_iso(text: str) -> int:
    """Milliseconds since the epoch of an ISO 8601 time or date; a date means its first moment in UTC."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
