"""Runs the steps of a flow: decides, submits, waits, and says how far it is.

`run` and `resume` are the same: what is there is a hit, what is not is a Job. Knows nothing of sites; the agent that works is
elsewhere. Invariant: a step is decided only when all its inputs exist, and a failure leaves everything that was finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from sqlalchemy import select

from touyan.core.canonical import Json
from touyan.core.errors import Broken, Invalid, Refused, TouyanError
from touyan.core.job import NamedInput
from touyan.core.names import nearest
from touyan.core.seam import from_iso
from touyan.flow.file import FlowStep
from touyan.flow.plan import Decision, decide
from touyan.flow.record import RunRecord, StepRecord, StepState
from touyan.store import tables as t
from touyan.store.home import Store

POLL_S = 0.25


class Listener(Protocol):
    """Who wants to know how a run goes."""

    def step(self, record: StepRecord) -> None:
        """A step was decided, or ended."""
        ...

    def progress(self, name: str, progress: Mapping[str, object]) -> None:
        """How far a running step is: done, total, unit, as the worker wrote them."""
        ...


class Site(Protocol):
    """Who carries Jobs out meanwhile."""

    def wake(self) -> None:
        """There is work."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Waits until a Job may have changed, at most so long."""
        ...


class Silent:
    """Listens to nothing."""

    def step(self, record: StepRecord) -> None: ...

    def progress(self, name: str, progress: Mapping[str, object]) -> None: ...


