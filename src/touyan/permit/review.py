"""Reviews as the office sees them: ask for one, look at the case, vote.

Owns how a Run becomes a subject and what a reviewer is shown. The rules of voting are the store's. Invariant: what is asked for
hangs together, and the quorum is never below that of the rule pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select

from touyan.core.canonical import parse
from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest
from touyan.core.party import Actor
from touyan.core.review import PermitKind, Subject, VoteDecision
from touyan.core.rights import Block, Rights
from touyan.permit.case import Case, load_case
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.reviews import Review


@dataclass(frozen=True, slots=True)
class SourceSheet:
    """One source behind the subject, as a reviewer sees it."""

    asset: str
    who: str
    """`provider/name`."""
    rights: Rights | None


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """All that a reviewer needs to decide."""

    review: Review
    case: Case
    sources: tuple[SourceSheet, ...]
    duties: tuple[str, ...]
    blocks: tuple[Block, ...]
    """Reasons against serving, by the rights of today."""
    permit: IssuedPermit | None


def request(
    store: Store,
    actor: Actor,
    subject: Subject,
    kind: PermitKind = "release",
    roles: Sequence[str] = (),
    quorum: int = 1,
    note: str = "",
) -> Review:
    """Asks for a review. `roles` are the review roles that the flow names; the quorum is at least that of the rule pack.

    The same request again gives the review that is open or approved already. Raises Invalid, Missing, Refused.
    """
    if kind != "project" and not (subject.model and subject.checks):
        raise Invalid("bad-subject", f"a {kind} review needs a model and its checks", "run the flow up to the step `check`")
    case = load_case(store, actor, subject)
    least = case.pack.quorum if case.pack else 1
    return store.reviews.request(actor, kind, subject, roles, max(quorum, least, len(roles)), note)


def subject_of_run(store: Store, actor: Actor, run: str, model_step: str = "") -> Subject:
    """The subject that a Run made: its checks, what they are about, and the model of `model_step`.

    Without `model_step` it is the only model, or the one made by a step called `train`. Raises Missing, Invalid.
    """
    steps = _finished_steps(store, actor, run)
    models = {s["name"]: s["asset"] for s in steps if s["output"] == "model"}
    chosen = model_step or ("train" if "train" in models else next(iter(models), "") if len(models) == 1 else "")
    if chosen not in models:
        raise Invalid("which-model", f"the run made {len(models)} models and none is called {chosen!r}", nearest(chosen, models))
    checks = next((s for s in reversed(steps) if s["output"] == "checks"), None)
    if checks is None:
        raise Missing("no-checks", "the run has no finished checks", "add the step `check` to the flow, or let it finish")
    given = {i["role"]: i["asset"] for i in checks["inputs"]}
    return Subject(models[chosen], given["corpus"], checks["asset"], given["evaluation"], run)


def _finished_steps(store: Store, actor: Actor, run: str) -> list[dict[str, Any]]:
    with store.database.read() as connection:
        query = select(t.run.c.plan).where(t.run.c.id == run, t.run.c.project == actor.project)
        plan = connection.execute(query).scalar()
    if plan is None:
        raise Missing("no-run", f"there is no run {run[:40]!r} in the project {actor.project!r}", "see: touyan show")
    steps = cast("list[dict[str, Any]]", cast("Mapping[str, Any]", parse(plan))["steps"])
    return [s for s in steps if s["asset"]]


def show(store: Store, actor: Actor, review: str) -> ReviewSheet:
    """What a reviewer is shown. Raises Missing, Refused."""
    found = store.reviews.get(actor.project, review)
    subject = found.request.subject
    case = load_case(store, actor, subject)
    main = subject.model or subject.corpus
    with store.database.read() as connection:
        listed = store.gate.sources(connection, actor.project, main) if main else []
        sources = tuple(SourceSheet(i, who, store.statements.standing(connection, actor.project, i).rights) for i, who in listed)
        duties = store.gate.effective(connection, actor.project, main).duties if main else frozenset[str]()
        blocks = store.gate.blocks(connection, actor.project, main, "serve") if main else []
    permit = store.permits.of_review(actor.project, found.id)
    return ReviewSheet(found, case, sources, tuple(sorted(duties)), tuple(blocks), permit)


def vote(store: Store, actor: Actor, review: str, decision: VoteDecision, comment: str = "", role: str = "") -> Review:
    """Casts the actor's vote; see `store.reviews.Reviews.vote`."""
    return store.reviews.vote(actor, review, decision, comment, role)
