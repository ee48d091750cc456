"""Ending a process of the network between any two lines of its code, as kill -9 would.

Owns the counting of lines. Knows nothing of what is ended. Invariant: only lines of the given packages count, and only while the
participant itself runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class Killed(BaseException):
    """Nothing catches it."""


class Fuse:
    """Once lit, the process whose calls go through it ends some lines later."""

    def __init__(self, *folders: str) -> None:
        self._folders = folders
        self.lines_left = 0
        """0: not lit."""

    def run(self, call: Callable[[], T]) -> T:
        """Calls; raises Killed where the fuse ends within."""
        if not self.lines_left:
            return call()
        before = sys.gettrace()
        sys.settrace(self._at_call)
        try:
            return call()
        finally:
            sys.settrace(before)

    def _at_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._at_line if self.lines_left and frame.f_code.co_filename.startswith(self._folders) else None

    def _at_line(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line" and self.lines_left:
            self.lines_left -= 1
            if not self.lines_left:
                raise Killed
        return self._at_line


@contextmanager
def unwatched() -> Generator[None]:
    """Within, others run."""
    before = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(before)
