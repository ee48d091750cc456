"""Reviews: persons vote, on what others submitted, once each; and what the votes come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from permit_world import World, build_world
from touyan.core.errors import Broken, Conflict, Invalid, Missing, Refused
from touyan.core.party import Actor
from touyan.core.review import (
    ReviewRequest,
    Subject,
    Vote,
    VoteDecision,
    outcome,
    read_request,
    read_vote,
    request_bytes,
    vote_bytes,
)
from touyan.core.seam import FixedSeam
from touyan.store import tables as t
from touyan.store.home import Store


@pytest.fixture
def world(sqlite_store: Store, seam: FixedSeam, tmp_path: Path) -> World:
    return build_world(sqlite_store, seam, tmp_path / "world")


@pytest.fixture
def world_on_each(store: Store, seam: FixedSeam, tmp_path: Path) -> World:
    """The same on both databases, for what their transactions decide."""
    return build_world(store, seam, tmp_path / "world")


def kinds(world: World) -> list[str]:
    world.store.events.sequence()
    return [e.event.type for e in world.store.events.find("default") if e.event.type.startswith(("review", "permit"))]


def test_a_review_is_approved_by_another_person(world_on_each: World) -> None:
    review = world_on_each.request()
    assert (review.state, review.open_roles) == ("submitted", ("data-reviewer",))
    done = world_on_each.store.reviews.vote(world_on_each.bob, review.id[:8], "approve", "同意发布")
    assert (done.state, done.open_roles, done.votes[0].vote.comment) == ("approved", (), "同意发布")
    assert kinds(world_on_each) == ["review.requested", "review.voted", "review.approved"]


def test_nobody_votes_on_what_he_or_she_submitted(world: World) -> None:
    review = world.request()
    world.store.parties.grant(world.ann, "ann", "reviewer")
    with pytest.raises(Refused, match="no-self-review"):
        world.store.reviews.vote(world.store.parties.sign_in("ann"), review.id, "approve")
    assert kinds(world)[-1] == "review.refused"
    assert world.store.reviews.get("default", review.id).votes == ()


def test_who_started_the_run_does_not_vote_on_it(world: World) -> None:
    row = {
        "id": "run-1",
        "project": "default",
        "flow": "laws",
        "flow_sha256": "",
        "state": "waiting",
        "plan": "{}",
        "started_at": "",
    }
    with world.store.database.write() as connection:
        connection.execute(t.run.insert(), row | {"actor": world.bob.party})
    world.subject = Subject(**world.subject.to_json() | {"run": "run-1"})
    with pytest.raises(Refused, match="no-self-review"):
        world.store.reviews.vote(world.bob, world.request().id, "approve")


def test_two_keys_of_one_person_are_one_vote(world_on_each: World) -> None:
    review = world_on_each.request(roles=(), quorum=2)
    world_on_each.store.reviews.vote(world_on_each.bob, review.id, "approve")
    world_on_each.seam.move(1)
    world_on_each.store.parties.rotate(world_on_each.bob, "bob")
    world_on_each.seam.move(1)
    with pytest.raises(Conflict, match=r"votes count persons|has voted"):
        world_on_each.store.reviews.vote(world_on_each.store.parties.sign_in("bob"), review.id, "approve")
    assert world_on_each.store.reviews.vote(world_on_each.eve, review.id, "approve").state == "approved"


def test_a_vote_made_with_a_key_that_was_rotated_since_still_counts(world: World) -> None:
    review = world.approved()
    world.seam.move(1)
    world.store.parties.rotate(world.bob, "bob")
    assert world.store.reviews.get("default", review.id).votes[0].vote.party == world.bob.party


def test_a_machine_cannot_vote_even_with_the_role(world: World) -> None:
    world.store.parties.grant(world.ann, "agent", "reviewer")
    with pytest.raises(Refused, match="only persons vote"):
        world.store.reviews.vote(world.store.agent(), world.request().id, "approve")


@pytest.mark.parametrize("name", ["olga", "ann"])
def test_without_the_role_there_is_no_vote(world: World, name: str) -> None:
    with pytest.raises(Refused):
        world.store.reviews.vote(world.store.parties.sign_in(name), world.request().id, "reject")


def test_an_actor_of_another_project_finds_no_review(world: World) -> None:
    review = world.request()
    with pytest.raises(Missing):
        world.store.reviews.vote(Actor(world.bob.party, "other", world.bob.roles), review.id, "approve")


def test_a_vote_by_a_key_of_somebody_else_does_not_count(world: World) -> None:
    review = world.request()
    with world.store.database.write() as connection:
        connection.execute(update(t.party_key).where(t.party_key.c.party == world.bob.party).values(party=world.eve.party))
    with pytest.raises(Refused, match="no known key"):
        world.store.reviews.vote(world.bob, review.id, "approve")
    assert world.store.reviews.get("default", review.id).votes == ()


def test_every_review_role_needs_a_person_of_its_own(world_on_each: World) -> None:
    review = world_on_each.request(roles=("data-reviewer", "model-reviewer"))
    assert review.request.quorum == 2
    first = world_on_each.store.reviews.vote(world_on_each.bob, review.id, "approve", role="model-reviewer")
    assert (first.state, first.open_roles) == ("submitted", ("data-reviewer",))
    assert world_on_each.store.reviews.vote(world_on_each.eve, review.id, "approve").state == "approved"


def test_a_review_role_that_was_not_asked_for_is_refused_with_the_nearest(world: World) -> None:
    with pytest.raises(Invalid) as error:
        world.store.reviews.vote(world.bob, world.request().id, "approve", role="data-reviewr")
    assert "data-reviewer" in error.value.hint


def test_one_rejection_ends_a_review(world: World) -> None:
    review = world.request(roles=(), quorum=2)
    world.store.reviews.vote(world.bob, review.id, "approve")
    assert world.store.reviews.vote(world.eve, review.id, "reject", "第三条有误").state == "rejected"
    with pytest.raises(Conflict):
        world.store.reviews.withdraw(world.ann, review.id, "late")


def test_a_decided_review_takes_no_more_votes(world_on_each: World) -> None:
    review = world_on_each.approved()
    with pytest.raises(Conflict):
        world_on_each.store.reviews.vote(world_on_each.eve, review.id, "reject")


def test_asking_again_gives_the_same_review_until_it_is_rejected(world_on_each: World) -> None:
    first = world_on_each.request()
    world_on_each.seam.move(5)
    assert world_on_each.request().id == first.id
    world_on_each.store.reviews.vote(world_on_each.bob, first.id, "reject")
    assert world_on_each.request().id != first.id


def test_only_the_submitter_takes_a_request_back(world: World) -> None:
    review = world.request()
    with pytest.raises(Refused):
        world.store.reviews.withdraw(world.bob, review.id, "no")
    assert world.store.reviews.withdraw(world.ann, review.id, "wrong model").state == "withdrawn"


def test_a_subject_that_is_not_in_the_project_cannot_be_reviewed(world: World) -> None:
    with pytest.raises(Missing):
        world.store.reviews.request(world.ann, "release", Subject(model="f" * 64))


def test_a_reviewer_cannot_submit(world: World) -> None:
    with pytest.raises(Refused):
        world.store.reviews.request(world.bob, "release", world.subject)


def test_two_votes_at_once_both_count(world_on_each: World) -> None:
    asked = world_on_each.request(roles=(), quorum=2)

    def vote(actor: Actor) -> str:
        return world_on_each.store.reviews.vote(actor, asked.id, "approve").state

    with ThreadPoolExecutor(2) as threads:
        states = sorted(threads.map(vote, (world_on_each.bob, world_on_each.eve)))
    assert states == ["approved", "submitted"]


@pytest.mark.parametrize("column", ["request", "id"])
def test_a_changed_row_is_noticed(world: World, column: str) -> None:
    review = world.request()
    other = review.envelope.to_json() | {"payloadType": "other"}
    value = json.dumps(other) if column == "request" else "f" * 64
    with world.store.database.write() as connection:
        connection.execute(update(t.review).values({column: value}))
    with pytest.raises((Broken, Refused)):
        world.store.reviews.get("default", review.id if column == "request" else value)


def test_a_vote_row_written_by_hand_is_noticed(world: World) -> None:
    review = world.approved()
    with world.store.database.write() as connection:
        connection.execute(update(t.vote).values(party=world.eve.party))
    with pytest.raises(Broken):
        world.store.reviews.get("default", review.id)


PARTIES, ROLES = st.sampled_from("abcd"), st.sampled_from(["", "data", "model"])
VOTES = st.lists(st.builds(Vote, st.just("r"), PARTIES, ROLES, st.sampled_from(["approve", "reject"]), st.text(max_size=5), st.just("")),
                 max_size=6, unique_by=lambda v: v.party)  # fmt: skip


@given(votes=VOTES, quorum=st.integers(1, 4), roles=st.lists(st.sampled_from(["data", "model"]), unique=True))
def test_approval_needs_the_quorum_every_role_and_no_rejection(votes: list[Vote], quorum: int, roles: list[str]) -> None:
    request = ReviewRequest("p", "release", Subject(), tuple(roles), quorum, "s", "", "")
    result = outcome(request, votes)
    rejected = any(v.decision == "reject" for v in votes)
    assert (result == "reject") == rejected
    approved = not rejected and len(votes) >= quorum and set(roles) <= {v.role for v in votes}
    assert (result == "approve") == approved
    assert outcome(request, votes[::-1]) == result


@given(
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    decision=st.sampled_from(["approve", "reject"]),
    quorum=st.integers(1, 9),
)
def test_requests_and_votes_read_as_they_were_written(note: str, decision: VoteDecision, quorum: int) -> None:
    request = ReviewRequest("p", "trial", Subject(model="m"), ("a", "b"), quorum, "s", note, "t")
    vote = Vote("r", "p", "a", decision, note, "t")
    assert read_request(request_bytes(request)) == request
    assert read_vote(vote_bytes(vote)) == vote


@pytest.mark.parametrize("read", [read_request, read_vote])
@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b'{"vote":1}', b'{"review_request":1,"subject":{"x":1}}', b'{"vote":1, "review":"r"}']
)
def test_anything_else_is_no_record(read: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(Invalid):
        read(data)
