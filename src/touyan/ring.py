"""The main path of Touyan: one turn of the ring, from raw documents to a permitted, served model.

    data ──► corpus ──► model ──► permit ──► service ──► feedback ──► data

Read this first. Every verb is one call: what it makes is an Asset, what it decides is a record, and each stops the ring with a
reason when rights, reviewers or permits say no. Running again is resuming: what is there is a hit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from touyan import data, permit, report, service
from touyan.compute.agent import LocalSite
from touyan.core.errors import TouyanError
from touyan.core.party import Actor
from touyan.flow.file import Flow, purposes_needed, read_flow
from touyan.flow.record import RunRecord
from touyan.flow.run import Listener, Runner
from touyan.store.home import Store


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the ring came to."""

    run: RunRecord
    report: Path
    next_step: str
    """What a person does next, as a command; empty where nothing is waiting."""

    @property
    def assets(self) -> Mapping[str, str]:
        return {name: step.asset for name, step in self.run.steps.items() if step.asset}


def turn(store: Store, actor: Actor, path: Path, listener: Listener | None = None, until: str = "") -> Turn:
    """One turn of the ring for the flow file at `path`; `until` stops after the steps of a verb (read, refine, train)."""
    flow = read_flow(path)
    run, sources = gather(store, actor, flow)
    next_step, state = "", "failed"
    try:
        make(store, run, sources, listener, until)  # refine, train, evaluate, check
        if until:
            state = "done"
        elif flow.file.review is not None and not review(store, run):
            next_step, state = waiting(run), "waiting"
        else:
            serve(store, run)
            state = "done"
    except KeyboardInterrupt:
        state = "stopped"
        raise
    finally:
        run.end(state)
        written = report.write(store, actor, run.id, store.home / "runs" / run.id / "report.html")
    return Turn(run, written, next_step)


def gather(store: Store, actor: Actor, flow: Flow) -> tuple[RunRecord, Mapping[str, tuple[str, str]]]:
    """data: every source becomes an Asset with rights, or is refused with reasons. The rights gate stands here first."""
    gathered = data.gather(store, actor, flow.file.sources, flow.folder, purposes_needed(flow))
    run = RunRecord(store, actor, flow, [g.to_json() for g in gathered])
    refused = [g for g in gathered if not g.is_cleared]
    if refused and flow.file.on_refused == "stop":
        run.end("failed")
        raise data.complaint(refused[0])
    return run, {g.name: (g.asset, g.provider) for g in gathered if g.is_cleared}


def make(store: Store, run: RunRecord, sources: Mapping[str, tuple[str, str]], listener: Listener | None, until: str) -> None:
    """corpus and model: every step is a Job on the local site, or a hit."""
    with LocalSite(store, run.actor.project) as site:
        Runner(store, run, sources, listener).run(site.wait, until)


def review(store: Store, run: RunRecord) -> bool:
    """permit: persons other than the submitter vote; an officer's key signs. False while it waits for either."""
    wanted, scope = run.flow.file.review, run.flow.file.permit
    assert wanted is not None
    subject = permit.Subject(run.served_model, run.asset("corpus"), run.asset("checks"), run.asset("evaluation"))
    asked = permit.request(store, run.actor, wanted.kind, subject, wanted.roles, wanted.quorum, run.flow.file.title)
    run.review = {"id": asked.id, "state": asked.state, "kind": wanted.kind, "roles": list(wanted.roles)}
    if asked.state != "approved" or scope is None:
        return scope is None and asked.state == "approved"
    issued = permit.issue_or_find(store, run.actor, asked, scope)
    run.permit = {"number": issued.number, "kind": wanted.kind, "state": issued.state, "is_demo": issued.permit.demo,
                  "expires_at": issued.permit.expires_at}  # fmt: skip
    return True


def serve(store: Store, run: RunRecord) -> None:
    """service: the address is bound to the new model, then to the one before it, then to humans only."""
    wanted = run.flow.file.service
    if wanted is not None and run.served_model:
        service.bind(store, run.actor, wanted.name, run.served_model)


def waiting(run: RunRecord) -> str:
    """What a person does next."""
    asked = run.review or {}
    return f"waiting for review: touyan review show {str(asked.get('id', ''))[:12]}"


__all__ = ["Turn", "TouyanError", "turn"]
