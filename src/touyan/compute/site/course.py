"""The course of one Attempt at a site, phase by phase: staged, started, ended, published.

Owns what is done in each phase and what moves an Attempt to the next. Knows nothing of rounds and answers. Invariant: the record
says `started` before the driver is asked to start; so after a kill an Attempt that the driver does not know is given back, never
started again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from touyan.compute.driver import Driver, Exit, Limits, Order
from touyan.compute.drivers.local import read_exit
from touyan.compute.environment import payload_environment
from touyan.compute.folder import AttemptFolder
from touyan.compute.site.accounts import acting_as
from touyan.compute.site.cache import Cache
from touyan.compute.site.hub_calls import HubCalls
from touyan.compute.site.messages import Claim, read_claim
from touyan.compute.site.policy import Policy
from touyan.compute.site.publish import clean_record, ended_of, released
from touyan.compute.site.records import Records, State
from touyan.compute.site.stage import stage
from touyan.core.errors import Broken, Invalid, Refused, TouyanError
from touyan.core.job import JobSpec, read_spec
from touyan.core.seam import Seam

PAYLOAD = "touyan.flow.worker"
CLOSED = "the site was closed"
INTERRUPTED = "the site's agent ended while it ran"
CORE = "cpu-core"
"""What a Job without accelerators is counted in."""


class Course:
    """What is done with the Attempts of one site."""

    def __init__(self, records: Records, policy: Policy, driver: Driver, hub: HubCalls, cache: Cache, seam: Seam) -> None:
        self._records = records
        self._policy = policy
        self._driver = driver
        self._hub = hub
        self._cache = cache
        self._seam = seam
        self._known: set[str] = set()
        """Attempts that the driver knows from us."""

    def work(self, state: State) -> Iterator[Any] | None:
        """The work of the Attempt's phase, from its beginning."""
        if state.phase not in ("claimed", "finished"):
            return None
        claim, spec, folder = self._read(state)
        if state.phase == "claimed":
            return stage(self._hub, self._cache, claim, spec, folder, state.account)
        end = Exit(**(state.exit or {}))
        if state.word == "closed" or end.cause == "stopped":  # a wrapper stops its payload when the agent beside it dies
            return released(spec, folder, CLOSED if state.word else INTERRUPTED, state.account)
        return ended_of(spec, folder, end, state.account)

    def done(self, state: State, made: Any) -> State:
        """The Attempt after the work of its phase."""
        if state.phase == "claimed":
            return self._move(state, "staged")
        return self._move(state, "ended", ended=made) if state.phase == "finished" else state

    def failed(self, state: State, error: TouyanError | OSError) -> State:
        """The Attempt after its work failed: the hub is told. A refused upload changes nothing: the next round gets a new capability."""
        if state.phase == "ended" and isinstance(error, Refused):
            return state
        if isinstance(error, OSError):
            words = f"the site could not go on with the Attempt: {error.strerror} ({type(error).__name__})"
            error = Broken("resources", words, "its owner looks at disk and permissions of the site's folder")
        is_passing = isinstance(error, Broken) or (state.phase == "claimed" and not isinstance(error, Invalid))
        return self._move(state, "ended", ended={"error": clean_record(error), "may_retry": is_passing})

    def start(self, state: State, fence_s: float) -> State:
        """Has the payload started, once."""
        order = self._order(state, fence_s)
        state = self._move(state, "started")
        try:
            with acting_as(state.account):
                AttemptFolder(order.root).heartbeat.touch()
            self._driver.start(order)
        except TouyanError as error:
            return self._move(state, "ended", ended={"error": clean_record(error), "may_retry": True})  # another site may take it
        self._known.add(state.attempt)
        return state

    def stop(self, state: State, word: str) -> State:
        """Has the payload ended; `look` tells when that is done."""
        state = self._move(state, "stopping", word=word)
        if state.attempt in self._known:
            self._driver.stop(state.attempt)
        return state

    def look(self, state: State) -> State:
        """The Attempt as the driver sees it: the same state where its payload still runs. Raises what the driver raises."""
        end = self._driver.wait(state.attempt, 0) if self._is_known(state) else self._end_of_unknown(state)
        if end is None:
            return state
        self._known.discard(state.attempt)
        if state.word in ("cancel", "lost"):
            return self._move(state, "wiping")
        return self._move(state, "finished", exit=asdict(end), usage=self._usage(state, end))

    def _is_known(self, state: State) -> bool:
        """Takes up what an agent before this one started; what was to be stopped is told so again."""
        if state.attempt in self._known:
            return True
        if not self._driver.adopt(self._order(state, self._policy.pace_s)):
            return False
        self._known.add(state.attempt)
        if state.phase == "stopping":
            self._driver.stop(state.attempt)
        return True

    def _end_of_unknown(self, state: State) -> Exit:
        """The driver knows of none: it ended while nobody looked, or an agent was killed before or after it asked for the start."""
        self._driver.sweep(state.attempt)
        with acting_as(state.account):
            end = read_exit(self._records.folder(state))
        return end or Exit("vanished", 0, "was not running any more when the site's agent came back")

    def _order(self, state: State, fence_s: float) -> Order:
        claim, spec, folder = self._read(state)
        need = spec.need
        threads = need.cpus or self._policy.threads
        environment = payload_environment(state.attempt, folder, threads, claim.pseudonym_key if spec.purpose == "refine" else "")
        limits = Limits(fence_s, need.limit_s, need.memory_bytes)
        return Order(
            state.attempt, folder.root, PAYLOAD, limits, environment, state.token, state.account, need.gang, claim.accelerator,
            threads,
        )  # fmt: skip

    def _read(self, state: State) -> tuple[Claim, JobSpec, AttemptFolder]:
        """Claim, spec and folder; both were checked when the claim was taken."""
        claim = read_claim(self._records.claim(state.attempt))
        return claim, read_spec(claim.envelope.payload), self._records.folder(state)

    def _usage(self, state: State, end: Exit) -> dict[str, Any]:
        """What the Attempt used: as its engine counts, else from the moment it began on its node, not from when it was queued."""
        claim, spec, folder = self._read(state)
        chosen, gang = claim.accelerator, spec.need.gang
        devices = (chosen.count if chosen else spec.need.cpus or self._policy.threads) * gang
        model = chosen.model if chosen else CORE
        with acting_as(state.account):
            elapsed_s = _elapsed_s(folder) if end.elapsed_s is None else end.elapsed_s
        return {
            "attempt": state.attempt, "token": state.token, "elapsed_s": elapsed_s, "devices": devices, "model": model,
            "energy_wh": None,
        }  # fmt: skip

    def _move(self, state: State, phase: Any, **changes: Any) -> State:
        return self._records.move(state, phase, self._seam.now_ms(), **changes)


def _elapsed_s(folder: AttemptFolder) -> float:
    """Between two marks of the file system: the start on the node (or the order to start), and the exit."""
    times = [_written_s(folder.root / name) for name in ("started", "limits.json", "exit.json")]
    began_s = times[0] or times[1]
    return round(max(0.0, times[2] - began_s), 3) if began_s and times[2] else 0.0


def _written_s(path: os.PathLike[str]) -> float:
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return 0.0
