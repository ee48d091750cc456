"""What time asks of a hub: leases end, Jobs are placed, Events are put into the log, uploads nobody goes on with are dropped, holds
of vouchers that nobody claims are freed.

Owns one thread and its pace. Knows nothing of agents. Invariant: what it does is safe to be done by several at once, late, or
twice; an error of one turn is logged, and the next turn comes.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from touyan.compute.hub.hub import Hub
from touyan.compute.ledger.settle import close_unsaid
from touyan.core.errors import TouyanError
from touyan.core.party import DEFAULT_PROJECT, Actor
from touyan.store.jobs import HELD

log = logging.getLogger("touyan.hub")
TURN_S = 1.0
SWEEP_TURNS = 600


class Upkeep:
    """A context manager: while it is open, time is looked after."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="touyan-upkeep", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        turns = 0
        while not self._end.wait(TURN_S):
            try:
                turn(self._hub, turns % SWEEP_TURNS == 0)
            except TouyanError as error:
                log.error("upkeep: %s", error, exc_info=error.__cause__)
            turns += 1


def turn(hub: Hub, sweeps: bool = False) -> None:
    """One turn."""
    store = hub.store
    for actor in hub.memory.recall("agents", lambda: agents(hub)):
        store.jobs.reap(actor)
    hub.place_now_and_then()
    store.events.sequence()
    if sweeps:
        hub.uploads.sweep(store.site_attempts.in_states(HELD))
        with store.database.write() as connection:
            close_unsaid(connection, store.seam.now_ms())


def agents(hub: Hub) -> list[Actor]:
    """An Actor who may end what time has ended, for each project that has sites: the store's own agent, or else a site."""
    sites = {s.name: s.party for s in hub.store.sites.list()}
    found = {p: sites[name] for name, projects in hub.store.sites.projects().items() for p in projects}
    others = [hub.store.parties.actor(party, project) for project, party in found.items() if project != DEFAULT_PROJECT]
    return [hub.store.agent(), *others]
