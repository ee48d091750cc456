"""Identifiers of compute: opaque, registered once, resolved by whoever knows them."""

from __future__ import annotations

import pytest
from agents import World

from touyan.compute.identifiers import Resource, StoreResolver, resolve
from touyan.core.errors import Conflict, Invalid, Missing

CODE = "MA.156.0001/算力-7"


class Elsewhere:
    """A registrar that knows one code."""

    def resolve(self, code: str) -> Resource | None:
        return Resource(code, "region", "urn:x:y", {}) if code == "86.100" else None


def test_a_code_and_our_own_name_lead_to_the_same_site(matched: World) -> None:
    matched.join("hpc1")
    ours = StoreResolver(matched.store)
    given = ours.register(matched.store.me(), CODE, "region", "hpc1")
    assert ours.register(matched.store.me(), CODE, "region", "hpc1") == given
    assert resolve(CODE, [ours]) == given
    assert given.urn.startswith("urn:touyan:compute:")
    assert given.urn.endswith(":hpc1")
    assert resolve(given.urn, [ours]).capacity == given.capacity
    matched.store.events.sequence()
    assert len(matched.store.events.find("default", kind="site.identified")) == 1


def test_a_code_stands_for_one_site(matched: World) -> None:
    matched.join("hpc1")
    matched.join("hpc2")
    ours = StoreResolver(matched.store)
    ours.register(matched.store.me(), CODE, "region", "hpc1")
    with pytest.raises(Conflict, match="stands for"):
        ours.register(matched.store.me(), CODE, "region", "hpc2")
    for bad in ("", " ", "x" * 201, "a\nb"):
        with pytest.raises(Invalid, match="no identifier"):
            ours.register(matched.store.me(), bad, "region", "hpc1")


def test_resolvers_are_asked_in_turn(matched: World) -> None:
    both = [StoreResolver(matched.store), Elsewhere()]
    assert resolve("86.100", both).issuer == "region"
    with pytest.raises(Missing, match="nobody knows"):
        resolve("86.101", both)
