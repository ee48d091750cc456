"""The wall clock that leases are written in: where it jumps, leases go along, so that each lasts as long as it was to last.

Leases outlive processes, so they are kept in the time of the wall; how far that has moved is known by the monotonic clock, which
goes on over restarts of a process, though not of the host. Knows nothing of Attempts beyond their times. Invariant: a jump is made up
for once, whichever of a host's processes sees it first.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text, update

from touyan.core.seam import Seam
from touyan.store import tables as t
from touyan.store.database import Database, setting

JUMP_MS = 1000
"""What is less is not made up for: the grace of a lease is sixteen times as long. A clock that is slewed comes 0.5 ms a second further
(adjtimex(2)), and is followed."""

_FIRST = text("insert into setting (name, value) values (:name, :value) on conflict do nothing")


class Wall:
    """How the wall clock of this host stands to its monotonic one, as the processes of a store have seen it."""

    def __init__(self, database: Database, seam: Seam) -> None:
        self._database = database
        self._seam = seam
        self._known_ms: int | None = None

    def heed(self) -> None:
        """Makes up for a jump since the last call. To be called before a lease is read or written, outside of a
        transaction that may yet be undone; costs two readings of a clock."""
        offset_ms = self._offset_ms()
        if self._known_ms is None or abs(offset_ms - self._known_ms) > JUMP_MS:
            with self._database.write() as connection:
                self._make_up(connection, self._offset_ms())
        self._known_ms = offset_ms

    def _offset_ms(self) -> int:
        return self._seam.now_ms() - round(self._seam.monotonic_s() * 1000)

    def _make_up(self, connection: Connection, offset_ms: int) -> None:
        known = setting(connection, _name())
        if known is None:
            connection.execute(_FIRST, {"name": _name(), "value": str(offset_ms)})
            return
        jump_ms, s = offset_ms - int(known), t.setting.c
        moved = update(t.setting).where(s.name == _name(), s.value == known).values(value=str(offset_ms))
        if abs(jump_ms) > JUMP_MS and connection.execute(moved).rowcount == 1:  # else another process was first
            a, j = t.attempt.c, t.job.c
            connection.execute(update(t.attempt).where(a.ended_at.is_(None)).values(until_ms=a.until_ms + jump_ms))
            waits = update(t.job).where(j.state == "waiting", j.not_before_ms > 0)
            connection.execute(waits.values(not_before_ms=j.not_before_ms + jump_ms))


@cache
def _name() -> str:
    """The setting that holds it; a monotonic clock begins anew with its host."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"wall.{boot.read_text().strip() if boot.exists() else ''}"
