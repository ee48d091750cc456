"""Virtual time: every agent, engine and hub of a network in one thread, each with clocks of its own.

Owns what happens when; who waits hands over to whoever is due next. Knows nothing of the network. Invariants: true time goes on only
while all wait, and the same dice give the same order of everything.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

from greenlet import getcurrent, greenlet

EPOCH_MS = 1_790_000_000_000


class Time:
    """True time, which no participant sees, and who waits until when."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._main = getcurrent()

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Calls once `seconds` have passed."""
        heapq.heappush(self._due, (self.now_s + seconds, next(self._numbers), call))

    def every(self, seconds: float, call: Callable[[], object]) -> None:
        """Calls again and again."""

        def again() -> None:
            call()
            self.after(seconds, again)

        self.after(seconds, again)

    def begin(self, life: Callable[[], object]) -> None:
        """A participant that may wait in the midst of what it does."""
        self.after(0.0, greenlet(life, self._main).switch)

    def sleep(self, seconds: float) -> None:
        """Others go on for so long; only a participant may wait."""
        self.after(seconds, getcurrent().switch)
        self._main.switch()

    def run(self, until_s: float) -> None:
        """Lets time pass."""
        while self._due and self._due[0][0] <= until_s:
            self.now_s, _, call = heapq.heappop(self._due)
            call()
        self.now_s = until_s


class Clock:
    """A `Seam` of one host: its monotonic clock goes at a rate of its own, its wall clock may jump."""

    def __init__(self, time: Time, dice: Random, drift_share: float) -> None:
        self._time = time
        self._dice = Random(dice.random())
        self._rate = 1 + dice.uniform(-drift_share, drift_share) / 2
        self._began_s = dice.uniform(0, 1e6)
        self._offset_ms = dice.randint(-500, 500)

    def now_ms(self) -> int:
        return EPOCH_MS + round(self._time.now_s * 1000) + self._offset_ms

    def monotonic_s(self) -> float:
        return self._began_s + self._time.now_s * self._rate

    def token(self, n_bytes: int = 16) -> str:
        return self._dice.randbytes(n_bytes).hex()

    def jump(self, seconds: float) -> None:
        self._offset_ms += round(seconds * 1000)


class Closing:
    """In the place of the event that ends an agent: it never comes, and waiting for it takes virtual time."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        self._time.sleep(timeout or 0.0)
        return False
