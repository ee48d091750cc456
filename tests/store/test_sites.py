"""Sites in the store: who may invite, what a state allows, and that every change is an Event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from touyan.core.errors import Conflict, Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.seam import FixedSeam
from touyan.store.home import Store
from touyan.store.site_records import LOCAL

CAPACITY: dict[str, Any] = {"pools": []}


def joined(store: Store, name: str = "hpc1") -> str:
    """A site that has joined; its secret."""
    token = store.sites.invite(store.me(), name, store.me().party)
    return store.sites.join(token, "slurm", CAPACITY)[1]


def test_a_site_is_a_machine_with_the_role_of_an_agent(store: Store) -> None:
    joined(store)
    site = store.sites.get("hpc1")
    assert store.parties.get(site.party).kind == "machine"
    assert store.sites.actors(site)["default"].roles == {"agent"}
    assert store.sites.projects() == {"hpc1": ["default"]}


def test_only_who_may_enrol_invites_and_drains(store: Store, enrol: Callable[..., Actor]) -> None:
    joined(store)
    other = enrol(store, "bo", "reviewer")
    with pytest.raises(Refused):
        store.sites.invite(other, "hpc2", other.party)
    with pytest.raises(Refused):
        store.sites.move(other, "hpc1", "drain", "")


def test_every_change_of_a_site_is_an_event(store: Store) -> None:
    joined(store)
    for event in ("drain", "open", "leave"):
        store.sites.move(store.me(), "hpc1", event, "cooling")
    store.events.sequence()
    kinds = [e.event.type for e in store.events.find("default", subject="hpc1")]
    assert kinds == ["site.invited", "site.joined", "site.state", "site.state", "site.state"]


def test_a_site_that_left_may_be_invited_anew_and_another_keeps_what_it_has(store: Store) -> None:
    first = joined(store)
    store.sites.move(store.me(), "hpc1", "drain", "cooling")
    second = joined(store)
    assert store.sites.check(second).state == "draining"
    with pytest.raises(Refused):
        store.sites.check(first)
    store.sites.move(store.me(), "hpc1", "leave", "sold")
    assert store.sites.check(joined(store)).state == "open"


def test_what_is_no_invitation_is_told_why(store: Store) -> None:
    me = store.me()
    with pytest.raises(Conflict, match="this machine"):
        store.sites.invite(me, LOCAL, me.party)
    with pytest.raises(Invalid, match="kind") as told:
        store.sites.invite(me, "hpc1", me.party, kinds=["generl"])
    assert "general" in told.value.hint
    with pytest.raises(Invalid, match="trusted with"):
        store.sites.invite(me, "hpc1", me.party, trust="generl")
    with pytest.raises(Missing):
        store.sites.invite(me, "hpc1", "nobody")
    joined(store)
    with pytest.raises(Missing, match="hpc2") as missing:
        store.sites.get("hpc2")
    assert "hpc1" in missing.value.hint
    with pytest.raises(Conflict):
        store.sites.move(me, "hpc1", "open", "")


def test_who_speaks_is_seen_and_an_agent_that_was_superseded_is_refused(store: Store, seam: FixedSeam) -> None:
    secret, first, second = joined(store), "0" * 16, "1" * 16
    for boot in (first, first, second):
        seam.move(1)
        site = store.sites.heard(secret, boot, 3, None)
        assert (site.seen_ms, site.want) == (seam.now_ms(), 3)
    assert store.sites.heard(secret, second, 0, {"pools": [], "x": 1}).capacity_json == '{"pools": [], "x": 1}'
    with pytest.raises(Conflict, match="later"):
        store.sites.heard(secret, first, 0, None)
    for wrong in ("", "ts-", "ts-" + "0" * 64, secret.upper()):
        with pytest.raises(Refused):
            store.sites.heard(wrong, second, 0, None)
    assert not store.site_attempts.has_work_for("hpc1")


def test_a_window_closes_a_site_between_its_moments(store: Store, seam: FixedSeam) -> None:
    joined(store)
    me = store.me()
    with pytest.raises(Invalid):
        store.sites.close_between(me, "hpc1", "2026-01-02", "2026-01-01", "")
    site = store.sites.close_between(me, "hpc1", "2026-01-01", "2026-01-02", "cooling")
    assert site.window_at("2026-01-01T12:00:00.000Z") is not None
    assert site.window_at("2026-01-02T00:00:00.000Z") is None


def test_writes_of_a_batch_stand_or_fall_together_and_a_part_that_fails_is_undone_alone(store: Store) -> None:
    me = store.me()

    def names() -> set[str]:
        return {s.name for s in store.sites.list()}

    with store.database.batch():
        store.sites.invite(me, "hpc1", me.party)
        with pytest.raises(Missing):
            store.sites.invite(me, "hpc2", "nobody")
        assert names() == {"hpc1"}
    with pytest.raises(Missing):
        both(store)
    assert names() == {"hpc1"}


def both(store: Store) -> None:
    """A batch whose second part fails, with nobody to catch it."""
    with store.database.batch():
        store.sites.invite(store.me(), "hpc3", store.me().party)
        store.sites.get("hpc4")
