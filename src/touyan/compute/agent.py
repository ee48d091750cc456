"""The agent of a site: claims Jobs, checks who signed them, stages, runs, and publishes what they made.

Owns the course of one Attempt from claim to end, and what is done about Attempts whose agent has died. Knows the store and a
driver, and nothing of what a step computes. Invariant: only what a submitter's key signed is run, only what the gate opened is
seen, and a result is in the store whole, by one transaction, or not at all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from touyan.compute.driver import Driver, Exit, Limits, Order
from touyan.compute.ending import PASSING, error_of, outcome_of, progress_of
from touyan.compute.environment import payload_environment
from touyan.compute.folder import AttemptFolder, marks, newest_checkpoint, read_json, write_json
from touyan.compute.heartbeat import Heartbeat
from touyan.compute.ledger.charge import Fault
from touyan.compute.ledger.local import count_called_off, on_our_machine
from touyan.compute.owner import is_dead, this_process
from touyan.compute.staging import carry_over, earlier_attempts, stage
from touyan.core.asset import InputRef, Manifest, build, manifest_bytes, read_manifest
from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Broken, Conflict, Refused, TouyanError
from touyan.core.job import SPEC_TYPE, JobSpec, read_spec
from touyan.core.party import Actor
from touyan.core.seam import iso
from touyan.core.states import is_final
from touyan.store.home import Store
from touyan.store.job_records import Claim, Held, Outcome
from touyan.store.jobs import Settle, Word

PAYLOAD = "touyan.flow.worker"
LEASE_S = 15.0
PACE_S = 1.0
"""Between two heartbeats: fourteen may fail before a lease ends."""
LOOK_S = 0.25
"""Between two looks at whether a running payload must be stopped; its end is noticed at once."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one slot of a site gives to a Job."""

    threads: int
    cpus: tuple[int, ...] = ()
    """Numbers of the CPUs to which its payloads are bound; empty: all."""


