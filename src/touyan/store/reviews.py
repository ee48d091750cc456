"""Reviews as they are kept: a signed request, signed votes, and the state they come to.

The submitter asks, persons vote, each vote is an envelope of its own. Knows nothing of rule packs and of what a decision leads
to. Invariant: no party votes on what it submitted or ran, no person votes twice however many keys it holds, and no machine
votes at all; so no flow and no step can approve itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, RowMapping, insert, select, update

from touyan.core.canonical import Json, canonical, parse, sha256_hex, short
from touyan.core.dsse import Envelope, read_envelope, seal
from touyan.core.errors import Broken, Conflict, Invalid, Missing, Refused
from touyan.core.names import nearest
from touyan.core.party import Actor
from touyan.core.review import (
    REQUEST_TYPE,
    VOTE_TYPE,
    PermitKind,
    ReviewRequest,
    Subject,
    Vote,
    VoteDecision,
    open_roles,
    outcome,
    read_request,
    read_vote,
    request_bytes,
    vote_bytes,
)  # fmt: skip
from touyan.core.seam import Seam, iso
from touyan.core.states import ReviewState, advance
from touyan.store import tables as t
from touyan.store.assets import Assets
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.gate import Gate
from touyan.store.parties import Parties
from touyan.store.policy import Thing, require


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote with the envelope that proves it."""

    vote: Vote
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Review:
    """A review as it stands."""

    id: str
    """sha256 of the signed request."""
    state: ReviewState
    request: ReviewRequest
    envelope: Envelope
    votes: tuple[CastVote, ...]
    authors: frozenset[str]
    """Parties that may not vote: who submitted it, and who started the run."""
    decided_at: str

    @property
    def open_roles(self) -> tuple[str, ...]:
        """Review roles that nobody has voted in yet."""
        return open_roles(self.request, (v.vote for v in self.votes))


