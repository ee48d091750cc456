"""The hub in numbers, in the Prometheus text format 0.0.4.

Owns names and labels. Knows nothing of who reads them. Invariant: a label is the name of a site or a state, never of a Party or a
file; what is counted here is lost with the process, as Prometheus expects, and what is measured is read from the store.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from touyan.compute.hub.reads import is_silent
from touyan.core.seam import from_iso
from touyan.store.home import Store


@dataclass(slots=True)
class Counts:
    """What this process has done."""

    rounds: int = 0
    round_cpu_s: float = 0.0
    refusals: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def round(self, cpu_s: float) -> None:
        with self._lock:
            self.rounds += 1
            self.round_cpu_s += cpu_s

    def refusal(self) -> None:
        with self._lock:
            self.refusals += 1


def exposition(store: Store, counts: Counts) -> str:
    """All metrics as text."""
    return "".join(_lines(store, counts))


def _lines(store: Store, counts: Counts) -> Iterator[str]:
    now_ms = store.seam.now_ms()
    yield from _metric(
        "touyan_jobs", "gauge", "Jobs by state.", {f'state="{s}"': n for s, n in store.placements.states().items()}
    )
    held = {f'site="{site}",state="{state}"': n for (site, state), n in store.site_attempts.by_state().items()}
    yield from _metric("touyan_attempts", "gauge", "Attempts that sites hold, by state.", held)
    silent = {f'site="{s.name}"': float(is_silent(s, now_ms)) for s in store.sites.list() if s.joined_at}
    yield from _metric("touyan_site_silent", "gauge", "1 where a site has not spoken for 90 s.", silent)
    oldest = store.placements.waiting_since("9", 1)
    age_s = (now_ms - from_iso(oldest[0][2])) / 1000 if oldest else 0.0
    yield from _metric("touyan_queue_age_seconds", "gauge", "Age of the oldest Job that waits.", {"": age_s})
    yield from _metric("touyan_sync_total", "counter", "Rounds of agents that were answered.", {"": counts.rounds})
    yield from _metric("touyan_sync_cpu_seconds_total", "counter", "CPU time they took.", {"": round(counts.round_cpu_s, 6)})
    yield from _metric("touyan_refusals_total", "counter", "Requests that were refused.", {"": counts.refusals})


def _metric(name: str, kind: str, words: str, values: dict[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {words}\n# TYPE {name} {kind}\n"
    for labels, value in sorted(values.items()):
        yield f"{name}{{{labels}}} {value:g}\n" if labels else f"{name} {value:g}\n"
