"""Services: which models an address may serve, in which order, what it served when, and what was used.

A binding is an ordered list: current model, previous released model, and at last people only. Knows nothing of engines or HTTP;
whether a target may be served now is asked of the permit and the rights each time. Invariant: every list ends with
`humans-only`, and every change of what is served is an Event, so "what was serving at time t" is one query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from touyan.core.asset import check_digest
from touyan.core.canonical import Json
from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog, Logged
from touyan.store.policy import Thing, require

HUMANS_ONLY = "humans-only"
BOUND, FELL_BACK, STOPPED = "service.bound", "service.fell-back", "service.stopped"
CHANGES = (BOUND, FELL_BACK, STOPPED)
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


@dataclass(frozen=True, slots=True)
class Service:
    """An address and what it may serve, best first."""

    project: str
    name: str
    targets: tuple[str, ...]
    """Ids of model Assets, then `humans-only`."""
    bound_by: str
    at: str

    @property
    def subject(self) -> str:
        """How Events name it."""
        return subject_of(self.project, self.name)


@dataclass(frozen=True, slots=True)
class Use:
    """One answered request, for the meter."""

    service: str
    model: str
    permit: str
    api_key: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Total:
    """Use of one model under one permit by one key."""

    model: str
    permit: str
    api_key: str
    requests: int
    prompt_tokens: int
    completion_tokens: int


def subject_of(project: str, name: str) -> str:
    return f"service:{project}/{name}"


class Services:
    """The services of one store."""

    def __init__(self, database: Database, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._events = events
        self._seam = seam

    def bind(self, actor: Actor, name: str, targets: Sequence[str]) -> Service:
        """Sets the ordered list of a service, given by whole model ids; `humans-only` is added where it is not the last."""
        require(actor, "serve", Thing("service", name, actor.project))
        service = Service(actor.project, _checked_name(name), _checked_targets(targets), actor.party, iso(self._seam.now_ms()))
        with self._database.write() as connection:
            for model in service.targets[:-1]:
                _require_model(connection, actor.project, model)
            connection.execute(delete(t.service).where(t.service.c.project == actor.project, t.service.c.name == name))
            row = {
                "project": actor.project,
                "name": name,
                "targets": json.dumps(service.targets),
                "bound_by": actor.party,
                "at": service.at,
            }
            connection.execute(insert(t.service), row)
            self._events.emit(
                connection, actor, "service.listed", [service.subject, *service.targets[:-1]], {"targets": list(service.targets)}
            )
        return service

    def get(self, project: str, name: str) -> Service:
        """Raises Missing with the nearest name."""
        with self._database.read() as connection:
            query = select(t.service).where(t.service.c.project == project, t.service.c.name == name)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Missing("no-service", f"no service is called {name!r}", nearest(name, [s.name for s in self.list(project)]))
        return _service(row)

    def list(self, project: str) -> list[Service]:
        query = select(t.service).where(t.service.c.project == project).order_by(t.service.c.name)
        with self._database.read() as connection:
            return [_service(r) for r in connection.execute(query).mappings()]

    def tell(self, actor: Actor, name: str, kind: str, serving: str, body: Mapping[str, Json]) -> None:
        """Records a change of what is served; `kind` is one of CHANGES, `serving` a model id or `humans-only`."""
        permit = str(body.get("permit", ""))
        subjects = [subject_of(actor.project, name), *(s for s in (serving, permit) if s and s != HUMANS_ONLY)]
        with self._database.write() as connection:
            self._events.emit(connection, actor, kind, subjects, {"service": name, "serving": serving} | dict(body))

    def changes(self, project: str, name: str, last: int = 1000) -> list[Logged]:
        """The newest changes of what was served, first to last."""
        self._events.sequence()
        found = self._events.find(project, subject=subject_of(project, name), last=last)
        return [e for e in found if e.event.type in CHANGES]

    def serving_at(self, project: str, name: str, at: str) -> Logged | None:
        """The change that held at `at` (ISO): its body says what was served under which permit. None before the first."""
        before = [e for e in self.changes(project, name) if e.event.at <= at]
        return before[-1] if before else None

    def meter(self, project: str, use: Use) -> None:
        """Writes one line of use."""
        columns = {n: getattr(use, n) for n in Use.__dataclass_fields__}
        with self._database.write() as connection:
            connection.execute(insert(t.usage), columns | {"project": project, "at": iso(self._seam.now_ms())})

    def totals(self, actor: Actor, name: str, since: str = "", until: str = "9999") -> list[Total]:
        """Use of a service from `since` up to `until` (ISO), by model, permit and key. Asks for `inspect`."""
        require(actor, "inspect", Thing("service", name, actor.project))
        u = t.usage.c
        sums = (func.count(), func.sum(u.prompt_tokens), func.sum(u.completion_tokens))
        query = select(u.model, u.permit, u.api_key, *sums).where(
            u.project == actor.project, u.service == name, u.at >= since, u.at < until
        )
        groups = (u.model, u.permit, u.api_key)
        with self._database.read() as connection:
            return [Total(*row) for row in connection.execute(query.group_by(*groups).order_by(*groups))]

    def mark(self) -> tuple[int, int, int]:
        """Changes whenever an Event or a Statement was added: what was decided before may then no longer hold."""
        newest = [func.max(c).label(f"n{i}") for i, c in enumerate((t.event.c.position, t.outbox.c.seq, t.statement.c.seq))]
        with self._database.read() as connection:
            found = connection.execute(select(*(select(n).scalar_subquery() for n in newest))).one()
        event, waiting, statement = (-1 if n is None else int(n) for n in found)
        return event, waiting, statement


def _service(row: RowMapping) -> Service:
    return Service(row["project"], row["name"], tuple(json.loads(row["targets"])), row["bound_by"], row["at"])


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Invalid("bad-name", f"{name!r} cannot name a service", "use lower-case letters, digits, '.' and '-', at most 63")
    return name


def _checked_targets(targets: Sequence[str]) -> tuple[str, ...]:
    models = tuple(targets[:-1] if targets and targets[-1] == HUMANS_ONLY else targets)
    if len(set(models)) != len(models):
        raise Invalid("bad-targets", "the list names one model twice", "name each model once, best first")
    return (*map(check_digest, models), HUMANS_ONLY)


def _require_model(connection: Connection, project: str, model: str) -> None:
    query = select(t.asset.c.kind).where(t.asset.c.project == project, t.asset.c.id == model)
    kind = connection.execute(query).scalar()
    if kind is None:
        raise Missing("no-asset", f"there is no asset {model[:12]} in the project {project!r}", "see: touyan show")
    if kind != "model":
        raise Invalid("not-a-model", f"{model[:12]} is a {kind}", "bind a model")
