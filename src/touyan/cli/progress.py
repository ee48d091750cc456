"""Shows a run as it goes: a line a step with its reason, and a bar with rate and time left for the one that works.

On a terminal the bar moves; elsewhere a line is written every ten seconds, so that a log stays readable.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from touyan.cli.output import clean, console
from touyan.cli.words import _

QUIET_S = 10.0
MARKS = {"hit": "=", "done": "✓", "running": "▶", "failed": "✗", "skipped": "–", "waiting": "…"}


class Shown:
    """A listener that shows a run on standard error."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        columns = (TextColumn("  {task.description}"), BarColumn(24), TextColumn("{task.fields[said]}"))
        self._bars = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._tasks: dict[str, TaskID] = {}
        self._since: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._first: dict[str, tuple[float, float]] = {}
        """When a step was first heard of, and how far it was: a resumed one does not begin at nothing."""
        self._bars.start()

    def step(self, record: Any) -> None:
        task = self._tasks.pop(record.name, None)
        if task is not None:
            self._bars.remove_task(task)
        took = f"  {record.wall_ms / 1000:.1f} s" if record.state == "done" else ""
        counts = "".join(f"  {clean(str(k))} {v:,}" for k, v in list(record.counts.items())[:4] if isinstance(v, int))
        if record.state == "running" and not self._bars.disable:
            self._tasks[record.name] = self._bars.add_task(f"{record.name:<12}", total=None, said="")
            self._since[record.name] = time.monotonic()
            return
        counts = counts if record.state in ("done", "hit") else ""
        line = f"{MARKS.get(record.state, ' ')} {record.name:<12} {_(record.state):<8}{took}{counts}"
        self._bars.console.print(f"{line}  ({clean(record.reason)})" if record.reason else line)
        self._since[record.name] = time.monotonic()

    def progress(self, name: str, progress: Mapping[str, Any]) -> None:
        if not progress:
            return
        done, total, unit = float(progress.get("done") or 0), progress.get("total"), str(progress.get("unit") or "")
        words = self._words(name, done, float(total) if total else None, unit)
        if self._bars.disable:
            self._every_ten_seconds(name, words)
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(f"{name:<12}", total=None, said="")
        self._bars.update(self._tasks[name], completed=done, total=float(total) if total else None, said=words)

    def _words(self, name: str, done: float, total: float | None, unit: str) -> str:
        began, from_done = self._first.setdefault(name, (time.monotonic(), done))
        rate = (done - from_done) / max(time.monotonic() - began, 1e-3)
        said = f"{done:,.0f}{f' / {total:,.0f}' if total else ''} {clean(unit)}  {rate:,.0f}/s"
        return said + (f"  {_('left')} {(total - done) / rate:,.0f} s" if total and rate > 0 else "")

    def _every_ten_seconds(self, name: str, words: str) -> None:
        now = time.monotonic()
        if now - self._said.get(name, self._since.get(name, now)) >= QUIET_S:
            self._said[name] = now
            self._console.print(f"  {name:<12} {words}")

    def close(self) -> None:
        self._bars.stop()
