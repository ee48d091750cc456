"""The record of a run: what the report, `touyan show` and the console read (docs/formats/run.md).

Owns the row in the table `run` and its JSON. Knows nothing of how steps are decided. Invariant: after every change the row says
what holds now; a run that was killed is found as it stood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, TypeAlias

from sqlalchemy import insert, update

from touyan.core.canonical import Json, canonical
from touyan.core.errors import TouyanError
from touyan.core.job import JobSpec
from touyan.core.party import Actor
from touyan.core.seam import iso
from touyan.flow.file import Flow
from touyan.store import tables as t
from touyan.store.home import Store

RunState: TypeAlias = Literal["running", "waiting", "done", "failed", "stopped"]
StepState: TypeAlias = Literal["pending", "running", "hit", "done", "failed", "skipped"]


@dataclass(slots=True)
class StepRecord:
    """One step of a run."""

    name: str
    step: str
    version: str
    output: str
    state: StepState = "pending"
    reason: str = ""
    key: str = ""
    job: str = ""
    asset: str = ""
    params: Mapping[str, Json] = field(default_factory=dict[str, Json])
    inputs: Sequence[Mapping[str, Json]] = ()
    wall_ms: int = 0
    counts: Mapping[str, Json] = field(default_factory=dict[str, Json])
    telemetry: Mapping[str, Json] = field(default_factory=dict[str, Json])

    def decided(self, spec: JobSpec, state: StepState, reason: str, asset: str = "", job: str = "") -> None:
        self.state, self.reason, self.asset, self.job = state, reason, asset, job
        self.key, self.params = spec.key, spec.params
        self.inputs = [{"role": i.role, "name": i.name, "asset": i.asset} for i in spec.inputs]


class RunRecord:
    """One execution of a flow, kept in the store."""

    def __init__(self, store: Store, actor: Actor, flow: Flow, sources: Sequence[Mapping[str, Json]]) -> None:
        self._store = store
        self.actor = actor
        self.flow = flow
        at = iso(store.seam.now_ms())
        self.id = f"run-{at[:10].replace('-', '')}-{store.seam.token(4)}"
        self.state: RunState = "running"
        self.waits_for = ""
        """`review` or `permit`: who must act before the ring goes on; empty where it went round."""
        self.sources = list(sources)
        self.steps = {s.name: StepRecord(s.name, s.spec.name, s.spec.version, s.spec.output) for s in flow.steps}
        self.review: Mapping[str, Json] | None = None
        self.permit: Mapping[str, Json] | None = None
        self.refusals: list[Mapping[str, Json]] = []
        row = {"id": self.id, "project": actor.project, "flow": flow.file.name, "flow_sha256": flow.sha256, "state": self.state}
        with store.database.write() as connection:
            connection.execute(
                insert(t.run), row | {"actor": actor.party, "plan": self._json(), "started_at": at, "ended_at": None}
            )
            store.events.emit(connection, actor, "run.started", [self.id], {"flow": flow.file.name, "flow_sha256": flow.sha256})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the run however its work ended; what raised goes on."""
        if isinstance(error, TouyanError):
            self.refuse("the run", error)
        if error is None:
            self.end("waiting" if self.waits_for else "done")
        else:
            self.end("stopped" if isinstance(error, KeyboardInterrupt) else "failed")

    def save(self) -> None:
        """Writes the record as it stands."""
        with self._store.database.write() as connection:
            connection.execute(update(t.run).where(t.run.c.id == self.id).values(plan=self._json(), state=self.state))

    def refuse(self, what: str, error: TouyanError) -> None:
        """Notes what stopped the run: a step by name, or what came after the steps."""
        record = {"what": what, "code": error.code, "message": error.message, "hint": error.hint}
        if all(r["message"] != error.message for r in self.refusals):
            self.refusals.append(record)

    def end(self, state: RunState) -> None:
        """Ends the run, with an Event that carries the outcome of its steps and what stopped it."""
        self.state = state
        counts: dict[str, Json] = {
            s: sum(1 for r in self.steps.values() if r.state == s) for s in ("hit", "done", "failed", "skipped")
        }
        with self._store.database.write() as connection:
            values = {"plan": self._json(), "state": state, "ended_at": iso(self._store.seam.now_ms())}
            connection.execute(update(t.run).where(t.run.c.id == self.id).values(values))
            stopped_by = {n: self.refusals[-1][n] for n in ("what", "code", "message")} if self.refusals else {}
            self._store.events.emit(connection, self.actor, f"run.{state}", [self.id], counts | stopped_by)

    def asset(self, kind: str, step: str = "") -> str:
        """The Asset of the last step of that kind, or of a named step; empty where there is none."""
        made = [r.asset for r in self.steps.values() if r.asset and (r.name == step if step else r.output == kind)]
        return made[-1] if made else ""

    @property
    def served_model(self) -> str:
        """The model that the flow asks a permit for: the one its service names, else the last that `train` made."""
        service = self.flow.file.service
        if service is not None and service.model:
            return self.asset("model", service.model)
        trained = [r.asset for r in self.steps.values() if r.step == "train" and r.asset]
        return trained[-1] if trained else self.asset("model")

    def _json(self) -> str:
        names = StepRecord.__slots__
        steps: list[Json] = [{n: getattr(r, n) for n in names} for r in self.steps.values()]
        value: dict[str, Json] = {
            "run": 1, "flow": self.flow.file.name, "title": self.flow.file.title, "sources": self.sources, "steps": steps,
            "review": self.review, "permit": self.permit, "refusals": self.refusals,
        }  # fmt: skip
        return canonical(value).decode()
