"""Issues a permit: from an approved review to a signed decision that says what it rests on.

Owns the content of the decision. Approval, rights and withdrawals are enforced where it is kept (`store.permits`). Invariant: no
permit for a trial or a release while a blocking rule is not passed; and who lost to a baseline is said in the permit itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from touyan.core.canonical import Json, parse, sha256_hex
from touyan.core.errors import Invalid, Refused
from touyan.core.party import Actor
from touyan.core.permit import Filing, LogRef, Permit, RulePackRef, Scope, VoteRef
from touyan.core.review import PermitKind
from touyan.core.seam import iso
from touyan.permit.case import Case, load_case
from touyan.permit.content import measures, outcomes, winners
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.reviews import CastVote, Review

DAY_MS = 24 * 3600 * 1000


def issue(
    store: Store, actor: Actor, review: str, kind: PermitKind = "release", scope: Scope | None = None, days: int = 90,
    conditions: Sequence[str] = (), filings: Sequence[Filing] = (),
) -> IssuedPermit:  # fmt: skip
    """Issues the permit of an approved review, valid from now for `days` days.

    Raises Refused (not an officer, not approved, blocking rules, rights, a withdrawal; recorded as an Event), Invalid, Conflict.
    """
    if not 1 <= days <= 3650:
        raise Invalid("bad-days", f"a permit cannot last {days} days", "give 1 to 3650")
    found = store.reviews.get(actor.project, review)
    case = load_case(store, actor, found.request.subject)
    if kind != "project":
        _require_passed(store, actor, found, case)
    wanted = scope or Scope()
    if kind == "trial" and not wanted.testers:
        raise Invalid("no-testers", "a trial permit names its testers", "give the scope's testers: ids of Parties")
    return store.permits.issue(actor, draft(store, actor, found, case, kind, wanted, days, conditions, filings))


def _require_passed(store: Store, actor: Actor, review: Review, case: Case) -> None:
    if not case.blocking and case.pack is not None:
        return
    names = ", ".join(case.blocking) or "no rules were applied"
    refusal = Refused(
        "checks-block",
        f"no permit: these rules are not passed: {names}",
        "mend what they found, run again, and ask for a new review",
    )
    store.gate.tell(actor, "permit.refused", [review.id, *review.request.subject.assets], refusal)
    raise refusal


def draft(
    store: Store, actor: Actor, review: Review, case: Case, kind: PermitKind, scope: Scope, days: int, conditions: Sequence[str],
    filings: Sequence[Filing],
) -> Permit:  # fmt: skip
    """The decision without its number."""
    subject, pack, now_ms = case.subject, case.pack, store.seam.now_ms()
    organisation = store.parties.get(actor.party).organisation
    voters = [v.vote.party for v in review.votes]
    is_demo = any(store.parties.get(p).is_demo for p in (actor.party, *review.authors, *voters)) or (
        pack is not None and pack.is_demo
    )
    return Permit(
        number="", kind=kind, project=review.request.project, organisation=organisation, officer=actor.party,
        model=subject.model, corpus=subject.corpus, checks=subject.checks, evaluation=subject.evaluation,
        review=review.id, submitter=review.request.submitter,
        rule_pack=None if pack is None else RulePackRef(pack.id, pack.version, pack.sha256),
        outcomes=outcomes(case.checks), measures=measures(case.metrics), winners=winners(case.winners),
        votes=tuple(_vote_ref(v) for v in review.votes), log=_log_ref(store), scope=scope, conditions=tuple(conditions),
        filings=tuple(filings), issued_at=iso(now_ms), expires_at=iso(now_ms + days * DAY_MS), demo=is_demo,
    )  # fmt: skip


def _vote_ref(cast_vote: CastVote) -> VoteRef:
    vote = cast_vote.vote
    key_id = cast_vote.envelope.signatures[0].key_id
    return VoteRef(vote.party, vote.role, vote.decision, key_id, sha256_hex(cast_vote.envelope.payload))


def _log_ref(store: Store) -> LogRef:
    key = store.log_key
    head = cast("dict[str, Json]", parse(store.events.head(key).payload))
    return LogRef(str(head["origin"]), cast(int, head["size"]), str(head["root"]), key.key_id, key.public_hex)
