"""The main path of Touyan: one turn of the ring, from raw documents to a permitted, served model.

    data ──► corpus ──► model ──► permit ──► service ──► feedback ──► data

Read this first. Every verb is one call: what it makes is an Asset, what it decides is a record, and each stops the ring with a
reason when rights, reviewers or permits say no. Running again is resuming: what is there is a hit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touyan import report
from touyan.compute.local import LocalSite
from touyan.core.party import Actor
from touyan.core.permit import Scope
from touyan.core.review import Subject
from touyan.data.sources import complaint
from touyan.data.sources import gather as gather_sources
from touyan.flow.file import Flow, purposes_needed, read_flow
from touyan.flow.record import RunRecord, RunState
from touyan.flow.run import Listener, Runner
from touyan.permit.issue import issue
from touyan.permit.review import request
from touyan.service.bind import bind
from touyan.store.home import Store
from touyan.store.reviews import Review

Sources = Mapping[str, tuple[str, str]]
"""Name to (Asset id, `provider/name`) of every cleared source."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the ring came to."""

    run: RunRecord
    report: Path
    waits_for: str
    """`review` or `permit`: who must act before the ring goes on; empty where it went round."""

    @property
    def assets(self) -> Mapping[str, str]:
        return {name: step.asset for name, step in self.run.steps.items() if step.asset}


def turn(store: Store, actor: Actor, path: Path, listener: Listener | None = None, until: str = "") -> Turn:
    """One turn of the ring for the flow file at `path`; `until` ends it after the steps of a verb (read, refine, train)."""
    run, sources = gather(store, actor, read_flow(path))
    state: RunState = "failed"
    waits_for = ""
    try:
        make(store, run, sources, listener, until)
        if not until:
            waits_for = review(store, run)
            if not waits_for:
                serve(store, run)
        state = "waiting" if waits_for else "done"
    except KeyboardInterrupt:
        state = "stopped"
        raise
    finally:
        run.end(state)
        written = report.write(store, actor, run.id, store.home / "runs" / run.id / "report.html")
    return Turn(run, written, waits_for)


def gather(store: Store, actor: Actor, flow: Flow) -> tuple[RunRecord, Sources]:
    """data: every source becomes an Asset with rights, or is refused with reasons before a byte of it is read."""
    gathered = gather_sources(store, actor, flow.file.sources, flow.folder, purposes_needed(flow))
    run = RunRecord(store, actor, flow, [g.to_json() for g in gathered])
    refused = [g for g in gathered if not g.is_cleared]
    if refused and flow.file.on_refused == "stop":
        run.end("failed")
        raise complaint(refused[0])
    return run, {g.name: (g.asset, g.provider) for g in gathered if g.is_cleared}


def make(store: Store, run: RunRecord, sources: Sources, listener: Listener | None, until: str) -> None:
    """corpus and model: read, refine, train, evaluate, check. Every step is a Job on the local site, or a hit."""
    with LocalSite(store, project=run.actor.project) as site:
        Runner(store, run, sources, listener).run(site, until)


def review(store: Store, run: RunRecord) -> str:
    """permit: persons other than the submitter vote, then an officer signs. What it waits for; empty once there is a permit."""
    wanted = run.flow.file.review
    if wanted is None:
        return ""
    subject = Subject(run.served_model, run.asset("corpus"), run.asset("checks"), run.asset("evaluation"))
    asked = request(store, run.actor, subject, wanted.kind, wanted.roles, wanted.quorum, run.flow.file.title)
    run.review = {"id": asked.id, "state": asked.state, "kind": wanted.kind, "roles": list(wanted.roles)}
    if asked.state != "approved":
        return "review"
    return permit(store, run, asked)


def permit(store: Store, run: RunRecord, approved: Review) -> str:
    """The organisation's signature under an approved review, with the scope that the flow asks for; once, whoever runs it again."""
    found, wanted = store.permits.of_review(run.actor.project, approved.id), run.flow.file.permit
    if found is None and (wanted is None or "officer" not in run.actor.roles):
        return "permit"
    if found is None and wanted is not None:
        scope = Scope(wanted.audience, wanted.domain, tuple(wanted.sites), tuple(wanted.testers))
        found = issue(store, run.actor, approved.id, approved.request.kind, scope, wanted.days, wanted.conditions)
    if found is not None:
        fields = {"number": found.number, "kind": found.permit.kind, "state": found.state, "expires_at": found.permit.expires_at}
        run.permit = fields | {"is_demo": found.permit.demo}
    return ""


def serve(store: Store, run: RunRecord) -> None:
    """service: the address is bound to this model, then to the one before it, then to people only. Feedback comes back from there."""
    service = run.flow.file.service
    if service is not None and run.served_model:
        bind(store, run.actor, service.name, run.served_model)
