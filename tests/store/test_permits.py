"""Permits in the store: who may issue one, when it holds, and how it ends."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from permit_world import World, build_world
from touyan.core.dsse import seal
from touyan.core.errors import Broken, Conflict, Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.permit import PAYLOAD_TYPE, Permit, Scope, Use, outside, permit_bytes, read_permit, why_not
from touyan.core.review import Subject
from touyan.core.seam import FixedSeam, iso
from touyan.permit import issue, review
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.permits import PERMIT_KEY, IssuedPermit

DAY_S = 24 * 3600


@pytest.fixture
def world(sqlite_store: Store, seam: FixedSeam, tmp_path: Path) -> World:
    return build_world(sqlite_store, seam, tmp_path / "world")


@pytest.fixture
def world_on_each(store: Store, seam: FixedSeam, tmp_path: Path) -> World:
    """The same on both databases, for what their transactions decide."""
    return build_world(store, seam, tmp_path / "world")


def serve(world: World, use: Use | None = None, model: str = "", project: str = "default") -> IssuedPermit:
    """Asks what the service asks."""
    return world.store.permits.valid_for(model or world.subject.model, use or Use(), project, allow_demo=True)


def kinds(world: World) -> list[str]:
    world.store.events.sequence()
    return [e.event.type for e in world.store.events.find("default") if e.event.type.startswith("permit")]


def test_an_approved_review_gives_a_numbered_permit_under_which_the_model_is_served(world_on_each: World) -> None:
    issued = world_on_each.issued()
    assert issued.number == "TY-2025-000001"
    assert serve(world_on_each) == issued
    assert issued.permit.to_json()["subject"] == [
        {"name": "model", "digest": {"sha256": world_on_each.subject.model}},
        {"name": "corpus", "digest": {"sha256": world_on_each.subject.corpus}},
    ]  # fmt: skip
    assert kinds(world_on_each) == ["permit.issued"]


def test_the_permit_key_is_endorsed_by_the_root_and_is_not_the_root(world: World) -> None:
    key = world.store.permits.signing_key(world.issued())
    assert key.public.key_id == world.store.keyring.load(PERMIT_KEY).key_id != world.store.root_key.key_id


def test_no_party_can_take_the_name_of_the_permit_key(world: World) -> None:
    with pytest.raises(Invalid):
        world.store.parties.enrol(world.ann, PERMIT_KEY)


def test_only_an_officer_issues(world: World) -> None:
    review = world.approved()
    with pytest.raises(Refused):
        issue.issue(world.store, world.bob, review.id)
    assert kinds(world) == ["permit.refused"]


@pytest.mark.parametrize("decision", ["", "reject"])
def test_without_approval_there_is_no_permit(world: World, decision: str) -> None:
    review = world.request()
    if decision:
        world.store.reviews.vote(world.bob, review.id, "reject")
    with pytest.raises(Refused, match=r"submitted|rejected"):
        issue.issue(world.store, world.olga, review.id)


def test_a_state_written_by_hand_is_no_approval_of_another_kind(world: World) -> None:
    review = world.approved()
    with pytest.raises(Refused):
        issue.issue(world.store, world.olga, review.id, kind="trial", scope=Scope(testers=("x",)))


def test_one_review_gives_one_permit(world_on_each: World) -> None:
    issued = world_on_each.issued()
    with pytest.raises(Conflict, match=issued.number):
        issue.issue(world_on_each.store, world_on_each.olga, issued.permit.review)
    assert world_on_each.store.permits.of_review("default", issued.permit.review) == issued


@pytest.mark.parametrize("which", ["model", "corpus"])
def test_what_was_withdrawn_gets_no_permit(world: World, which: str) -> None:
    review = world.approved()
    body = {"selector": "source", "value": "npc/laws", "effect": "no-new-use", "deadline": "", "reason": "asked for"}
    with world.store.database.write() as connection:
        world.store.statements.make(connection, world.ann, getattr(world.subject, which), "withdrawal", body)
    with pytest.raises(Refused, match="withdrawn"):
        issue.issue(world.store, world.olga, review.id)


def test_rights_that_do_not_permit_serving_stop_the_permit(world: World) -> None:
    review = world.approved()
    world.seam.move(1)
    with world.store.database.write() as connection:
        source = world.store.gate.sources(connection, "default", world.subject.model)[0][0]
        world.store.statements.make(connection, world.ann, source, "rights", {"rights": {"authority": "unknown"}})
    with pytest.raises(Refused, match="unknown"):
        issue.issue(world.store, world.olga, review.id)


def test_a_suspended_permit_stops_and_a_resumed_one_serves_again(world_on_each: World) -> None:
    number = world_on_each.issued().number
    permits = world_on_each.store.permits
    assert permits.suspend(world_on_each.olga, number, "投诉").state == "suspended"
    with pytest.raises(Refused, match="suspended: 投诉"):
        serve(world_on_each)
    assert permits.resume(world_on_each.olga, number, "查清").state == "valid"
    assert serve(world_on_each).number == number
    assert permits.revoke(world_on_each.olga, number, "再次投诉").state == "revoked"
    with pytest.raises(Refused, match="revoked"):
        serve(world_on_each)
    with pytest.raises(Conflict):
        permits.resume(world_on_each.olga, number, "too late")
    assert kinds(world_on_each) == ["permit.issued", "permit.suspended", "permit.resumed", "permit.revoked"]


def test_only_an_officer_moves_a_permit(world: World) -> None:
    number = world.issued().number
    with pytest.raises(Refused):
        world.store.permits.revoke(world.bob, number, "I may not")


def test_a_permit_expires_by_itself_and_may_be_written_off_then(world_on_each: World) -> None:
    issued = world_on_each.issued(days=2)
    with pytest.raises(Conflict, match="holds until"):
        world_on_each.store.permits.expire(world_on_each.olga, issued.number)
    world_on_each.seam.move(2 * DAY_S)
    with pytest.raises(Refused, match="expired"):
        serve(world_on_each)
    assert world_on_each.store.permits.expire(world_on_each.olga, issued.number).state == "expired"


def test_a_demonstration_permit_serves_nothing_but_demonstrations(world: World) -> None:
    world.issued()
    with pytest.raises(Refused, match="demonstration"):
        world.store.permits.valid_for(world.subject.model, Use(), "default")


def test_a_permit_is_for_its_model_project_and_scope(world_on_each: World) -> None:
    world_on_each.issued(scope=Scope("internal", "law", ("hall",)))
    assert serve(world_on_each, Use("internal", "law", "hall"))
    for use in (Use("public", "law", "hall"), Use("internal", "", "hall"), Use("internal", "law", "yard")):
        with pytest.raises(Refused, match="it is for"):
            serve(world_on_each, use)
    with pytest.raises(Refused, match="none was issued"):
        serve(world_on_each, model="f" * 64)
    with pytest.raises(Refused, match="none was issued"):
        serve(world_on_each, project="other")
    with pytest.raises(Missing):
        world_on_each.store.permits.get("other", "TY-2025-000001")


def test_a_state_written_into_the_database_does_not_bring_a_permit_back(world: World) -> None:
    number = world.issued().number
    world.store.permits.revoke(world.olga, number, "stop")
    with world.store.database.write() as connection:
        connection.execute(update(t.permit).values(state="valid"))
    with pytest.raises(Refused, match="signed acts make it revoked"):
        serve(world)
    with pytest.raises(Broken):
        world.store.permits.get("default", number)


def test_an_act_that_nobody_signed_does_not_bring_a_permit_back(world: World) -> None:
    issued = world.issued()
    world.store.permits.suspend(world.olga, issued.number, "stop")
    with world.store.database.write() as connection:
        row = dict(connection.execute(select(t.statement).where(t.statement.c.asset == issued.digest)).mappings().one())
        payload = bytes(row["payload"]).replace(b'"suspend"', b'"resume"').replace(b'"suspended"', b'"valid"')
        envelope = {**json.loads(row["envelope"]), "payload": base64.b64encode(payload).decode()}
        forged = row | {"seq": row["seq"] + 1, "id": "f" * 64, "payload": payload, "envelope": json.dumps(envelope)}
        connection.execute(t.statement.insert(), forged)
        connection.execute(update(t.permit).values(state="valid"))
    with pytest.raises(Refused, match="no known key"):
        serve(world)


def test_a_permit_signed_by_somebody_else_is_refused(world: World) -> None:
    issued = world.issued()
    forged = replace(issued.permit, demo=False, expires_at="2099-01-01T00:00:00.000Z")
    envelope = seal(PAYLOAD_TYPE, permit_bytes(forged), world.store.parties.signer(world.olga))
    with world.store.database.write() as connection:
        connection.execute(update(t.permit).values(envelope=json.dumps(envelope.to_json())))
    with pytest.raises(Refused, match="no known key"):
        serve(world)


def test_a_key_slipped_into_the_register_without_the_roots_endorsement_is_refused(world: World) -> None:
    issued = world.issued()
    mine = world.store.parties.signer(world.eve)
    with world.store.database.write() as connection:
        connection.execute(
            update(t.party_key).where(t.party_key.c.key_id == mine.key_id).values(party=issued.permit.organisation)
        )
        envelope = seal(PAYLOAD_TYPE, permit_bytes(issued.permit), mine)
        connection.execute(update(t.permit).values(envelope=json.dumps(envelope.to_json())))
    with pytest.raises(Refused):
        serve(world)


def test_an_officer_of_another_project_issues_nothing(world: World) -> None:
    review = world.approved()
    with pytest.raises(Missing):
        issue.issue(world.store, Actor(world.olga.party, "other", world.olga.roles), review.id)


def test_two_officers_at_once_issue_one_permit(world_on_each: World) -> None:
    review = world_on_each.approved()

    def attempt(_: int) -> str:
        try:
            return issue.issue(world_on_each.store, world_on_each.olga, review.id).number
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(4) as threads:
        results = sorted(threads.map(attempt, range(4)))
    assert results == ["TY-2025-000001", "permit-exists", "permit-exists", "permit-exists"]


def test_training_asks_for_a_project_permit_in_force(world: World) -> None:
    with pytest.raises(Refused, match="no project permit"):
        world.store.permits.require_project("default")
    found = review.request(world.store, world.ann, Subject(), "project")
    world.store.reviews.vote(world.bob, found.id, "approve")
    number = issue.issue(world.store, world.olga, found.id, "project", days=1).number
    assert world.store.permits.require_project("default").number == number
    world.seam.move(DAY_S)
    with pytest.raises(Refused):
        world.store.permits.require_project("default")


def test_a_damaged_record_is_a_refusal_with_its_number(world: World) -> None:
    issued = world.issued()
    envelope = {**issued.envelope.to_json(), "payload": "e30="}
    with world.store.database.write() as connection:
        connection.execute(update(t.permit).values(envelope=json.dumps(envelope)))
    with pytest.raises(Refused, match=issued.number):
        serve(world)


SCOPES = st.builds(
    Scope, st.sampled_from(["named-testers", "internal", "public"]), st.sampled_from(["", "law"]),
    st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple), st.lists(st.sampled_from(["x", "y"]), unique=True).map(tuple),
)  # fmt: skip
USES = st.builds(
    Use, st.sampled_from(["named-testers", "internal", "public"]), st.sampled_from(["", "law", "tax"]), st.sampled_from(["", "a", "c"]),
    st.sampled_from(["", "x"]),
)  # fmt: skip
NOW = iso(1_760_000_000_000)


def a_permit(scope: Scope, **more: object) -> Permit:
    texts = {
        n: n
        for n in (
            "number",
            "project",
            "organisation",
            "officer",
            "model",
            "corpus",
            "checks",
            "evaluation",
            "review",
            "submitter",
        )
    }
    fields: dict[str, object] = {
        **texts, "kind": "release", "rule_pack": None, "outcomes": (),
        "measures": (), "winners": (), "votes": (), "log": None, "scope": scope,
        "conditions": (), "filings": (), "issued_at": NOW, "expires_at": iso(1_770_000_000_000), "demo": False,
    }  # fmt: skip
    return Permit(**fields | more)  # type: ignore[arg-type]


@given(scope=SCOPES, use=USES)
def test_a_use_outside_the_scope_is_never_covered(scope: Scope, use: Use) -> None:
    permit = a_permit(scope)
    if outside(scope, use):
        assert why_not(permit, "model", use, NOW)
    if scope.audience == "named-testers" and use.tester not in scope.testers:
        assert why_not(permit, "model", use, NOW)
    assert why_not(replace(permit, kind="project"), "model", use, NOW)
    assert why_not(permit, "model", use, permit.expires_at)
    assert why_not(permit, "another", use, NOW)


@given(scope=SCOPES)
def test_a_permit_reads_as_it_was_written(scope: Scope) -> None:
    permit = a_permit(scope)
    assert read_permit(permit_bytes(permit)) == permit


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"predicate":{}}', b'{"predicate":{"number":"x"}}', b'{"predicate":[]}'])
def test_anything_else_is_no_permit(data: bytes) -> None:
    with pytest.raises(Invalid):
        read_permit(data)