class Reviews:
    """The reviews of one store."""

    def __init__(self, database: Database, parties: Parties, assets: Assets, events: EventLog, gate: Gate, seam: Seam) -> None:
        self._database = database
        self._parties = parties
        self._assets = assets
        self._events = events
        self._gate = gate
        self._seam = seam

    def request(
        self, actor: Actor, kind: PermitKind, subject: Subject, roles: Sequence[str] = (), quorum: int = 1, note: str = ""
    ) -> Review:
        """Submits a review request in the actor's name. One that is open or approved for the same subject is returned as it is,
        unless its permit has ended: a new permit takes a new review.

        Raises Refused without the verb `submit`, Missing where an Asset of the subject is not in the project.
        """
        require(actor, "submit", Thing("review", subject.model or subject.run or actor.project, actor.project))
        with self._database.write() as connection:
            for asset in subject.assets:
                self._assets.get(connection, actor.project, asset)
            known = self._row_of(connection, actor.project, kind, subject)
            if known is None or known["state"] not in ("submitted", "approved") or self._is_spent(connection, known):
                known = self._open(connection, actor, kind, subject, tuple(roles), quorum, note)
            return self._review(connection, known)

    def _is_spent(self, connection: Connection, review: RowMapping) -> bool:
        """Whether the permit that came of an approved review has been revoked or is over."""
        p = t.permit.c
        has_ended = p.state.in_(("revoked", "expired")) | (p.expires_at <= iso(self._seam.now_ms()))
        return connection.execute(select(p.number).where(p.review == review["id"], has_ended).limit(1)).first() is not None

    def _open(
        self,
        connection: Connection,
        actor: Actor,
        kind: PermitKind,
        subject: Subject,
        roles: tuple[str, ...],
        quorum: int,
        note: str,
    ) -> RowMapping:
        if quorum < 1 or len(set(roles)) != len(roles):
            raise Invalid(
                "bad-review", "a review needs a quorum of at least 1 and different review roles", "correct the flow's review"
            )
        at = iso(self._seam.now_ms())
        request = ReviewRequest(actor.project, kind, subject, roles, quorum, actor.party, note, at)
        envelope = seal(REQUEST_TYPE, request_bytes(request), self._parties.signer(actor))
        row = {
            "id": sha256_hex(envelope.payload), "project": actor.project, "subject": _subject_text(subject), "kind": kind,
            "state": advance("review", "draft", "submit"), "submitter": actor.party, "request": json.dumps(envelope.to_json()),
            "created_at": at, "decided_at": None,
        }  # fmt: skip
        connection.execute(insert(t.review), row)
        body: dict[str, Json] = {"kind": kind, "roles": list(roles), "quorum": quorum}
        self._events.emit(connection, actor, "review.requested", [str(row["id"]), *subject.assets], body)
        return self._row(connection, actor.project, str(row["id"]))

    def vote(self, actor: Actor, review: str, decision: VoteDecision, comment: str = "", role: str = "") -> Review:
        """Casts a person's signed vote, and ends the review where it decides.

        Without `role`, it is cast in the first review role that is still open. Raises Refused (own submission, machine, no role;
        recorded as an Event) and Conflict (voted before, decided already).
        """
        try:
            with self._database.write() as connection:
                found = self._review(connection, self._row(connection, actor.project, review, lock=True))
                self._require_voter(actor, found)
                vote = self._cast(connection, actor, found, decision, comment, role)
                body: dict[str, Json] = {"decision": decision, "role": vote.role, "vote": sha256_hex(vote_bytes(vote))}
                self._events.emit(connection, actor, "review.voted", [found.id, actor.party], body)
                self._settle(connection, actor, found, [*(v.vote for v in found.votes), vote])
                return self._review(connection, self._row(connection, actor.project, found.id))
        except Refused as refusal:
            self._gate.tell(actor, "review.refused", [review], refusal)
            raise

    def _require_voter(self, actor: Actor, review: Review) -> None:
        party = self._parties.get(actor.party)
        for author in sorted(review.authors):
            require(actor, "review", Thing("review", review.id, review.request.project, author))
        if party.kind != "person":
            raise Refused(
                "not-a-person", f"{party.id} is a {party.kind}: only persons vote", "let a reviewer vote: touyan review --as NAME"
            )
        if any(v.vote.party == party.id for v in review.votes):
            raise Conflict(
                "voted-already",
                f"{party.id} has voted on {short(review.id)}",
                "votes count persons: another key is no second vote",
            )

    def _cast(
        self, connection: Connection, actor: Actor, review: Review, decision: VoteDecision, comment: str, role: str
    ) -> Vote:
        advance("review", review.state, decision)
        chosen = role or next(iter(review.open_roles), "")
        if chosen and chosen not in review.request.roles:
            raise Invalid("bad-review-role", f"this review has no role {chosen!r}", nearest(chosen, review.request.roles))
        vote = Vote(review.id, actor.party, chosen, decision, comment, iso(self._seam.now_ms()))
        envelope = seal(VOTE_TYPE, vote_bytes(vote), self._parties.signer(actor))
        row = {"review": review.id, "party": actor.party, "role": chosen, "decision": decision, "comment": comment, "at": vote.at}
        connection.execute(insert(t.vote), row | {"envelope": json.dumps(envelope.to_json())})
        return vote

    def _settle(self, connection: Connection, actor: Actor, review: Review, votes: Sequence[Vote]) -> None:
        event = outcome(review.request, votes)
        if event is not None:
            state = self._move(connection, review, event)
            self._events.emit(
                connection, actor, f"review.{state}", [review.id, *review.request.subject.assets], {"votes": len(votes)}
            )

    def withdraw(self, actor: Actor, review: str, reason: str) -> Review:
        """Takes a request back; only who submitted it may."""
        with self._database.write() as connection:
            found = self._review(connection, self._row(connection, actor.project, review, lock=True))
            if found.request.submitter != actor.party:
                raise Refused(
                    "not-submitter", f"{actor.party} did not submit {short(found.id)}", "reject it instead: touyan review reject"
                )
            state = self._move(connection, found, "withdraw")
            self._events.emit(connection, actor, f"review.{state}", [found.id], {"reason": reason})
            return self._review(connection, self._row(connection, actor.project, found.id))

    def _move(self, connection: Connection, review: Review, event: str) -> str:
        state, r = advance("review", review.state, event), t.review.c
        change = (
            update(t.review)
            .where(r.id == review.id, r.state == review.state)
            .values(state=state, decided_at=iso(self._seam.now_ms()))
        )
        if connection.execute(change).rowcount != 1:
            raise Conflict(
                "review-moved", f"the review {short(review.id)} was decided meanwhile", "look at it again: touyan review"
            )
        return state

    def get(self, project: str, review: str) -> Review:
        """A review by its id or the first digits of it, its signatures checked. Raises Missing, Invalid, Refused."""
        with self._database.read() as connection:
            return self._review(connection, self._row(connection, project, review))

    def latest(self, project: str, kind: PermitKind, subject: Subject) -> Review | None:
        """The newest review of exactly this subject, whatever came of it."""
        with self._database.read() as connection:
            row = self._row_of(connection, project, kind, subject)
            return None if row is None else self._review(connection, row)

    def list(self, project: str, state: str = "", last: int = 50) -> list[Review]:
        """The newest reviews of a project, newest first."""
        query = (
            select(t.review)
            .where(t.review.c.project == project)
            .order_by(t.review.c.created_at.desc(), t.review.c.id)
            .limit(last)
        )
        with self._database.read() as connection:
            rows = connection.execute(query.where(t.review.c.state == state) if state else query).mappings().all()
            return [self._review(connection, r) for r in rows]

    def _row(self, connection: Connection, project: str, review: str, lock: bool = False) -> RowMapping:
        match = t.review.c.id.startswith(review, autoescape=True) if len(review) >= 4 else t.review.c.id == review
        query = select(t.review).where(t.review.c.project == project, match)
        # On PostgreSQL two votes at one moment would each miss the other; SQLite has but one writer.
        rows = connection.execute(query.with_for_update() if lock else query).mappings().all()
        if len(rows) > 1:
            raise Invalid("ambiguous-id", f"{review!r} begins {len(rows)} reviews", "give more digits")
        if not rows:
            raise Missing("no-review", f"there is no review {short(review)!r} in the project {project!r}", "see: touyan review")
        return rows[0]

    def _row_of(self, connection: Connection, project: str, kind: str, subject: Subject) -> RowMapping | None:
        r = t.review.c
        query = select(t.review).where(r.project == project, r.kind == kind, r.subject == _subject_text(subject))
        return connection.execute(query.order_by(r.created_at.desc()).limit(1)).mappings().first()

    def _review(self, connection: Connection, row: RowMapping) -> Review:
        """The review of a row, read from what was signed: the row's own columns are only an index. Raises Refused, Broken."""
        envelope = _envelope(row["request"])
        request = read_request(envelope.payload)
        if sha256_hex(envelope.payload) != row["id"]:
            raise Broken(
                "review-damaged",
                f"the review {short(row['id'])} is not what was submitted",
                "restore the database: touyan restore",
            )
        self._parties.open(envelope, REQUEST_TYPE, request.submitter, request.at)
        rows = connection.execute(
            select(t.vote).where(t.vote.c.review == row["id"]).order_by(t.vote.c.at, t.vote.c.party)
        ).mappings()
        votes = tuple(self._cast_vote(r) for r in rows)
        runner = connection.execute(select(t.run.c.actor).where(t.run.c.id == request.subject.run)).scalar()
        authors = frozenset(p for p in (request.submitter, runner) if p)
        _require_earned(row, request, [v.vote for v in votes], authors)
        return Review(row["id"], cast(ReviewState, row["state"]), request, envelope, votes, authors, row["decided_at"] or "")

    def _cast_vote(self, row: RowMapping) -> CastVote:
        envelope = _envelope(row["envelope"])
        vote = read_vote(envelope.payload)
        if (vote.review, vote.party) != (row["review"], row["party"]):
            raise Broken(
                "vote-damaged", f"a vote on {short(row['review'])} is not what was signed", "restore the database: touyan restore"
            )
        self._parties.open(envelope, VOTE_TYPE, vote.party, vote.at)
        return CastVote(vote, envelope)


def _require_earned(row: RowMapping, request: ReviewRequest, votes: Sequence[Vote], authors: frozenset[str]) -> None:
    """The state that a row names is the one its signed votes lead to. Only its submitter's withdrawal needs none."""
    event = outcome(request, [v for v in votes if v.party not in authors])
    earned = "submitted" if event is None else advance("review", "submitted", event)
    if row["state"] not in (earned, "withdrawn"):
        words = f"the review {short(row['id'])} is recorded as {row['state']}, but its signed votes make it {earned}"
        raise Broken("review-state", words, "see: touyan log; restore the database: touyan restore")


def _envelope(text: str) -> Envelope:
    return read_envelope(cast(Mapping[str, Json], parse(text)))


def _subject_text(subject: Subject) -> str:
    return canonical(subject.to_json()).decode()
