"""The heartbeat of one Attempt: renews its lease while its work goes on.

A thread that asks the store at a steady pace, passes the progress on, and touches the file the wrapper watches, in this order:
no renewal, no touch. Knows nothing of what the work is. Invariant: once the store has said anything but `keep`, `word` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from touyan.core.errors import TouyanError
from touyan.store.jobs import Word


class Heartbeat:
    """A context manager around the work. `renew` asks the store, `touch` tells the wrapper."""

    def __init__(self, renew: Callable[[], Word], touch: Callable[[], None], pace_s: float) -> None:
        self.word: Word = "keep"
        self.trouble: TouyanError | None = None
        """Why the last renewal did not get through; the wrapper fences the payload if that lasts."""
        self._renew = renew
        self._touch = touch
        self._pace_s = pace_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="touyan-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._touch()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._end.wait(self._pace_s):
            try:
                self.word = self._renew()
            except TouyanError as error:
                self.trouble = error
                continue
            if self.word != "keep":
                return
            self.trouble = None
            self._touch()
