"""Gathers the facts of one run from the store, through the gate, as the Actor who asks.

Owns the queries. Knows nothing about the page. Invariant: it changes nothing but the evidence log, whose head it asks for; and
a part that is missing, erased or damaged becomes a gap with its reason, never a failed report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import RowMapping, select

from touyan.core.canonical import parse
from touyan.core.dsse import Envelope, read_envelope
from touyan.core.errors import Missing, TouyanError
from touyan.core.party import Actor
from touyan.core.rights import Effective
from touyan.report import folders, loose, record
from touyan.report.facts import LogHead, ModelFacts, Permit, ReportFacts, Review, RunFacts, StepFacts, Vote
from touyan.report.loose import Loose
from touyan.store import tables as t
from touyan.store.database import setting
from touyan.store.gate import OpenAsset
from touyan.store.home import Store
from touyan.store.policy import Thing, require

MAX_EVENTS = 40


def facts(store: Store, actor: Actor, run_id: str) -> ReportFacts:
    """All that the report of a run says. `run_id` may be its first digits.

    Raises Missing where there is no such run in the actor's project, and Refused where the actor may not inspect it.
    """
    row = _run_row(store, actor, run_id)
    plan = loose.mapping(json.loads(row["plan"]))
    gaps: list[tuple[str, str]] = []
    sources, steps = record.sources(plan), record.steps(plan)
    opened = _open_all(store, actor, steps, gaps)
    review = _review(store, actor, plan)
    permit = _permit(store, actor, plan, review)
    models = tuple(folders.model_facts(s, opened[s.name]) for s in steps if s.output == "model" and s.name in opened)
    subject = _subject(store, review, permit, models)
    return ReportFacts(
        run=_run(store, row, plan),
        sources=sources,
        refusals=record.refusals(plan),
        steps=steps,
        corpus=folders.corpus_facts(
            (s, opened[s.name]) for s in steps if s.output in ("documents", "corpus") and s.name in opened
        ),
        models=models,
        subject=subject,
        mixture=_mixture(store, actor, subject, steps),
        evaluation=next(
            (folders.evaluation(opened[s.name]) for s in steps if s.output == "evaluation" and s.name in opened), None
        ),
        checks=next((folders.checks(opened[s.name]) for s in steps if s.output == "checks" and s.name in opened), None),
        review=review,
        permit=permit,
        lineage=record.lineage(sources, steps, subject, review, permit),
        environment=_environment(store, actor, steps),
        head=_head(store, actor, [row["id"], *filter(None, (subject, review and review.id, permit and permit.number))], gaps),
        gaps=tuple(gaps),
    )


def _run_row(store: Store, actor: Actor, run_id: str) -> RowMapping:
    query = select(t.run).where(t.run.c.project == actor.project, t.run.c.id.startswith(run_id, autoescape=True))
    with store.database.read() as connection:
        rows = connection.execute(query.order_by(t.run.c.started_at.desc()).limit(2)).mappings().all()
    exact = [r for r in rows if r["id"] == run_id] or rows
    if not run_id or len(exact) != 1:
        raise Missing("no-run", f"{'several runs begin' if exact else 'no run begins'} with {run_id[:40]!r}", "see: touyan show")
    require(actor, "inspect", Thing("run", exact[0]["id"], exact[0]["project"]))
    return exact[0]


def _run(store: Store, row: RowMapping, plan: Mapping[str, Loose]) -> RunFacts:
    with store.database.read() as connection:
        organisation = setting(connection, "organisation") or ""
    title, purpose = loose.text(plan.get("title")) or row["flow"], loose.text(plan.get("purpose"))
    return RunFacts(
        row["id"], row["flow"], row["flow_sha256"], title, purpose, row["state"], row["actor"], row["project"], organisation,
        row["started_at"], row["ended_at"],
    )  # fmt: skip


@dataclass(slots=True)
class OpenFolder:
    """The files of an opened Asset; what cannot be read is noted once in `gaps`."""

    opened: OpenAsset
    gaps: list[tuple[str, str]] = field(repr=False)

    @property
    def asset(self) -> str:
        return self.opened.asset.id

    @property
    def size_bytes(self) -> int:
        return self.opened.manifest.size_bytes

    def json(self, path: str) -> Loose:
        data = self._read(path)
        return None if data is None else self._parse(path, data)

    def lines(self, path: str) -> list[Loose]:
        data = self._read(path) or ""
        return [self._parse(path, line) for line in data.splitlines() if line.strip()]

    def _read(self, path: str) -> str | None:
        if not any(f.path == path for f in self.opened.manifest.files):
            return None
        try:
            return self.opened.read_file(path).decode("utf-8", "replace")
        except TouyanError as error:
            self._miss(path, error.message)
            return None

    def _parse(self, path: str, data: str) -> Loose:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            self._miss(path, f"not JSON: {error}")
            return None

    def _miss(self, path: str, reason: str) -> None:
        gap = (f"{self.opened.asset.name}/{path}", reason)
        if gap not in self.gaps:
            self.gaps.append(gap)


def _open_all(store: Store, actor: Actor, steps: Sequence[StepFacts], gaps: list[tuple[str, str]]) -> dict[str, OpenFolder]:
    found: dict[str, OpenFolder] = {}
    for step in steps:
        if not step.asset:
            continue
        try:
            found[step.name] = OpenFolder(store.gate.open(step.asset, actor, "inspect"), gaps)
        except TouyanError as error:
            gaps.append((step.name, error.message))
    return found


def _review(store: Store, actor: Actor, plan: Mapping[str, Loose]) -> Review | None:
    asked = loose.mapping(plan.get("review"))
    identifier = loose.text(asked.get("id"))
    if not identifier:
        return None
    with store.database.read() as connection:
        query = select(t.review).where(t.review.c.id == identifier, t.review.c.project == actor.project)
        row = connection.execute(query).mappings().first()
        cast = connection.execute(select(t.vote).where(t.vote.c.review == identifier).order_by(t.vote.c.at)).mappings().all()
    votes = tuple(Vote(v["party"], v["role"], v["decision"], v["comment"], v["at"]) for v in cast) if row else ()
    kind, state = (loose.text(row[n] if row else asked.get(n)) for n in ("kind", "state"))
    return Review(identifier, kind, state, row["submitter"] if row else "", loose.texts(asked.get("roles")), votes)


def _permit(store: Store, actor: Actor, plan: Mapping[str, Loose], review: Review | None) -> Permit | None:
    """The permit that the record names, else the newest that came of its review: it may have been issued after the run."""
    asked = loose.mapping(plan.get("permit"))
    number = loose.text(asked.get("number"))
    if not number and review is None:
        return None
    named = t.permit.c.number == number if number else t.permit.c.review == (review.id if review else "")
    with store.database.read() as connection:
        query = select(t.permit).where(named, t.permit.c.project == actor.project).order_by(t.permit.c.issued_at.desc())
        row = connection.execute(query).mappings().first()
    if row is None and not number:
        return None
    if row is None:
        kind, state, expires = (loose.text(asked.get(n)) for n in ("kind", "state", "expires_at"))
        return Permit(number, kind, state, asked.get("is_demo") is True, "", "", expires, (), (), ())
    envelope = _envelope(row["envelope"])
    predicate = _predicate(envelope)
    return Permit(
        row["number"], row["kind"], row["state"], bool(row["is_demo"]), row["model"], row["issued_at"], row["expires_at"],
        _listed(predicate.get("scope")), _listed(predicate.get("conditions")),
        tuple(s.key_id for s in envelope.signatures) if envelope else (),
    )  # fmt: skip


def _envelope(text: str) -> Envelope | None:
    try:
        return read_envelope(loose.mapping(parse(text)))  # type: ignore[arg-type]
    except TouyanError:
        return None


def _predicate(envelope: Envelope | None) -> Mapping[str, Loose]:
    """The predicate of the in-toto statement in a permit's envelope."""
    if envelope is None:
        return {}
    try:
        return loose.mapping(loose.mapping(json.loads(envelope.payload)).get("predicate"))
    except ValueError:
        return {}


