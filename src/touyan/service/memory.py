"""What a service remembers of the store's answers, and for how short.

Keys, roles, bindings, rights and permits are asked for at every request; most of the time nothing has changed. Knows nothing of
what the answers mean. Invariant: an answer is believed for `believe_s` at most, because some end by the clock alone, and no
longer than `GLANCE_S` after an Event or a Statement was added to the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar, cast

from touyan.store.home import Store

T = TypeVar("T")

GLANCE_S = 0.1
"""How often the store is asked at most whether anything was added: a query of 1 ms, so 1 % of a core, whatever the load."""
MOST = 4096
"""Answers kept at most; forgetting costs nothing but asking again."""


@dataclass(frozen=True, slots=True)
class _Known:
    until_s: float
    answer: object


class Memory:
    """The short memory of one running service."""

    def __init__(self, store: Store, believe_s: float) -> None:
        self._store = store
        self._believe_s = min(believe_s, 1.0)
        self._lock = threading.Lock()
        self._known: dict[Hashable, _Known] = {}
        self._mark: object = None
        self._glance_s = float("-inf")

    def recall(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to `question`, asked again where it is not known any more. What `ask` raises is not remembered."""
        now_s = self._store.seam.monotonic_s()
        with self._lock:
            self._glance(now_s)
            mark, known = self._mark, self._known.get(question)
        if known is not None and now_s < known.until_s:
            return cast(T, known.answer)
        answer = ask()
        with self._lock:
            if mark == self._mark:  # what was added meanwhile may contradict this answer
                self._known[question] = _Known(now_s + self._believe_s, answer)
        return answer

    def _glance(self, now_s: float) -> None:
        if now_s < self._glance_s + GLANCE_S and len(self._known) < MOST:
            return
        mark = self._store.services.mark()
        if mark != self._mark or len(self._known) >= MOST:
            self._known.clear()
        self._mark, self._glance_s = mark, now_s
