"""A file that an operator may change while the hub runs.

Owns when it is read again. Knows nothing of its content. Invariant: a mistake in it is told in the log, once for each change, and
what was read before stays in force: a slip of the pen stops no hub.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from touyan.core.errors import TouyanError

log = logging.getLogger("touyan.hub")
T = TypeVar("T")
ABSENT = -1


class Watched(Generic[T]):
    """The value of a file, or `default` while there is none."""

    def __init__(self, path: Path, read: Callable[[Path], T], default: T) -> None:
        self._path = path
        self._read = read
        self._default = default
        self._seen_ns = ABSENT
        self._value = default

    def value(self) -> T:
        """The same object until the file changes."""
        changed_ns = self._path.stat().st_mtime_ns if self._path.exists() else ABSENT
        if changed_ns != self._seen_ns:
            self._seen_ns = changed_ns
            self._value = self._anew()
        return self._value

    def _anew(self) -> T:
        if self._seen_ns == ABSENT:
            return self._default
        try:
            return self._read(self._path)
        except TouyanError as error:
            log.error("%s; what was read before stays in force", error)
            return self._value
