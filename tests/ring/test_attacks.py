"""Somebody with a hand in the store: what was swapped or forged is refused, and the log says so."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select, update
from tests.ring.conftest import World

from touyan.core.dsse import seal
from touyan.core.errors import Broken, Missing, Refused
from touyan.core.party import Actor
from touyan.core.permit import Use
from touyan.core.review import VOTE_TYPE, Vote, vote_bytes
from touyan.permit.decide import decide
from touyan.service.door import Door
from touyan.service.memory import Memory
from touyan.service.settings import Limits
from touyan.store import tables as t
from touyan.store.objects import FolderObjects

INSIDE = Use(audience="internal")


def spoil(world: World, asset: str, suffix: str = ".parquet") -> str:
    """Changes one byte of an object of an Asset, keeping its size; its sha256."""
    with world.store.database.read() as connection:
        files = world.store.assets.get(connection, "default", asset).manifest.files
    objects = world.store.objects
    assert isinstance(objects, FolderObjects)
    digest = next(f.sha256 for f in files if f.path.endswith(suffix))
    path = objects.path(digest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    return digest


def test_a_swapped_object_is_set_aside_and_its_step_repeated(world: World) -> None:
    before = world.turn()
    digest = spoil(world, before.assets["split"])
    world.edit("ngram: {}", "ngram: {order: 3}")
    with pytest.raises(Broken, match=f"ngram: the object {digest[:12]} no longer has the bytes it is named by"):
        world.turn()
    assert digest[:12] in str(world.events("job.failed")[-1].body)
    assert list((world.folder / "home" / "objects" / "corrupt").glob(f"{digest}.*"))
    again = world.turn()
    assert again.run.steps["split"].reason == "re-run, objects of its result are missing from the store"
    assert again.run.steps["ngram"].state == "done"
    assert again.assets["split"] == before.assets["split"]


def permitted(world: World) -> tuple[str, str]:
    """Number of a permit and the model it is for."""
    world.turn()
    world.approve()
    turn = world.turn()
    return str(turn.run.permit["number"]), turn.run.served_model


@pytest.mark.parametrize(
    "change", [{"model": "f" * 64}, {"state": "suspended"}, {"number": "TY-2026-000009"}], ids=["model", "state", "number"]
)
def test_a_forged_row_is_no_permit(world: World, change: dict[str, str]) -> None:
    number, model = permitted(world)
    with world.store.database.write() as connection:
        connection.execute(update(t.permit).where(t.permit.c.number == number).values(change))
    with pytest.raises((Broken, Refused)):
        world.store.permits.get("default", change.get("number", number))
    with pytest.raises(Refused, match="no valid permit for this use"):
        world.store.permits.valid_for(change.get("model", model), INSIDE, "default", allow_demo=True)


def test_a_revoked_permit_cannot_be_called_valid_again(world: World) -> None:
    number, model = permitted(world)
    world.store.permits.revoke(world.ann, number, "a complaint")
    with world.store.database.write() as connection:
        connection.execute(update(t.permit).where(t.permit.c.number == number).values(state="valid"))
    with pytest.raises(Refused, match="signed acts make it revoked"):
        world.store.permits.valid_for(model, INSIDE, "default", allow_demo=True)


def forge_vote(world: World, review: str, voter: Actor, signer: Actor) -> None:
    """A vote of `voter` that `signer` signed, written past the store, and the review called approved."""
    vote = Vote(review, voter.party, "data-reviewer", "approve", "", "2026-01-01T00:00:00.000Z")
    envelope = seal(VOTE_TYPE, vote_bytes(vote), world.store.parties.signer(signer))
    row = {"review": review, "party": voter.party, "role": vote.role, "decision": "approve", "comment": "", "at": vote.at}
    with world.store.database.write() as connection:
        connection.execute(insert(t.vote), row | {"envelope": json.dumps(envelope.to_json())})
        connection.execute(update(t.review).where(t.review.c.id == review).values(state="approved"))


def require_stopped(world: World) -> None:
    """The next turn ends with an error, an Event that says which, and no permit."""
    with pytest.raises((Refused, Broken)) as raised:
        world.turn()
    assert world.events("run.failed")[-1].body["code"] == raised.value.code
    with world.store.database.read() as connection:
        assert connection.execute(select(t.permit)).first() is None


def test_a_forged_vote_gives_no_permit(world: World) -> None:
    review, bob = str(world.turn().run.review["id"]), world.person("bob", "reviewer")
    forge_vote(world, review, bob, world.ann)
    require_stopped(world)


def test_the_vote_of_the_submitter_does_not_count_however_it_came_in(world: World) -> None:
    review = str(world.turn().run.review["id"])
    forge_vote(world, review, world.ann, world.ann)
    require_stopped(world)


def test_a_review_called_approved_without_votes_gives_no_permit(world: World) -> None:
    review = str(world.turn().run.review["id"])
    with world.store.database.write() as connection:
        connection.execute(update(t.review).where(t.review.c.id == review).values(state="approved"))
    require_stopped(world)


def test_a_machine_does_not_vote(world: World) -> None:
    review = str(world.turn().run.review["id"])
    world.store.parties.enrol(world.ann, "robot", "machine", roles=["reviewer"])
    with pytest.raises(Refused, match="only persons vote"):
        world.store.reviews.vote(world.store.parties.sign_in("robot"), review, "approve")
    assert world.events("review.refused")[-1].body["code"] == "not-a-person"


def stranger(world: World) -> Actor:
    """A person with every role in another project, and none in this one."""
    eve = world.store.parties.enrol(world.ann, "eve")
    with world.store.database.write() as connection:
        connection.execute(insert(t.project), {"id": "hotline", "title": "", "created_at": "2026-01-01T00:00:00.000Z"})
        roles = ("owner", "steward", "engineer", "reviewer", "officer", "server")
        connection.execute(insert(t.membership), [{"project": "hotline", "party": eve.id, "role": r} for r in roles])
    return world.store.parties.sign_in("eve", "hotline")


def test_an_actor_of_another_project_opens_nothing(world: World) -> None:
    model, eve = world.turn().run.served_model, stranger(world)
    with pytest.raises(Missing):
        world.store.gate.open(model, eve, "inspect")
    assert [e.event.actor for e in world.events("access.refused", "hotline")] == [eve.party]
    here = world.store.parties.sign_in("eve", "default")
    with pytest.raises(Refused, match="may not inspect"):
        world.store.gate.open(model, here, "inspect")
    assert world.events("access.refused")[-1].event.actor == here.party


def test_an_actor_of_another_project_can_neither_run_nor_review_nor_withdraw_here(world: World) -> None:
    review, here = str(world.turn().run.review["id"]), stranger(world)
    here = world.store.parties.sign_in("eve", "default")
    attempts = (
        (lambda: world.turn(actor=here), "access.refused"),
        (lambda: world.store.reviews.vote(here, review, "approve"), "review.refused"),
        (lambda: world.store.withdrawals.withdraw(here, "source", "office/papers", reason="x"), "withdrawal.refused"),
    )
    for attempt, kind in attempts:
        with pytest.raises(Refused):
            attempt()
        assert world.events(kind)[-1].event.actor == here.party, kind


def test_a_permit_of_one_project_is_none_in_another(world: World) -> None:
    model = permitted(world)[1]
    stranger(world)
    with pytest.raises(Refused, match="none was issued"):
        world.store.permits.valid_for(model, INSIDE, "hotline", allow_demo=True)


def test_a_key_of_another_project_is_refused_at_the_door_and_told_once(world: World) -> None:
    key, secret = world.store.api_keys.create(stranger(world))
    door = Door(world.store, "default", "tiny", Limits(), Memory(world.store, 1.0))
    for _ in range(3):
        with pytest.raises(Refused, match="may not call the service tiny"):
            door.caller(f"Bearer {secret}")
    [told] = world.events("access.refused", "hotline")
    assert (told.event.subjects, told.body["verb"]) == ((key.id,), "call")


def test_nobody_issues_a_permit_for_a_review_that_is_open(world: World) -> None:
    asked = world.store.reviews.get("default", str(world.turn().run.review["id"]))
    with pytest.raises(Refused, match="is submitted"):
        decide(world.store, world.ann, asked, world.turn().run.flow.file.permit)
    assert world.events("permit.refused")[-1].body["code"] == "not-approved"
