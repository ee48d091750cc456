"""API keys: who may call a service.

A key is `ty-` and 64 random hex digits, shown once; the store keeps its SHA-256 alone, which is enough for a secret of 256 random
bits (no guessing, so no slow hash). A key acts for one Party in one project; what the Party may do is asked at each call.
With a key its holder may accept terms under which feedback becomes data; their version is kept with the key.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, select, update

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.seam import Seam, iso
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.parties import Parties
from touyan.store.policy import Thing, decide, require

PREFIX = "ty-"
SECRET_BYTES = 32
_SECRET = re.compile(r"ty-[0-9a-f]{64}")
_HINT = "send 'Authorization: Bearer ty-...'; make a key with: touyan key create"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: str
    project: str
    party: str
    label: str
    terms: str
    """Version of the terms of feedback that its holder accepted; empty: none, so that feedback is never used."""
    created_at: str
    revoked_at: str | None


class ApiKeys:
    """The API keys of one store."""

    def __init__(self, database: Database, parties: Parties, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._parties = parties
        self._events = events
        self._seam = seam

    def create(self, actor: Actor, party: str = "", label: str = "", terms: str = "") -> tuple[ApiKey, str]:
        """A new key and its secret, which is never shown again. For another party than oneself it asks for `enrol`."""
        holder = self._parties.get(party).id if party else actor.party
        self._require_over(actor, holder)
        _check_words(label, terms)
        secret = PREFIX + self._seam.token(SECRET_BYTES)
        key = ApiKey(f"key-{self._seam.token(6)}", actor.project, holder, label, terms, iso(self._seam.now_ms()), None)
        row = {n: getattr(key, n) for n in ApiKey.__dataclass_fields__} | {"sha256": sha256_hex(secret.encode())}
        with self._database.write() as connection:
            connection.execute(insert(t.api_key), row)
            self._events.emit(connection, actor, "api-key.created", [holder, key.id], {"terms": terms})
        return key, secret

    def revoke(self, actor: Actor, identifier: str, reason: str = "") -> None:
        """Ends a key at once. Raises Missing."""
        key = self._get(actor.project, identifier)
        self._require_over(actor, key.party)
        at = iso(self._seam.now_ms())
        with self._database.write() as connection:
            connection.execute(
                update(t.api_key).where(t.api_key.c.id == key.id, t.api_key.c.revoked_at.is_(None)).values(revoked_at=at)
            )
            self._events.emit(connection, actor, "api-key.revoked", [key.party, key.id], {"reason": reason})

    def list(self, actor: Actor, party: str = "") -> list[ApiKey]:
        """The keys of the project, or of one party in it. Who may not `inspect` sees his or her own."""
        may_see_all = decide(actor, "inspect", Thing("party", party or "*", actor.project)).is_allowed
        holder = (self._parties.get(party).id if party else "") if may_see_all else actor.party
        query = select(t.api_key).where(t.api_key.c.project == actor.project).order_by(t.api_key.c.created_at, t.api_key.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query.where(t.api_key.c.party == holder) if holder else query).mappings().all()
        return [_key(r) for r in rows]

    def check(self, secret: str) -> ApiKey:
        """The key of this secret while it holds. Raises Refused with the same words for wrong and revoked keys."""
        wanted = sha256_hex(secret.encode("utf-8", "surrogatepass"))
        row = None
        if _SECRET.fullmatch(secret):
            with self._database.read() as connection:
                row = connection.execute(select(t.api_key).where(t.api_key.c.sha256 == wanted)).mappings().first()
        # The index looks up a digest that the caller cannot steer; the comparison itself takes the same time for any digest.
        if row is None or not hmac.compare_digest(row["sha256"], wanted) or row["revoked_at"] is not None:
            raise Refused("wrong-key", "this API key is not known here or was revoked", _HINT)
        return _key(row)

    def actor(self, key: ApiKey) -> Actor:
        """The Actor whom a key stands for, with the roles it has now."""
        return self._parties.actor(key.party, key.project)

    def _get(self, project: str, identifier: str) -> ApiKey:
        query = select(t.api_key).where(t.api_key.c.project == project, t.api_key.c.id == identifier)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Missing(
                "no-api-key", f"there is no API key {identifier[:40]!r} in the project {project!r}", "see: touyan key list"
            )
        return _key(row)

    def _require_over(self, actor: Actor, holder: str) -> None:
        """Over one's own keys `call` is enough; over those of others it takes `enrol`."""
        require(actor, "call" if holder == actor.party else "enrol", Thing("party", holder, actor.project))


def missing_key() -> Refused:
    return Refused("no-key", "this address needs an API key", _HINT)


def _check_words(label: str, terms: str) -> None:
    for name, text in (("label", label), ("terms", terms)):
        if len(text) > 200 or not text.isprintable():
            raise Invalid("bad-key-words", f"the {name} of a key is one printable line of at most 200 characters", "shorten it")


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(**{n: row[n] for n in ApiKey.__dataclass_fields__})
