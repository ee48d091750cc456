"""The local site: an agent on threads of this process, over the local driver.

Owns the slots, and when they look for work. Knows nothing of Jobs beyond claim and work. Invariant: leaving the context stops
what runs, gives it back, and leaves no process and no thread behind.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Self

from touyan.compute.agent import LEASE_S, Agent, Capacity
from touyan.compute.drivers.local import LocalDriver
from touyan.compute.hub.matcher import matcher
from touyan.compute.hub.placing import Placing
from touyan.core.party import DEFAULT_PROJECT
from touyan.store.home import Store

IDLE_S = 0.5
"""Between two looks for work that nobody called `wake` for: a back-off that has ended, a Job from another process."""


ALL_CPUS = 1 << 16
"""For `threads`: every slot may use every CPU; steps that run side by side then share them."""


class LocalSite:
    """A context manager: while it is open, Jobs of the project are carried out here."""

    def __init__(
        self, store: Store, slots: int = 1, threads: int | None = None, project: str = DEFAULT_PROJECT, lease_s: float = LEASE_S
    ) -> None:
        self._capacities = [capacity(slot, slots, threads) for slot in range(slots)]
        self._agent = Agent(store, LocalDriver(), store.agent(project), "local", lease_s)
        self._placing = Placing(store, matcher())
        self._changed = threading.Condition()
        self._calls = 0
        self._ends = 0
        self._trouble: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._serve, args=(n,), name=f"touyan-slot-{n}", daemon=True) for n in range(slots)
        ]

    def __enter__(self) -> Self:
        self._agent.recover()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._agent.closing.set()
        self.wake()
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Says that there is work."""
        with self._changed:
            self._calls += 1
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Waits until an Attempt has ended since the last call, at most `timeout_s`; raises what broke a slot, if one broke."""
        with self._changed:
            has_ended = self._changed.wait_for(lambda: self._ends > 0 or self._trouble is not None, timeout_s)
            self._ends = 0
            if self._trouble is not None:
                raise self._trouble
        return has_ended

    def _serve(self, slot: int) -> None:
        try:
            while not self._agent.closing.is_set():
                self._serve_once(slot)
        except BaseException as error:  # a slot that ends must be heard of by whoever waits
            with self._changed:
                self._trouble = error
                self._changed.notify_all()

    def _serve_once(self, slot: int) -> None:
        calls = self._calls
        claim = self._agent.claim()
        if claim is None:
            if slot == 0 and self._placing.round():
                return  # while other sites have joined, a Job waits for its placement first
            self._rest(calls)
            if slot == 0:
                self._agent.reap()
            return
        self._agent.work(claim, self._capacities[slot])
        with self._changed:
            self._ends += 1
            self._changed.notify_all()

    def _rest(self, calls: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._calls != calls or self._agent.closing.is_set(), IDLE_S)


def capacity(slot: int, slots: int, threads: int | None) -> Capacity:
    """What a slot gives: its share of the CPUs we may use, or `threads` of them; two processes begin at different CPUs."""
    available = sorted(os.sched_getaffinity(0))
    wanted = min(threads or max(1, len(available) // slots), len(available))
    first = os.getpid() + slot * wanted
    return Capacity(wanted, tuple(sorted(available[(first + n) % len(available)] for n in range(wanted))))
