"""The officer's part of a run: the permit under an approved review, once, with the scope that the flow asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from touyan.core.canonical import Json
from touyan.core.party import Actor
from touyan.core.permit import Audience, Scope
from touyan.permit.issue import issue
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.reviews import Review


class Wanted(Protocol):
    """The scope of a permit as a flow states it."""

    @property
    def audience(self) -> Audience: ...
    @property
    def domain(self) -> str: ...
    @property
    def sites(self) -> Sequence[str]: ...
    @property
    def testers(self) -> Sequence[str]: ...
    @property
    def days(self) -> int: ...
    @property
    def conditions(self) -> Sequence[str]: ...


def decide(store: Store, actor: Actor, review: Review, wanted: Wanted | None) -> IssuedPermit | None:
    """The permit of an approved review, issued now where the actor is an officer and the flow states a scope; else None."""
    found = store.permits.of_review(actor.project, review.id)
    if found is not None or wanted is None or "officer" not in actor.roles:
        return found
    testers = tuple(store.parties.get(name).id for name in wanted.testers)
    scope = Scope(wanted.audience, wanted.domain, tuple(wanted.sites), testers)
    return issue(store, actor, review.id, review.request.kind, scope, wanted.days, wanted.conditions)


def brief(issued: IssuedPermit) -> dict[str, Json]:
    """The permit as the record of a run names it."""
    return {
        "number": issued.number, "kind": issued.permit.kind, "state": issued.state, "is_demo": issued.permit.demo,
        "expires_at": issued.permit.expires_at,
    }  # fmt: skip