class Agent:
    """Carries out Attempts for one site in one project."""

    def __init__(self, store: Store, driver: Driver, actor: Actor, site: str = "local", lease_s: float = LEASE_S) -> None:
        self._store = store
        self._driver = driver
        self._actor = actor
        self._site = site
        self._lease_s = lease_s
        self._owner = this_process()
        self.closing = threading.Event()
        """Set when the site closes: what runs is stopped and given back."""

    def claim(self) -> Claim | None:
        """The next Job that is due, if there is one."""
        return self._store.jobs.claim(self._actor, self._site, self._owner, self._lease_s)

    def work(self, claim: Claim, capacity: Capacity) -> None:
        """Carries out one Attempt. Whatever becomes of it is recorded in the store; nothing is raised for it."""
        folder = self.folder(claim)
        try:
            spec = self._checked(claim)
            self._store.jobs.start(self._actor, claim, self._lease_s)
            folder.create()
            with self._heartbeat(claim, folder) as heart:
                stage(self._store, claim, spec, folder)
                carry_over(folder)
                self._publish_checkpoint(spec, folder)
                end = self._run(claim, spec, folder, capacity, heart)
                self._conclude(claim, spec, folder, end, heart)
        except TouyanError as error:
            self._fail(claim, folder, error, isinstance(error, Conflict))
        except OSError as error:
            words = f"the agent could not prepare the Attempt: {error.strerror} ({type(error).__name__})"
            self._fail(
                claim, folder, Broken("resources", words, "check disk and permissions of TOUYAN_HOME/jobs"), may_retry=True
            )

    def folder(self, claim: Claim) -> AttemptFolder:
        return AttemptFolder(self._jobs / claim.job / claim.attempt)

    @property
    def _jobs(self) -> Path:
        return self._store.home / "jobs"

    def _checked(self, claim: Claim) -> JobSpec:
        """The spec, once a key that its submitter holds now has signed it. Raises Refused."""
        spec = read_spec(claim.envelope.payload)
        self._store.parties.open(claim.envelope, SPEC_TYPE, spec.submitter, iso(self._store.seam.now_ms()))
        if spec.project != claim.project:
            raise Refused("wrong-project", f"the spec is of the project {spec.project!r}", "submit the job in its own project")
        return spec

    def _heartbeat(self, claim: Claim, folder: AttemptFolder) -> Heartbeat:
        def renew() -> Word:
            return self._store.jobs.renew(self._actor, claim, self._lease_s, progress_of(folder))

        return Heartbeat(renew, folder.heartbeat.touch, min(PACE_S, self._lease_s / 4))

    def _run(self, claim: Claim, spec: JobSpec, folder: AttemptFolder, capacity: Capacity, heart: Heartbeat) -> Exit:
        """Starts the payload and waits for its end, or for a reason to end it."""
        self._driver.start(self._order(claim, spec, folder, capacity))
        while (end := self._driver.wait(claim.attempt, LOOK_S)) is None:
            if heart.word != "keep" or self.closing.is_set():
                self._driver.stop(claim.attempt)
        return end

    def _order(self, claim: Claim, spec: JobSpec, folder: AttemptFolder, capacity: Capacity) -> Order:
        threads = min(spec.need.cpus or capacity.threads, capacity.threads)
        secret = self._store.pseudonym_key().hex() if spec.purpose == "refine" else ""
        limits = Limits(self._lease_s, spec.need.limit_s, spec.need.memory_bytes, cpus=capacity.cpus[:threads])
        return Order(claim.attempt, folder.root, PAYLOAD, limits, payload_environment(claim.attempt, folder, threads, secret))

    def _conclude(self, claim: Claim, spec: JobSpec, folder: AttemptFolder, end: Exit, heart: Heartbeat) -> None:
        if end.cause == "exit" and end.status == 0 and folder.file("done").exists():
            self._publish(claim, spec, folder)
        elif heart.word != "keep":
            if heart.word == "cancel":
                with self._store.database.write() as connection:
                    count_called_off(connection, claim.attempt, self._settle(folder, "party"))
            folder.clear(keep_work=heart.word == "lost")  # the record says already what became of it
        elif end.cause == "stopped":
            self._store.jobs.release(self._actor, claim, "the site was closed")
            folder.clear(keep_work=True)
        else:
            error = error_of(spec, folder, end)
            self._fail(claim, folder, error, error.code in PASSING)

    def _publish(self, claim: Claim, spec: JobSpec, folder: AttemptFolder) -> None:
        """Stores the bytes, writes result.json last, then makes it count."""
        refs = self._store.assets.store_folder(folder.out, skip=marks(folder.out))
        manifest = build(spec.output, refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)
        outcome = outcome_of(folder)
        write_json(folder.file("result"), _result(claim, manifest, outcome))
        self._finish(claim, folder, manifest, outcome)

    def _publish_checkpoint(self, spec: JobSpec, folder: AttemptFolder) -> None:
        """The checkpoint that an interrupted Attempt left is an Asset like any other: it has a lineage, and withdrawals reach it."""
        newest = newest_checkpoint(folder.checkpoints)
        if newest is None:
            return
        refs = self._store.assets.store_folder(newest[1])
        manifest = build("checkpoint", refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)
        with self._store.database.write() as connection:
            self._store.assets.publish(connection, self._actor, manifest, f"{spec.name}@{newest[0]}")

    def _finish(self, claim: Claim, folder: AttemptFolder, manifest: Manifest, outcome: Outcome) -> None:
        self._store.jobs.finish(self._actor, claim, manifest, outcome, self._settle(folder))
        for earlier in earlier_attempts(folder):
            earlier.clear()
        folder.clear()

    def _fail(self, claim: Claim, folder: AttemptFolder, error: TouyanError, may_retry: bool) -> None:
        try:
            self._store.jobs.fail(self._actor, claim, error, may_retry, self._settle(folder, "site" if may_retry else "party"))
        except Conflict:
            folder.clear()  # cancelled or lost meanwhile: the record says so, and nothing of this Attempt counts
        else:
            folder.clear(keep_work=True)

    def _settle(self, folder: AttemptFolder, fault: Fault = "none") -> Settle:
        """What the ledger says of an Attempt's end: our machine's owner is the organisation of its agent."""
        try:
            cores = len(cast("list[int]", read_json(folder.file("limits")).get("cpus") or ())) or os.cpu_count() or 1
        except (TouyanError, TypeError):
            cores = 1  # a payload wrote over its limits
        return on_our_machine(self._store.seam, self._actor.party.rpartition("/")[0], cores, fault)

    def recover(self) -> None:
        """Ends the Attempts of agents on this host that have died: what was complete is published, the rest is placed again."""
        for held in self._store.jobs.held(self._actor.project):
            if is_dead(held.owner):
                self._recover(held)
        self.reap()
        self._tidy()

    def reap(self) -> None:
        """Ends what time has ended; cheap, to be called now and then."""
        self._store.jobs.reap(self._actor)

    def _recover(self, held: Held) -> None:
        claim, folder = held.claim, self.folder(held.claim)
        self._driver.sweep(claim.attempt)
        try:
            complete = self._complete(claim, folder)
            if complete is None:
                self._store.jobs.release(self._actor, claim, "its agent's process has ended")
            else:
                self._finish(claim, folder, *complete)
        except Conflict:
            return  # another agent was faster

    def _complete(self, claim: Claim, folder: AttemptFolder) -> tuple[Manifest, Outcome] | None:
        """The result that a dead agent had stored but not yet made count; one that cannot be read is none, and the step is repeated."""
        try:
            found = read_result(folder, claim.token)
        except (KeyError, TypeError, TouyanError):
            return None
        if found is None or not all(self._store.objects.has(f.sha256, f.size_bytes) for f in found[0].files):
            return None
        return found

    def _tidy(self) -> None:
        """Clears the folders of Attempts that ended while their agent could not."""
        for scratch in self._jobs.glob("*/*/scratch"):
            folder = AttemptFolder(scratch.parent)
            states = {a.id: a.state for a in self._store.jobs.attempts(folder.root.parent.name)}
            state = states.get(folder.root.name)
            if state is not None and is_final("attempt", state):  # what this database does not know is not ours to clear
                folder.clear(keep_work="succeeded" not in states.values() and state != "cancelled")


def _result(claim: Claim, manifest: Manifest, outcome: Outcome) -> dict[str, object]:
    """The content of `result.json`."""
    value: dict[str, object] = {
        "result": 1,
        "attempt": claim.attempt,
        "token": claim.token,
        "manifest": parse(manifest_bytes(manifest)),
    }
    return value | {f.name: getattr(outcome, f.name) for f in fields(outcome)}


def read_result(folder: AttemptFolder, token: int) -> tuple[Manifest, Outcome] | None:
    """The content of `result.json`, or None where there is none of the claim with that token."""
    value = cast(Mapping[str, Json], read_json(folder.file("result")))
    if value.get("token") != token:
        return None
    said = {f.name: value[f.name] for f in fields(Outcome)}
    return read_manifest(canonical(value["manifest"])), Outcome(**cast("dict[str, Any]", said))
