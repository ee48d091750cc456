"""Sites: who was invited to lend compute, by which secret it speaks, and in what state it is.

A token (`tj-`) invites once and expires; joining trades it for the secret (`ts-`), of which the store keeps the SHA-256 alone, as
of API keys. A site is a machine party with the role `agent`. Knows nothing of what is placed there. Invariant: who has no secret
that holds now is no site, and every change of state is an Event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from touyan.core.canonical import Json, sha256_hex
from touyan.core.errors import Conflict, Invalid, Missing, Refused
from touyan.core.names import nearest
from touyan.core.party import Actor
from touyan.core.rights import SecurityClass
from touyan.core.seam import Seam, from_iso, iso
from touyan.core.states import advance
from touyan.store import tables as t
from touyan.store.database import Database
from touyan.store.events import EventLog
from touyan.store.parties import Parties
from touyan.store.policy import Thing, require
from touyan.store.site_records import LOCAL, Site, site_of

TOKEN_PREFIX, SECRET_PREFIX = "tj-", "ts-"
SECRET_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")
NEED_KINDS = ("general", "ai", "hpc")
TRUSTED: tuple[str, ...] = get_args(SecurityClass)[:4]
"""Classes of data that a site can be trusted with: all but what never enters and what is not known."""
JOINED = ("open", "draining")

_SITE = t.site.c
_BY_SECRET = select(t.site).where(_SITE.secret_sha256 == bindparam("digest"), _SITE.state.in_(JOINED), bindparam("digest") != "")
_HEARD = (  # built once: putting it together takes three times as long as carrying it out, and every round does it
    update(t.site)
    .where(_SITE.secret_sha256 == bindparam("digest"), _SITE.boot == bindparam("said_boot"), _SITE.state.in_(JOINED))
    .where(bindparam("digest") != "")
    .values(seen_ms=bindparam("spoke_ms"), want=bindparam("wants"))
    .returning(t.site)
)


class Sites:
    """The sites of one store."""

    def __init__(self, database: Database, parties: Parties, events: EventLog, seam: Seam) -> None:
        self._database = database
        self._parties = parties
        self._events = events
        self._seam = seam

    def invite(
        self, actor: Actor, name: str, owner: str, hours: float = 24, zone: str = "", trust: str = "",
        kinds: Sequence[str] = NEED_KINDS,
    ) -> str:  # fmt: skip
        """Invites a site and returns its token, which is never shown again. For one that has joined, it is a token to join anew."""
        require(actor, "enrol", Thing("site", name, actor.project))
        if name == LOCAL:
            raise Conflict("site-exists", "`local` is the name of this machine itself", "choose another name")
        for kind in kinds:
            if kind not in NEED_KINDS:
                raise Invalid("bad-kind", f"{kind!r} is no kind of need", nearest(kind, NEED_KINDS))
        if trust and trust not in TRUSTED:
            raise Invalid("bad-trust", f"{trust!r} is no class of data that a site is trusted with", nearest(trust, TRUSTED))
        token = TOKEN_PREFIX + self._seam.token(SECRET_BYTES)
        until_ms = self._seam.now_ms() + round(hours * 3_600_000)
        holder = self._parties.get(owner).id
        granted = {"token_sha256": sha256_hex(token.encode()), "token_until_ms": until_ms, "owner": holder, "zone": zone,
                   "trust": trust, "kinds": json.dumps(list(kinds))}  # fmt: skip
        with self._database.batch() as connection:
            self._invite(connection, actor, name, granted)
            body: dict[str, Json] = {"owner": holder, "zone": zone, "trust": trust, "kinds": list(kinds), "until": iso(until_ms)}
            self._events.emit(connection, actor, "site.invited", [name, self._parties.get(name).id], body)
        return token

    def _invite(self, connection: Connection, actor: Actor, name: str, granted: Mapping[str, Any]) -> None:
        """A new site is a new party; one that has left begins anew; any other keeps what it has."""
        known = self._row(connection, name)
        fresh = {
            "project": actor.project, "driver": "", "state": "invited", "capacity": "{}", "windows": "[]", "reason": "", "boot": "",
            "boot_before": "", "secret_sha256": "", "joined_at": None, "seen_ms": 0, "want": 0, "invited_at": self._now(),
        }  # fmt: skip
        if known is None:
            party = self._parties.enrol(actor, name, "machine", ["agent"]).id
            connection.execute(insert(t.site), {"name": name, "party": party} | fresh | dict(granted))
            return
        fields = fresh if known["state"] == "left" else {}
        connection.execute(update(t.site).where(t.site.c.name == name).values(fields | dict(granted)))

    def join(self, token: str, driver: str, capacity: Mapping[str, Any]) -> tuple[Site, str]:
        """Trades a token for the site's secret, once. Raises Refused with the same words for a used, wrong and expired token."""
        wanted = _digest(token, TOKEN_PREFIX)
        secret = SECRET_PREFIX + self._seam.token(SECRET_BYTES)
        with self._database.batch() as connection:
            query = select(t.site).where(t.site.c.token_sha256 == wanted).with_for_update()
            row = connection.execute(query).mappings().first() if wanted else None
            if row is None or row["token_until_ms"] < self._seam.now_ms():
                hint = "ask the hub for a new one: touyan sites invite NAME"
                raise Refused("wrong-token", "this token was used, has expired, or never was one", hint)
            fields = {
                "state": advance("site", row["state"], "join"), "token_sha256": "", "secret_sha256": sha256_hex(secret.encode()),
                "driver": driver, "capacity": json.dumps(capacity), "joined_at": self._now(), "boot": "", "boot_before": "",
            }  # fmt: skip
            connection.execute(update(t.site).where(t.site.c.name == row["name"]).values(fields))
            site = self._site(connection, row["name"])
            body: dict[str, Json] = {"driver": driver, "capacity": json.dumps(capacity, sort_keys=True)}
            self._events.emit(
                connection, self._parties.actor(site.party, site.project), "site.joined", [site.name, site.party], body
            )
        return site, secret

    def check(self, secret: str) -> Site:
        """The site of this secret while it holds. Raises Refused with the same words for wrong and revoked secrets."""
        with self._database.read() as connection:
            row = connection.execute(_BY_SECRET, {"digest": _digest(secret, SECRET_PREFIX)}).mappings().first()
        if row is None:
            raise _wrong_secret()
        return site_of(row)

    def heard(self, secret: str, boot: str, want: int, capacity: Mapping[str, Any] | None) -> Site:
        """Notes that the site of this secret spoke, and returns it. Raises Refused as `check` does, and Conflict where an agent that
        started later speaks for it already."""
        digest, spoken = _digest(secret, SECRET_PREFIX), {"spoke_ms": self._seam.now_ms(), "wants": want}
        with self._database.write() as connection:
            row = None
            if capacity is None:
                row = connection.execute(_HEARD, spoken | {"digest": digest, "said_boot": boot}).mappings().first()
            return site_of(row or self._heard_anew(connection, digest, boot, spoken, capacity))

    def _heard_anew(
        self, connection: Connection, digest: str, boot: str, spoken: Mapping[str, int], capacity: Mapping[str, Any] | None
    ) -> RowMapping:
        """An agent that has started, or has something to say of its site; and who is none."""
        row = connection.execute(_BY_SECRET, {"digest": digest}).mappings().first()
        if row is None:
            raise _wrong_secret()
        if boot == row["boot_before"]:
            hint = "a site has one agent: end one of the two, then start the other again"
            raise Conflict("another-agent", f"an agent that started later speaks for {row['name']}", hint)
        fields: dict[str, Any] = {"seen_ms": spoken["spoke_ms"], "want": spoken["wants"]}
        if capacity is not None:
            fields["capacity"] = json.dumps(capacity)
        if boot != row["boot"]:
            fields |= {"boot": boot, "boot_before": row["boot"]}
        query = update(t.site).where(t.site.c.name == row["name"]).values(fields).returning(t.site)
        return connection.execute(query).mappings().one()

    def actors(self, site: Site) -> dict[str, Actor]:
        """The site's party in every project in which it has the role `agent`."""
        m = t.membership.c
        with self._database.read() as connection:
            projects = connection.execute(select(m.project).where(m.party == site.party, m.role == "agent")).scalars().all()
        return {project: self._parties.actor(site.party, project) for project in sorted(projects)}

    def projects(self) -> dict[str, list[str]]:
        """The projects that each site works for, by its name."""
        m, found = t.membership.c, dict[str, list[str]]()
        query = select(_SITE.name, m.project).join(t.membership, (m.party == _SITE.party) & (m.role == "agent"))
        with self._database.read() as connection:
            for name, project in connection.execute(query.order_by(_SITE.name, m.project)):
                found.setdefault(name, []).append(project)
        return found

    def move(self, actor: Actor, name: str, event: str, reason: str) -> Site:
        """Drains, opens, or lets a site leave; its secret ends when it leaves. Raises Missing, Conflict."""
        require(actor, "enrol", Thing("site", name, actor.project))
        with self._database.write() as connection:
            site = self._site(connection, name)
            fields = {"state": advance("site", site.state, event), "reason": reason}
            if event == "leave":
                fields |= {"secret_sha256": "", "token_sha256": ""}
            connection.execute(update(t.site).where(t.site.c.name == name).values(fields))
            body: dict[str, Json] = {"from": site.state, "to": fields["state"], "reason": reason}
            self._events.emit(connection, actor, "site.state", [name, site.party], body)
            return self._site(connection, name)

    def close_between(self, actor: Actor, name: str, from_at: str, until_at: str, reason: str) -> Site:
        """Adds a maintenance window; those that have passed are dropped."""
        require(actor, "enrol", Thing("site", name, actor.project))
        start, end = (iso(from_iso(at)) for at in (from_at, until_at))
        if start >= end:
            raise Invalid("bad-window", f"the window ends at {until_at}, before it begins", "give --from before --until")
        with self._database.write() as connection:
            site = self._site(connection, name)
            coming = [(w.from_at, w.until_at, w.reason) for w in site.windows if w.until_at > self._now()]
            windows = json.dumps(sorted([*coming, (start, end, reason)]))
            connection.execute(update(t.site).where(t.site.c.name == name).values(windows=windows))
            body: dict[str, Json] = {"from": start, "until": end, "reason": reason}
            self._events.emit(connection, actor, "site.window", [name, site.party], body)
            return self._site(connection, name)

    def lied(self, site: Site, code: str, words: str) -> None:
        """Records that what a site said does not hold."""
        with self._database.write() as connection:
            body: dict[str, Json] = {"code": code, "message": words}
            actor = self._parties.actor(site.party, site.project)
            self._events.emit(connection, actor, "site.lied", [site.name, site.party], body)

    def get(self, name: str) -> Site:
        """A site by name. Raises Missing with the nearest name."""
        with self._database.read() as connection:
            return self._site(connection, name)

    def list(self) -> list[Site]:
        """All sites, by name."""
        with self._database.read() as connection:
            return [site_of(r) for r in connection.execute(select(t.site).order_by(t.site.c.name)).mappings()]

    def _site(self, connection: Connection, name: str) -> Site:
        row = self._row(connection, name)
        if row is None:
            names = connection.execute(select(t.site.c.name)).scalars().all()
            raise Missing("no-site", f"there is no site {name[:60]!r}", nearest(name, names))
        return site_of(row)

    def _row(self, connection: Connection, name: str) -> RowMapping | None:
        return connection.execute(select(t.site).where(t.site.c.name == name)).mappings().first()

    def _now(self) -> str:
        return iso(self._seam.now_ms())


def _wrong_secret() -> Refused:
    hint = "join again with a token: touyan join HUB --token tj-..."
    return Refused("wrong-secret", "no site that has joined speaks with this secret", hint)


def _digest(text: str, prefix: str) -> str:
    """The SHA-256 of a token or secret; empty where it is none."""
    is_one = text.startswith(prefix) and _HEX.fullmatch(text[len(prefix) :])
    return sha256_hex(text.encode()) if is_one else ""
