"""Parties, their keys and their roles.

An organisation is enrolled by its own root key; that key endorses the first key of every person and machine. A rotation is
endorsed by the key before it or by the root; a lost key is revoked by the root from a moment on. What a key signed before that
moment stays good, because the evidence log fixed the order. Invariant: no key without an endorsement that can be checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from touyan.core.canonical import Json, canonical, parse
from touyan.core.dsse import Envelope, Signer, read_envelope, seal, unseal
from touyan.core.errors import Conflict, Invalid, Missing, Refused
from touyan.core.names import nearest
from touyan.core.party import DEFAULT_PROJECT, Actor, Party, PartyKind, Role, as_role
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.keys import RESERVED, KeyPair, Keyring, PublicKey
from touyan.store.policy import Thing, require

ENROLMENT_TYPE = "application/vnd.touyan.enrolment+json"
_NAME = re.compile(r"[\w][\w.-]{0,62}")


@dataclass(frozen=True, slots=True)
class PartyKey:
    """A public key of a Party, with the endorsement that makes it count."""

    public: PublicKey
    party: str
    state: str
    """active, retired (rotated away) or revoked (lost or abused)."""
    from_at: str
    until_at: str | None
    reason: str
    endorsement: Envelope

    def holds_at(self, at: str) -> bool:
        """Whether a signature that says it was made at `at` counts.

        A time before `from_at` counts too: a clock that was set back must not undo what the key signs after; which came first
        is told by the log, not by clocks. In the millisecond of a rotation both keys count.
        """
        return self.until_at is None or at <= self.until_at


class Parties:
    """The register of one store."""

    def __init__(self, database: Database, keyring: Keyring, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._keyring = keyring
        self._events = events
        self._seam = seam

    def found(self, connection: Connection, name: str) -> Party:
        """Founds the organisation of a new store: its root key endorses itself."""
        root = self._keyring.create("root")
        identifier = f"{_checked_name(name)}-{root.key_id.partition(':')[2][:8]}"
        party = Party(identifier, "organisation", name, identifier)
        self._write(connection, party, root, root, "root key of the organisation")
        return party

    def enrol(
        self, actor: Actor, name: str, kind: PartyKind = "person", roles: Iterable[str] = (), is_demo: bool = False
    ) -> Party:
        """Enrols a person or machine with a new key in the keyring, and gives it roles in the actor's project."""
        require(actor, "enrol", Thing("party", name, actor.project))
        given: list[Role] = sorted({as_role(role) for role in roles})
        with self._database.write() as connection:
            party = self.add(connection, self._organisation(connection), name, kind, is_demo)
            for role in given:
                self._grant(connection, actor.project, party.id, role)
            body: dict[str, Json] = {"kind": kind, "roles": list(given), "demo": is_demo}
            self._events.emit(connection, actor, "party.enrolled", [party.id], body)
        return party

    def add(self, connection: Connection, organisation: str, name: str, kind: PartyKind, is_demo: bool = False) -> Party:
        """Adds a party under the root key, without a check of roles: for the founding of a store and for `enrol`."""
        party = Party(f"{organisation}/{_checked_name(name)}", kind, name, organisation, is_demo)
        if connection.execute(select(t.party.c.id).where(t.party.c.id == party.id)).first():
            raise Conflict(
                "party-exists", f"there is a party {party.id!r} already", "choose another name; see: touyan party list"
            )
        pair = self._keyring.load(name) if self._keyring.has(name) else self._keyring.create(name)
        self._write(connection, party, pair, self._keyring.load("root"), "first key")
        return party

    def _write(self, connection: Connection, party: Party, pair: KeyPair, endorser: Signer, reason: str) -> None:
        at = iso(self._seam.now_ms())
        envelope = json.dumps(endorse(party, pair, endorser, at, reason).to_json())
        row = {n: getattr(party, n) for n in ("id", "kind", "name", "organisation", "is_demo")}
        connection.execute(insert(t.party), row | {"enrolled_at": at, "enrolment": envelope})
        self._add_key(connection, party.id, pair, at, reason, envelope)

    def _add_key(self, connection: Connection, party: str, pair: KeyPair, at: str, reason: str, endorsement: str) -> None:
        row = {"key_id": pair.key_id, "party": party, "public_hex": pair.public_hex, "state": "active", "from_at": at}
        connection.execute(insert(t.party_key), row | {"until_at": None, "reason": reason, "endorsement": endorsement})

    def rotate(self, actor: Actor, name: str) -> PublicKey:
        """Gives a party a new key, endorsed by the one it replaces. A party may rotate its own; others need `enrol`."""
        party = self.get(name)
        if actor.party != party.id:
            require(actor, "enrol", Thing("party", party.id, actor.project))
        self._settle_key(party)
        return self._replace(actor, party, self._keyring.load(_key_name(party.id)), "retired", "rotated")

    def report_lost(self, actor: Actor, name: str, reason: str) -> PublicKey:
        """Revokes the keys of a party from now on and enrols a new one under the root key; a new root key endorses itself."""
        party = self.get(name)
        require(actor, "enrol", Thing("party", party.id, actor.project))
        self._settle_key(party)
        return self._replace(
            actor, party, None if _key_name(party.id) == "root" else self._keyring.load("root"), "revoked", reason
        )

    def _replace(self, actor: Actor, party: Party, endorser: Signer | None, state: str, reason: str) -> PublicKey:
        """The new key waits beside the old one until the register knows it: at no moment is there a name without a usable key."""
        with self._database.write() as connection:
            connection.execute(select(t.party.c.id).where(t.party.c.id == party.id).with_for_update())  # one rotation at a time
            pair, at = self._keyring.stage(_key_name(party.id)), iso(self._seam.now_ms())
            endorsement = json.dumps(endorse(party, pair, endorser or pair, at, reason).to_json())
            active = (t.party_key.c.party == party.id) & (t.party_key.c.state == "active")
            connection.execute(update(t.party_key).where(active).values(state=state, until_at=at, reason=reason))
            self._add_key(connection, party.id, pair, at, reason, endorsement)
            self._events.emit(connection, actor, f"key.{state}", [party.id, pair.key_id], {"reason": reason})
        self._keyring.promote(_key_name(party.id))
        return PublicKey(pair.key_id, pair.public_hex)

    def _settle_key(self, party: Party) -> None:
        """Ends a rotation that was cut off: a staged key that the register knows takes the name, any other is no key yet."""
        staged = self._keyring.staged(_key_name(party.id))
        if staged is not None and staged.key_id in {k.public.key_id for k in self.active(party.id)}:
            self._keyring.promote(_key_name(party.id))

    def grant(self, actor: Actor, name: str, role: str) -> None:
        party, checked = self.get(name), as_role(role)
        require(actor, "enrol", Thing("party", party.id, actor.project))
        with self._database.write() as connection:
            self._grant(connection, actor.project, party.id, checked)
            self._events.emit(connection, actor, "role.granted", [party.id], {"role": role})

    def revoke(self, actor: Actor, name: str, role: str) -> None:
        party, checked = self.get(name), as_role(role)
        require(actor, "enrol", Thing("party", party.id, actor.project))
        m = t.membership.c
        with self._database.write() as connection:
            connection.execute(delete(t.membership).where(m.project == actor.project, m.party == party.id, m.role == checked))
            self._events.emit(connection, actor, "role.revoked", [party.id], {"role": role})

    def _grant(self, connection: Connection, project: str, party: str, role: Role) -> None:
        row = {"project": project, "party": party, "role": role}
        if not connection.execute(select(t.membership).filter_by(**row)).first():
            connection.execute(insert(t.membership), row)

    def grant_first(self, connection: Connection, party: str, roles: Iterable[Role]) -> None:
        """The first roles of a new store's parties in the default project."""
        for role in roles:
            self._grant(connection, DEFAULT_PROJECT, party, role)

    def actor(self, name: str, project: str = DEFAULT_PROJECT) -> Actor:
        """The Actor that `name` (short name or id) is in `project`: its roles there, which may be none."""
        party = self.get(name)
        m = t.membership.c
        with self._database.read() as connection:
            roles = connection.execute(select(m.role).where(m.project == project, m.party == party.id)).scalars().all()
        return Actor(party.id, project, frozenset(as_role(r) for r in roles))

    def sign_in(self, name: str, project: str = DEFAULT_PROJECT) -> Actor:
        """The Actor of a party whose active private key lies in this keyring. Raises Refused without it."""
        party = self.get(name)
        self._settle_key(party)
        key, active = _key_name(party.id), {k.public.key_id for k in self.active(party.id)}
        if not self._keyring.has(key) or self._keyring.load(key).key_id not in active:
            raise Refused(
                "no-key", f"this keyring holds no active key of {party.id}", "act as a party whose key you hold: --as NAME"
            )
        return self.actor(party.id, project)

    def get(self, name: str) -> Party:
        """A party by id or by short name. Raises Missing with the nearest name."""
        fits = (t.party.c.id == name) | (t.party.c.name == name)
        query = (
            select(t.party).where(fits).order_by((t.party.c.id != name), t.party.c.id)
        )  # nobody gets at an id by taking it as a name
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Missing("no-party", f"there is no party {name!r}", nearest(name, [p.name for p in self.list()]))
        return _party(row)

    def list(self) -> list[Party]:
        with self._database.read() as connection:
            return [_party(r) for r in connection.execute(select(t.party).order_by(t.party.c.id)).mappings()]

    def roles(self, project: str) -> dict[str, list[str]]:
        """Roles by party id."""
        found: dict[str, list[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(select(t.membership).where(t.membership.c.project == project)).mappings():
                found.setdefault(row["party"], []).append(row["role"])
        return {party: sorted(roles) for party, roles in found.items()}

    def keys(self, party: str = "") -> list[PartyKey]:
        """All keys, also those that no longer hold, of one party or of all."""
        query = select(t.party_key).order_by(t.party_key.c.from_at)
        with self._database.read() as connection:
            rows = connection.execute(query.where(t.party_key.c.party == party) if party else query).mappings().all()
        return [_key(r) for r in rows]

    def active(self, party: str) -> list[PartyKey]:
        return [k for k in self.keys(party) if k.state == "active"]

    def signer(self, actor: Actor) -> KeyPair:
        """The private key of an actor, where this keyring has it."""
        return self._keyring.load(_key_name(actor.party))

    def open(self, envelope: Envelope, payload_type: str, party: str, at: str, *, is_new: bool = False) -> bytes:
        """The payload of an envelope that a key of `party` signed while it held. Raises Refused.

        `is_new`: it arrives only now, so that a revoked key counts for nothing, whatever time the envelope names.
        """
        holding = (k for k in self.keys(party) if k.holds_at(at) and not (is_new and k.state == "revoked"))
        return unseal(envelope, payload_type, {k.public.key_id: k.public for k in holding})

    def _organisation(self, connection: Connection) -> str:
        return connection.execute(select(t.party.c.id).where(t.party.c.kind == "organisation")).scalars().first() or ""


def endorse(party: Party, key: KeyPair, endorser: Signer, at: str, reason: str) -> Envelope:
    """The signed statement that `key` belongs to `party` from `at` on."""
    payload: dict[str, Json] = {
        "enrolment": 1, "party": party.id, "kind": party.kind, "organisation": party.organisation, "demo": party.is_demo,
        "key_id": key.key_id, "public_hex": key.public_hex, "at": at, "reason": reason,
    }  # fmt: skip
    return seal(ENROLMENT_TYPE, canonical(payload), endorser)


def _party(row: RowMapping) -> Party:
    return Party(row["id"], cast(PartyKind, row["kind"]), row["name"], row["organisation"], bool(row["is_demo"]))


def _key(row: RowMapping) -> PartyKey:
    endorsement = read_envelope(cast(Mapping[str, Json], parse(row["endorsement"])))
    public = PublicKey(row["key_id"], row["public_hex"])
    return PartyKey(public, row["party"], row["state"], row["from_at"], row["until_at"], row["reason"], endorsement)


def _key_name(party: str) -> str:
    """Under which name the keyring holds the key of a party, by its id: `organisation/name`, or `organisation` alone."""
    return party.partition("/")[2] or "root"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in ("root", "log") or name.startswith(RESERVED):
        raise Invalid("bad-name", f"{name!r} cannot name a party", "use letters, digits, '.', '_' and '-', at most 63")
    return name