def _listed(value: Loose) -> tuple[str, ...]:
    """`audience: staff` for each member of an object; the texts of a list."""
    pairs = loose.mapping(value)
    if not pairs:
        return loose.texts(value)
    named = ((k, " · ".join(loose.texts(v)) or loose.text(v)) for k, v in pairs.items())
    return tuple(f"{k}: {v}" for k, v in named if v)


def _subject(store: Store, review: Review | None, permit: Permit | None, models: Sequence[ModelFacts]) -> str:
    """The model that the run is about."""
    made = {m.asset for m in models}
    if permit is not None and permit.model in made:
        return permit.model
    if review is not None:
        with store.database.read() as connection:
            asked = connection.execute(select(t.review.c.subject).where(t.review.c.id == review.id)).scalar() or "{}"
        subject = loose.text(loose.mapping(json.loads(asked)).get("model"))
        if subject in made:
            return subject
    trained = [m.asset for m in models if m.step.partition("/")[0] == "train"] or [m.asset for m in models]
    return trained[0] if trained else ""


def _mixture(store: Store, actor: Actor, subject: str, steps: Sequence[StepFacts]) -> Effective | None:
    """Rights of the model's mixture; before there is a model, of the last thing made."""
    made = [s.asset for s in steps if s.asset]
    if not subject and not made:
        return None
    with store.database.read() as connection:
        return store.gate.effective(connection, actor.project, subject or made[-1])


def _environment(store: Store, actor: Actor, steps: Sequence[StepFacts]) -> dict[str, str]:
    """The environments in which the results were made, as the agents stated them; several values of a name are joined."""
    found: dict[str, list[str]] = {}
    with store.database.read() as connection:
        statements = [s for step in steps if step.asset for s in store.statements.of(connection, actor.project, step.asset)]
    for statement in statements:
        stated = loose.scalars(statement.body.get("environment")) if statement.kind == "made-by" else {}
        for name, value in stated.items():
            if value not in found.setdefault(name, []):
                found[name].append(value)
    return {name: " · ".join(values) for name, values in sorted(found.items())}


def _head(store: Store, actor: Actor, subjects: Sequence[str], gaps: list[tuple[str, str]]) -> LogHead | None:
    """The log's signed head now, and the events about the run, its model, its review and its permit."""
    try:
        envelope = store.events.head(store.log_key)
    except TouyanError as error:
        gaps.append(("evidence log", error.message))
        return None
    told = {e.position: e for s in subjects for e in store.events.find(actor.project, subject=s)}
    newest = [told[p] for p in sorted(told)][-MAX_EVENTS:]
    events = tuple((e.position, e.event.at, e.event.type, e.event.actor) for e in newest)
    head = loose.mapping(parse(envelope.payload))
    origin, root, at = (loose.text(head.get(n)) for n in ("origin", "root", "at"))
    return LogHead(origin, loose.integer(head.get("size")), root, at, envelope.signatures[0].key_id, events)
