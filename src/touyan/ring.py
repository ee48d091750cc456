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
from touyan.compute.local import ALL_CPUS, LocalSite
from touyan.core.party import Actor
from touyan.core.review import Subject
from touyan.data.sources import complaint
from touyan.data.sources import gather as gather_sources
from touyan.feedback.collect import Collected, Stated, collect
from touyan.feedback.sources import feedback_sources
from touyan.flow.feedback import with_feedback
from touyan.flow.file import Flow, purposes_needed, read_flow
from touyan.flow.record import RunRecord
from touyan.flow.run import Listener, Runner
from touyan.permit.decide import brief, decide
from touyan.permit.project import require_project_permit
from touyan.permit.review import request
from touyan.service.bind import bind
from touyan.store.home import Store

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
    try:
        with run:
            make(store, run, sources, listener, until)
            run.waits_for = "" if until else review(store, run) or serve(store, run)
    finally:
        written = report.write(store, actor, run.id, store.home / "runs" / run.id / "report.html")
    return Turn(run, written, run.waits_for)


def gather(store: Store, actor: Actor, flow: Flow) -> tuple[RunRecord, Sources]:
    """data: every source becomes an Asset with rights, or is refused with reasons before a byte of it is read."""
    purposes = purposes_needed(flow)
    gathered = gather_sources(store, actor, flow.file.sources, flow.folder, purposes)
    returned = feedback_sources(store, actor, purposes) if flow.file.feedback else []
    whole = with_feedback(flow, {f.name: (f.provider, f.rights) for f in returned})
    run = RunRecord(store, actor, whole, [s.to_json() for s in (*gathered, *returned)])
    refused = [g for g in gathered if not g.is_cleared]
    if refused and flow.file.on_refused == "stop":
        with run:
            raise complaint(refused[0])
    return run, {s.name: (s.asset, s.provider) for s in (*gathered, *returned) if not s.blocks}


def make(store: Store, run: RunRecord, sources: Sources, listener: Listener | None, until: str) -> None:
    """corpus and model: read, refine, train, evaluate, check. Every step is a Job on the local site, or a hit."""
    if until not in ("read", "refine"):
        require_project_permit(store, run.actor, run.flow.steps)  # training refuses without one where the rule pack asks for it
    with LocalSite(store, slots=2, threads=ALL_CPUS, project=run.actor.project) as site:
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
    issued = decide(store, run.actor, asked, run.flow.file.permit)
    run.permit = brief(issued) if issued is not None else None
    return "" if issued is not None and issued.state == "valid" else "permit"


def serve(store: Store, run: RunRecord) -> str:
    """service: the address is bound to this model, then to the one before it, then to people only."""
    service = run.flow.file.service
    if service is not None and run.served_model:
        bind(store, run.actor, service.name, run.served_model)
    return ""


def learn(store: Store, actor: Actor, path: Path, listener: Listener | None = None) -> tuple[Collected, Turn]:
    """feedback: what users said becomes an Asset through the same rights gate, and the ring turns again with it."""
    wanted = read_flow(path).file.feedback
    collected = collect(store, actor, Stated(wanted.security) if wanted else None)
    return collected, turn(store, actor, path, listener)