class Runner:
    """One execution of the steps of one flow."""

    def __init__(
        self, store: Store, record: RunRecord, sources: Mapping[str, tuple[str, str]], listener: Listener | None = None
    ) -> None:
        """`sources`: name to (Asset id, `provider/name`) of every cleared source."""
        self._store = store
        self._record = record
        self._sources = sources
        self._listener = listener or Silent()
        self._outside: dict[str, str] = {}
        """Name in the flow to id, of the Assets that no step of this flow makes."""
        self._waiting: dict[str, str] = {}
        """Step to the id of its Job."""

    def run(self, site: Site, until: str = "") -> None:
        """Runs all steps, or those up to the last of purpose or type `until`. Raises the first step's error."""
        steps = [s for s in _up_to(self._record.flow.steps, until) if not self._skip_refused(s)]
        self._look_up(steps)
        while True:
            error = self._start_ready(steps)
            if error is None and not self._waiting:
                return
            if self._waiting:
                site.wake()
                site.wait(POLL_S)
                error = error or self._collect()
            if error is not None:
                raise error

    def _look_up(self, steps: Sequence[FlowStep]) -> None:
        """Finds the Assets that inputs name, before anything runs. Raises Missing or Invalid with the nearest name."""
        for step in steps:
            named = ((role, name) for role, names in step.inputs.items() for name in names)
            for role, name in named if step.spec.name != "read" else ():
                if name not in self._record.steps and name not in self._outside:
                    self._outside[name] = self._found(step, role, name)

    def _found(self, step: FlowStep, role: str, name: str) -> str:
        with self._store.database.read() as connection:
            try:
                identifier = self._store.assets.resolve(connection, self._record.actor.project, name)
            except TouyanError as error:
                hint = nearest(name, self._record.steps) + "; or the id or name of an asset: touyan show"
                raise type(error)(error.code, f"{step.name}: {role}: {error.message}", hint) from error
            kind = self._store.assets.get(connection, self._record.actor.project, identifier).manifest.kind
        if kind != step.spec.inputs[role].kind:
            wanted = step.spec.inputs[role].kind
            raise Invalid(
                "wrong-kind", f"{step.name}: {name!r} is a {kind}, and {role} takes a {wanted}", f"name a {wanted}: touyan show"
            )
        return identifier

    def _skip_refused(self, step: FlowStep) -> bool:
        """A source that was refused is not read; what only needs it is an error later, with its name."""
        is_refused = step.spec.name == "read" and step.inputs["source"][0] not in self._sources
        if is_refused:
            self._told(self._record.steps[step.name], "skipped", "its source was refused")
        return is_refused

    def _start_ready(self, steps: list[FlowStep]) -> TouyanError | None:
        """Decides every pending step whose inputs exist; a hit may make further ones ready."""
        moved = True
        while moved:
            moved = False
            for step in steps:
                record = self._record.steps[step.name]
                inputs = self._inputs(step) if record.state == "pending" else None
                if inputs is None:
                    continue
                try:
                    moved = self._start(step, record, inputs) or moved
                except TouyanError as error:
                    self._fail(record, error)
                    return error
        return None

    def _start(self, step: FlowStep, record: StepRecord, inputs: list[NamedInput]) -> bool:
        """Decides one step; whether it was a hit."""
        decision = decide(self._store, self._record.actor, step, inputs, [who for _, who in self._sources.values()])
        if decision.asset:
            record.decided(decision.spec, "hit", decision.reason, decision.asset)
            self._fill_from_result(record)
            self._told(record, "hit", decision.reason)
            return True
        self._submit(record, decision)
        return False

    def _submit(self, record: StepRecord, decision: Decision) -> None:
        job = self._store.jobs.submit(self._record.actor, decision.spec)
        record.decided(decision.spec, "running", decision.reason, job=job)
        self._waiting[record.name] = job
        self._told(record, "running", decision.reason)

    def _inputs(self, step: FlowStep) -> list[NamedInput] | None:
        """The step's inputs by role, or None while one is not made yet. Raises where one can never be."""
        found: list[NamedInput] = []
        for role, names in step.inputs.items():
            for name in names:
                asset = self._sources[name][0] if step.spec.name == "read" else self._asset(name)
                if asset is None:
                    return None
                if asset:
                    found.append(NamedInput(role, asset, name))
        missing = [r for r, spec in step.spec.inputs.items() if not spec.optional and not any(i.role == r for i in found)]
        if missing:
            hint = "complete the rights records of the sources, or name another input"
            raise Refused("nothing-cleared", f"{step.name}: nothing that may be used is left for its input {missing[0]!r}", hint)
        return found

    def _asset(self, name: str) -> str | None:
        """Id of what `name` stands for; empty where it was refused; None while it is being made."""
        if name in self._outside:
            return self._outside[name]
        record = self._record.steps[name]
        return "" if record.state == "skipped" else record.asset or None

    def _collect(self) -> TouyanError | None:
        """Looks at the Jobs that were submitted; the error of the first that failed."""
        for name, job_id in list(self._waiting.items()):
            job, record = self._store.jobs.get(job_id), self._record.steps[name]
            if job.state == "done":
                del self._waiting[name]
                record.asset = str(job.asset)
                self._fill_from_result(record)
                self._told(record, "done", record.reason)
            elif job.state in ("failed", "cancelled"):
                del self._waiting[name]
                error = job.error or Broken("step-failed", "failed without a reason", f"see its log: touyan log {name}")
                error.message = f"{name}: {error.message}"
                self._fail(record, error)
                return error
            elif attempts := self._store.jobs.attempts(job_id):
                self._listener.progress(name, attempts[-1].progress)
        return None

    def _told(self, record: StepRecord, state: StepState, reason: str) -> None:
        record.state, record.reason = state, reason
        self._record.save()
        self._listener.step(record)

    def _fail(self, record: StepRecord, error: TouyanError) -> None:
        self._record.refuse(record.name, error)
        self._told(record, "failed", error.message)

    def _fill_from_result(self, record: StepRecord) -> None:
        """Counts, telemetry and time of the Job that made it, whenever that was."""
        with self._store.database.read() as connection:
            result = self._store.assets.result(connection, self._record.actor.project, record.key)
            if result is None:
                return
            attempts = connection.execute(
                select(t.attempt.c.started_at, t.attempt.c.ended_at).where(
                    t.attempt.c.job == result["job"], t.attempt.c.state == "succeeded"
                )
            ).first()
        telemetry = cast("dict[str, Json]", json.loads(result["telemetry"] or "{}"))
        record.counts = cast("Mapping[str, Json]", telemetry.pop("counts", {}))
        record.telemetry = {k: v if isinstance(v, (int, str)) else str(v) for k, v in telemetry.items()}
        if attempts and attempts[0] and attempts[1]:
            record.wall_ms = from_iso(attempts[1]) - from_iso(attempts[0])


def _up_to(steps: Sequence[FlowStep], until: str) -> Sequence[FlowStep]:
    """The steps up to the last one whose type or purpose is `until`; all of them where it is empty."""
    last = [n for n, s in enumerate(steps, 1) if until in (s.spec.name, s.spec.purpose)]
    return steps[: last[-1]] if until and last else steps
