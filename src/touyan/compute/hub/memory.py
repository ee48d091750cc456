"""What the hub remembers of the store's answers for a few seconds: roles of sites, how many there are.

Knows nothing of what the answers mean. Invariant: nothing that decides about rights or tokens is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from touyan.core.seam import Seam

T = TypeVar("T")
MOST = 10_000
"""Answers kept at most; forgetting costs nothing but asking again."""


class Memory:
    """Answers by question, each believed for `believe_s`."""

    def __init__(self, seam: Seam, believe_s: float) -> None:
        self._seam = seam
        self._believe_s = believe_s
        self._known: dict[Hashable, tuple[float, object]] = {}

    def recall(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to `question`; two threads may both ask, and give the same."""
        now_s = self._seam.monotonic_s()
        until_s, answer = self._known.get(question, (now_s, None))
        if now_s < until_s:
            return cast(T, answer)
        if len(self._known) >= MOST:
            self._known.clear()
        found = ask()
        self._known[question] = (now_s + self._believe_s, found)
        return found
