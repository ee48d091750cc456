"""Identifiers of compute (标识): opaque codes that a registrar gave, beside a name of our own that never changes.

Owns which code stands for which site of this store, and how other registrars are asked. Knows nothing of the layout of a code: the
national scheme is not public, and schemes change. Invariant: a code stands for one resource; its registration is an Event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import insert, select

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.core.party import Actor
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.policy import Thing, require

LONGEST = 200
"""Characters of a code; Handle, OID and URN schemes all stay below."""
_SETTING = "compute-id."


@dataclass(frozen=True, slots=True)
class Resource:
    """What a code stands for."""

    code: str
    issuer: str
    """Registrar that gave the code; `touyan` for our own names."""
    urn: str
    """Our own stable name: `urn:touyan:compute:ORGANISATION:SITE`."""
    capacity: Mapping[str, object]
    """As the agent protocol has it; empty where the registrar does not tell."""


class Resolver(Protocol):
    """Asks one registrar, or one store."""

    def resolve(self, code: str) -> Resource | None:
        """What a code stands for; None where this resolver knows nothing of it."""
        ...


class StoreResolver:
    """Knows the sites of one store, by the codes registered for them and by their own names."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, actor: Actor, code: str, issuer: str, site: str) -> Resource:
        """Records that a registrar gave a code to a site. Raises Invalid, Missing, and Conflict where it stands for another one."""
        require(actor, "enrol", Thing("site", site, actor.project))
        if not code.strip() or len(code) > LONGEST or not code.isprintable():
            raise Invalid("bad-identifier", f"{code[:40]!r} is no identifier", "give the code as the registrar wrote it")
        found = self._resource(code, issuer, site)
        known = self.resolve(code)
        if known is not None and (known.urn, known.issuer) != (found.urn, issuer):
            raise Conflict("identifier-taken", f"{code} stands for {known.urn}", "ask the registrar which of the two is right")
        if known is None:
            value = {"issuer": issuer, "site": site}
            with self._store.database.write() as connection:
                connection.execute(insert(t.setting), {"name": _SETTING + code, "value": json.dumps(value)})
                self._store.events.emit(connection, actor, "site.identified", [site], {"code": code, "issuer": issuer})
        return found

    def resolve(self, code: str) -> Resource | None:
        with self._store.database.read() as connection:
            kept = connection.execute(select(t.setting.c.value).where(t.setting.c.name == _SETTING + code)).scalar()
        if kept is not None:
            value = json.loads(kept)
            return self._resource(code, value["issuer"], value["site"])
        return next((self._resource(code, "touyan", name) for name, urn in self._names() if urn == code), None)

    def _names(self) -> Iterator[tuple[str, str]]:
        return ((site.name, self._urn(site.name)) for site in self._store.sites.list())

    def _urn(self, site: str) -> str:
        owner = self._store.parties.get(self._store.sites.get(site).owner)
        return f"urn:touyan:compute:{owner.organisation or owner.id}:{site}"

    def _resource(self, code: str, issuer: str, site: str) -> Resource:
        return Resource(code, issuer, self._urn(site), json.loads(self._store.sites.get(site).capacity_json))


def resolve(code: str, resolvers: Sequence[Resolver]) -> Resource:
    """What the first resolver that knows the code says. Raises Missing."""
    found = next((each for resolver in resolvers if (each := resolver.resolve(code)) is not None), None)
    if found is None:
        raise Missing("no-identifier", f"nobody knows the identifier {code[:60]!r}", "ask the registrar that gave it")
    return found
