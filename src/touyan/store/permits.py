"""Permits as they are kept: numbered, signed by the organisation, and moved only by signed acts.

Signing uses a permit key that the root key endorsed, so that the root can stay offline. Knows the decision and its validity;
what a decision must rest on is put together by the room `permit`. Invariant: what `valid_for` returns was signed by the
organisation, is in force at that moment, and covers that use; everything else is Refused with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from sqlalchemy import Connection, RowMapping, func, insert, select, text, update

from touyan.core.canonical import Json, parse, sha256_hex, short
from touyan.core.dsse import Envelope, read_envelope, seal, signed_by, unseal
from touyan.core.errors import Broken, Conflict, Missing, Refused, TouyanError
from touyan.core.party import Actor
from touyan.core.permit import PAYLOAD_TYPE, Permit, Use, permit_bytes, read_permit, why_not
from touyan.core.seam import Seam, iso
from touyan.core.statement import PAYLOAD_TYPE as STATEMENT_TYPE
from touyan.core.statement import read_statement
from touyan.core.states import PermitState, advance
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.gate import Gate
from touyan.store.keys import KeyPair, Keyring
from touyan.store.parties import ENROLMENT_TYPE, Parties, PartyKey, endorse
from touyan.store.policy import Thing, require
from touyan.store.reviews import Reviews
from touyan.store.statements import Statements

PERMIT_KEY = "organisation/permit"
"""Name of the permit key in the keyring; no Party can have it, because names hold no slash."""
NUMBER_LOCK = 0x7065726D


@dataclass(frozen=True, slots=True)
class IssuedPermit:
    """A permit and what became of it."""

    permit: Permit
    state: PermitState
    reason: str
    """Why it was suspended, resumed or revoked."""
    envelope: Envelope

    @property
    def number(self) -> str:
        return self.permit.number

    @property
    def digest(self) -> str:
        """sha256 of the signed Statement: how the evidence log names it."""
        return sha256_hex(self.envelope.payload)


class Permits:
    """The permits of one store."""

    def __init__(
        self, database: Database, parties: Parties, keyring: Keyring, statements: Statements, reviews: Reviews,
        events: EventLog, gate: Gate, seam: Seam,
    ) -> None:  # fmt: skip
        self._database = database
        self._parties = parties
        self._keyring = keyring
        self._statements = statements
        self._reviews = reviews
        self._events = events
        self._gate = gate
        self._seam = seam

    def issue(self, actor: Actor, draft: Permit) -> IssuedPermit:
        """Signs `draft`, gives it the next number of its year, and keeps it. One approved review gives one permit.

        Raises Refused without the verb `permit`, where the review is not approved, or where rights or a withdrawal block;
        Conflict where the review has its permit already. Refusals are Events.
        """
        try:
            self._require_decidable(actor, draft)
        except Refused as refusal:
            self._gate.tell(actor, "permit.refused", [a for a in (draft.review, draft.model) if a], refusal)
            raise
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": NUMBER_LOCK})
            known = connection.execute(select(t.permit.c.number).where(t.permit.c.review == draft.review)).scalar()
            if known:
                raise Conflict(
                    "permit-exists", f"the review {short(draft.review)} gave the permit {known}", "ask for a new review"
                )
            key = self._permit_key(connection, draft.organisation)
            # Dated when it is signed: a key that is new counts only from the moment it was endorsed.
            permit = replace(draft, number=_next_number(connection, draft.issued_at[:4]), issued_at=iso(self._seam.now_ms()))
            envelope = seal(PAYLOAD_TYPE, permit_bytes(permit), key)
            self._keep(connection, actor, permit, envelope)
        return self.get(permit.project, permit.number)

    def _require_decidable(self, actor: Actor, draft: Permit) -> None:
        review = self._reviews.get(actor.project, draft.review)
        require(actor, "permit", Thing("permit", draft.review, review.request.project, review.request.submitter))
        own = (actor.project, actor.party, self._parties.get(actor.party).organisation)
        if (draft.project, draft.officer, draft.organisation) != own:
            raise Refused(
                "not-yours",
                "the draft names another project, officer or organisation",
                "make the draft as the officer who issues it",
            )
        asked = (review.request.kind, review.request.subject.model, review.request.subject.corpus)
        if review.state != "approved" or (draft.kind, draft.model, draft.corpus) != asked:
            is_about = f"is {review.state} and is about a {asked[0]} of {short(asked[1]) or 'a project'}"
            hint = "issue what was reviewed, once it is approved: touyan review"
            raise Refused("not-approved", f"the review {short(review.id)} {is_about}", hint)
        with self._database.read() as connection:
            self._require_clear(connection, draft)

    def _require_clear(self, connection: Connection, draft: Permit) -> None:
        """Rights permit serving now, and nothing was withdrawn from what it was made of: a new permit is a new use."""
        purpose = "train" if draft.kind == "project" else "serve"
        for asset in filter(None, (draft.model, draft.corpus)):
            blocks = self._gate.blocks(connection, draft.project, asset, purpose)
            reasons = [f"{b.who}: {b.reason}" for b in blocks]
            standing = self._statements.standing(connection, draft.project, asset)
            reasons += [f"withdrawn ({w.effect}): {w.reason}" for w in standing.withdrawals.values()]
            if reasons:
                hint = f"see: touyan why {short(asset)}"
                raise Refused("rights-block", f"no permit for {short(asset)}: {'; '.join(reasons[:5])}", hint)

    def _permit_key(self, connection: Connection, organisation: str) -> KeyPair:
        """The permit key, made and endorsed by the root at its first use."""
        pair = self._keyring.load(PERMIT_KEY) if self._keyring.has(PERMIT_KEY) else self._keyring.create(PERMIT_KEY)
        if not connection.execute(select(t.party_key.c.key_id).where(t.party_key.c.key_id == pair.key_id)).first():
            at, reason, party = iso(self._seam.now_ms()), "permit key", self._parties.get(organisation)
            envelope = endorse(party, pair, self._keyring.load("root"), at, reason)
            row = {"key_id": pair.key_id, "party": party.id, "public_hex": pair.public_hex, "state": "active", "from_at": at}
            row |= {"reason": reason, "endorsement": json.dumps(envelope.to_json())}
            connection.execute(insert(t.party_key), row | {"until_at": None})
        return pair

    def _keep(self, connection: Connection, actor: Actor, permit: Permit, envelope: Envelope) -> None:
        row = {n: getattr(permit, n) for n in ("number", "project", "kind", "model", "review", "issued_at", "expires_at")}
        row |= {"state": "valid", "envelope": json.dumps(envelope.to_json()), "is_demo": permit.demo, "reason": ""}
        connection.execute(insert(t.permit), row)
        subjects = [sha256_hex(envelope.payload), permit.number, *(s for s in (permit.model, permit.corpus) if s)]
        body: dict[str, Json] = {
            "number": permit.number,
            "kind": permit.kind,
            "demo": permit.demo,
            "expires_at": permit.expires_at,
        }
        self._events.emit(connection, actor, "permit.issued", subjects, body)

    def suspend(self, actor: Actor, number: str, reason: str) -> IssuedPermit:
        """Stops serving under it until it is resumed."""
        return self._act(actor, number, "suspend", reason)

    def resume(self, actor: Actor, number: str, reason: str) -> IssuedPermit:
        return self._act(actor, number, "resume", reason)

    def revoke(self, actor: Actor, number: str, reason: str) -> IssuedPermit:
        """Ends it for good."""
        return self._act(actor, number, "revoke", reason)

    def expire(self, actor: Actor, number: str, reason: str = "its time is over") -> IssuedPermit:
        """Writes down that its time is over; `valid_for` refuses it from that moment anyhow."""
        return self._act(actor, number, "expire", reason)

    def _act(self, actor: Actor, number: str, event: str, reason: str) -> IssuedPermit:
        """One signed Statement, one Event, one move of the state table: all or nothing."""
        require(actor, "permit", Thing("permit", number, actor.project))
        with self._database.write() as connection:
            issued = self._checked(connection, self._row(connection, actor.project, number))
            self._require_due(issued, event)
            state, p = advance("permit", issued.state, event), t.permit.c
            change = update(t.permit).where(p.number == number, p.state == issued.state).values(state=state, reason=reason)
            if connection.execute(change).rowcount != 1:
                raise Conflict("permit-moved", f"the permit {number} was changed meanwhile", "look at it again: touyan show")
            body: dict[str, Json] = {"permit": issued.digest, "event": event, "state": state, "reason": reason}
            self._statements.make(connection, actor, issued.digest, "certificate", body)
            subjects = [issued.digest, number, *(s for s in (issued.permit.model,) if s)]
            self._events.emit(
                connection, actor, f"permit.{state}" if event != "resume" else "permit.resumed", subjects, {"reason": reason}
            )
        return self.get(actor.project, number)

    def _require_due(self, issued: IssuedPermit, event: str) -> None:
        if event == "expire" and iso(self._seam.now_ms()) < issued.permit.expires_at:
            raise Conflict(
                "not-expired", f"{issued.number} holds until {issued.permit.expires_at}", "suspend or revoke it instead"
            )

    def get(self, project: str, number: str) -> IssuedPermit:
        """A permit with its signature checked. Raises Missing, Refused (forged), Broken (its state is not the signed one)."""
        with self._database.read() as connection:
            return self._checked(connection, self._row(connection, project, number))

    def of_review(self, project: str, review: str) -> IssuedPermit | None:
        """The permit that a review gave, if it gave one."""
        with self._database.read() as connection:
            query = select(t.permit).where(t.permit.c.project == project, t.permit.c.review == review)
            row = connection.execute(query).mappings().first()
            return None if row is None else self._checked(connection, row)

    def list(self, project: str, model: str = "", last: int = 50, kind: str = "") -> list[IssuedPermit]:
        """The newest permits of a project, newest first, of one model or kind where given."""
        p = t.permit.c
        given = [column == value for column, value in ((p.model, model), (p.kind, kind)) if value]
        query = select(t.permit).where(p.project == project, *given).order_by(p.number.desc()).limit(last)
        with self._database.read() as connection:
            return [self._checked(connection, r) for r in connection.execute(query).mappings().all()]

    def valid_for(self, model: str, use: Use, project: str, at: str = "", *, allow_demo: bool = False) -> IssuedPermit:
        """The newest trial or release permit under which `model` may be served for `use` at `at` (now by default).

        Checks signature, endorsement, state, times and scope each time. Raises Refused with the reason of every permit that
        does not do.
        """
        moment = at or iso(self._seam.now_ms())
        reasons: list[str] = []
        p = t.permit.c
        with self._database.read() as connection:
            rows = (
                connection.execute(select(t.permit).where(p.project == project, p.model == model).order_by(p.number.desc()))
                .mappings()
                .all()
            )
            for row in rows:
                try:
                    issued = self._checked(connection, row)
                except TouyanError as error:
                    reasons.append(f"{row['number']}: {error.message}")
                    continue
                reason = _state_reason(issued) or why_not(issued.permit, model, use, moment, allow_demo=allow_demo)
                if not reason:
                    return issued
                reasons.append(f"{issued.number}: {reason}")
        raise Refused(
            "no-permit", f"the model {short(model)} has no valid permit for this use: {'; '.join(reasons) or 'none was issued'}",
            f"see: touyan why {short(model)}; a permit comes from an approved review: touyan review",
        )  # fmt: skip

    def require_project(self, project: str, at: str = "") -> IssuedPermit:
        """The newest project permit in force: what training asks for where the rule pack says so. Raises Refused."""
        moment = at or iso(self._seam.now_ms())
        for issued in self.list(project, kind="project"):
            if issued.state == "valid" and issued.permit.issued_at <= moment < issued.permit.expires_at:
                return issued
        hint = "ask for a review of the kind project (science, ethics, law): touyan review"
        raise Refused("no-project-permit", f"the project {project!r} has no project permit in force", hint)

    def _row(self, connection: Connection, project: str, number: str) -> RowMapping:
        query = select(t.permit).where(t.permit.c.project == project, t.permit.c.number == number)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise Missing("no-permit", f"there is no permit {number[:40]!r} in the project {project!r}", "see: touyan show")
        return row

    def _issued(self, row: RowMapping) -> IssuedPermit:
        envelope = read_envelope(cast(Mapping[str, Json], parse(row["envelope"])))
        permit = read_permit(envelope.payload)
        if (permit.number, permit.model, permit.project) != (row["number"], row["model"], row["project"]):
            raise Broken(
                "permit-damaged", f"the record of {row['number']} is not what was signed", "restore the database: touyan restore"
            )
        return IssuedPermit(permit, cast(PermitState, row["state"]), row["reason"], envelope)

    def _checked(self, connection: Connection, row: RowMapping) -> IssuedPermit:
        """The permit of a row: its signature, the root's endorsement of the key, and the state that signed acts lead to."""
        issued = self._issued(row)
        self.signing_key(issued)
        state = self._signed_state(connection, issued)
        if state != issued.state:
            told = f"{issued.number} is recorded as {issued.state}, but signed acts make it {state}"
            raise Broken("permit-state", told, "see: touyan log")
        return issued

    def _signed_state(self, connection: Connection, issued: IssuedPermit) -> str:
        """Where the signed acts about a permit lead, each opened with a key that its party had then. Raises Refused."""
        c = t.statement.c
        about = (c.project == issued.permit.project) & (c.asset == issued.digest) & (c.kind == "certificate")
        state = "valid"
        for text_ in connection.execute(select(c.envelope).where(about).order_by(c.seq)).scalars().all():
            envelope = read_envelope(cast("Mapping[str, Json]", parse(text_)))
            act = read_statement(envelope.payload)
            self._parties.open(envelope, STATEMENT_TYPE, act.party, act.at)
            state = advance("permit", state, str(act.body["event"]))
        return state

    def signing_key(self, issued: IssuedPermit) -> PartyKey:
        """The organisation's key that signed it, and held then, once the root's endorsement of it is checked. Raises Refused."""
        organisation, at = issued.permit.organisation, issued.permit.issued_at
        keys = {k.public.key_id: k for k in self._parties.keys(organisation)}
        held = {i: k.public for i, k in keys.items() if k.holds_at(at)}
        unseal(issued.envelope, PAYLOAD_TYPE, held)
        key = next(keys[i] for i in signed_by(issued.envelope, held))
        # The id of an organisation ends with the first digits of its root key: a root slipped into the database does not fit.
        roots = {i: k.public for i, k in keys.items() if i.partition(":")[2][:8] == organisation.rpartition("-")[2]}
        endorsed = cast("Mapping[str, Json]", parse(unseal(key.endorsement, ENROLMENT_TYPE, roots)))
        if (endorsed["party"], endorsed["key_id"]) != (organisation, key.public.key_id):
            raise Refused("bad-signature", f"the key of {issued.number} was endorsed for {endorsed['party']}", "see: touyan log")
        return key


def _state_reason(issued: IssuedPermit) -> str:
    return "" if issued.state == "valid" else f"it is {issued.state}: {issued.reason or 'no reason was given'}"


def _next_number(connection: Connection, year: str) -> str:
    newest = connection.execute(select(func.max(t.permit.c.number)).where(t.permit.c.number.startswith(f"TY-{year}-"))).scalar()
    return f"TY-{year}-{int(newest.rpartition('-')[2]) + 1 if newest else 1:06d}"
