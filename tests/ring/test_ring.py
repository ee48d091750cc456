"""One turn of the ring, end to end: what it makes, whom it waits for, and what a withdrawal does to it."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from tests.ring.conftest import LETTER, MOBILE, World

from touyan import ring
from touyan.core.errors import Refused
from touyan.core.permit import Use
from touyan.permit.review import vote
from touyan.store.services import HUMANS_ONLY

STEPS = ["read/papers", "refine", "split", "tokenizer", "pack", "train", "ngram", "evaluate", "check"]
INSIDE = Use(audience="internal")


def documents(world: World, asset: str) -> dict[str, str]:
    """doc_id to text of what the shards of an Asset hold."""
    folder = world.store.gate.open(asset, world.ann, "inspect").copy_to(world.folder / "opened" / asset[:12])
    rows = [row for path in sorted(folder.glob("documents/*.parquet")) for row in pq.read_table(path).to_pylist()]
    return {r["doc_id"]: r["text"] for r in rows}


def letter_id(world: World) -> str:
    found = documents(world, world.turn().run.steps["read/papers"].asset)
    return next(i for i, text in found.items() if text == LETTER)


def states(turn: ring.Turn) -> dict[str, str]:
    return {name: step.state for name, step in turn.run.steps.items()}


def test_a_second_turn_is_all_hits_and_still_waits_for_a_reviewer(world: World) -> None:
    turn = world.turn()
    assert states(turn) == dict.fromkeys(STEPS, "hit") | {"read/found": "skipped"}
    assert (turn.waits_for, turn.run.state, turn.run.permit) == ("review", "waiting", None)
    assert sorted(turn.assets) == sorted(STEPS)
    assert turn.report.read_text(encoding="utf-8").startswith("<!doctype html")
    assert world.store.services.list("default") == []


def test_a_source_of_unknown_authority_is_refused_with_a_reason_and_never_opened(world: World) -> None:
    found = next(s for s in world.turn().run.sources if s["name"] == "found")
    assert (found["is_cleared"], found["asset"]) == (False, "")
    assert "authority over the work is unknown" in str(found["blocks"])
    assert world.events("source.refused")[-1].body["source"] == "unknown/found"


def test_a_flow_may_stop_at_a_refused_source(world: World) -> None:
    world.edit("sources:", "on_refused: stop\nsources:")
    with pytest.raises(Refused, match="the source unknown/found is refused: authority over the work is unknown"):
        world.turn()
    assert [e.body["code"] for e in world.events("run.failed")] == ["source-refused"]


def test_nobody_reviews_what_she_submitted(world: World) -> None:
    world.store.parties.grant(world.ann, "ann", "reviewer")
    asked = world.turn().run.review
    with pytest.raises(Refused, match="may not review"):
        vote(world.store, world.ann, str(asked["id"]), "approve")
    assert [e.event.subjects for e in world.events("review.refused")] == [(asked["id"],)]
    assert world.turn().waits_for == "review"


def test_with_the_vote_of_another_person_the_ring_goes_round(world: World) -> None:
    world.turn()
    world.approve()
    turn = world.turn()
    assert (turn.waits_for, turn.run.state) == ("", "done")
    model = turn.run.served_model
    assert world.store.services.get("default", "tiny").targets == (model, HUMANS_ONLY)
    assert world.store.permits.valid_for(model, INSIDE, "default", allow_demo=True).number == turn.run.permit["number"]
    again = world.turn()
    assert (again.run.permit, world.store.services.get("default", "tiny").targets) == (turn.run.permit, (model, HUMANS_ONLY))


def test_a_permit_under_the_demo_rules_is_only_good_for_a_demonstration(world: World) -> None:
    world.turn()
    world.approve()
    turn = world.turn()
    assert turn.run.permit["is_demo"] is True
    with pytest.raises(Refused, match="demo"):
        world.store.permits.valid_for(turn.run.served_model, INSIDE, "default")


def test_without_an_officer_it_waits_for_one(world: World) -> None:
    world.turn()
    world.approve()
    carl = world.person("carl", "engineer", "steward")
    assert world.turn(actor=carl).waits_for == "permit"


def test_a_permit_that_was_revoked_takes_a_new_review(world: World) -> None:
    first = world.turn()
    world.approve()
    number = str(world.turn().run.permit["number"])
    world.store.permits.suspend(world.ann, number, "a complaint")
    assert world.turn().waits_for == "permit"
    world.store.permits.revoke(world.ann, number, "the complaint was right")
    again = world.turn()
    assert again.waits_for == "review"
    assert again.run.review["id"] != first.run.review["id"]


def test_a_withdrawn_document_is_left_out_and_the_models_that_saw_it_are_named(world: World) -> None:
    before, doc = world.turn(), letter_id(world)
    made = world.store.withdrawals.withdraw(world.ann, "document", doc, reason="asked by the author")
    assert set(made.models) == {before.assets["train"], before.assets["ngram"]}
    after = world.turn(until="refine")
    assert after.run.steps["refine"].reason == "re-run, new withdrawals"
    assert after.run.steps["read/papers"].state == "hit"
    left, kept = (documents(world, turn.assets["refine"]) for turn in (after, before))
    assert set(kept) - set(left) == {doc}


def test_a_withdrawn_person_takes_the_documents_about_it_along(world: World) -> None:
    doc = letter_id(world)
    made = world.store.withdrawals.withdraw(
        world.ann, "subject", world.store.withdrawals.pseudonym(MOBILE), reason="asked by the person"
    )
    assert made.documents == 1
    assert doc not in documents(world, world.turn(until="refine").assets["refine"])


def test_after_stop_serving_no_permit_helps(world: World) -> None:
    world.turn()
    world.approve()
    model = world.turn().run.served_model
    world.store.gate.open(model, world.ann, "serve")
    world.store.withdrawals.withdraw(world.ann, "source", "office/papers", "stop-serving", "the contract ended")
    with pytest.raises(Refused, match="the contract ended"):
        world.store.gate.open(model, world.ann, "serve")
    assert world.events("access.refused")[-1].body["purpose"] == "serve"
    with pytest.raises(Refused, match="nothing that may be used is left"):
        world.turn()
    assert world.events("source.refused")[-1].body["source"] == "unknown/found"


def test_an_erased_document_leaves_the_store_and_does_not_come_back(world: World) -> None:
    doc = letter_id(world)
    assert is_stored(world, LETTER)
    assert world.store.withdrawals.withdraw(world.ann, "document", doc, "erase", "asked by the author").erased
    assert not is_stored(world, LETTER)
    assert world.turn(until="read").run.steps["read/papers"].reason == "its source was refused"
    assert not is_stored(world, LETTER)
    (world.folder / "documents" / "letter.txt").unlink()
    assert doc not in documents(world, world.turn(until="refine").assets["refine"])


def is_stored(world: World, text: str) -> bool:
    """Whether some object holds the text as it is."""
    paths = (world.folder / "home" / "objects").rglob("*")
    return any(text.encode() in path.read_bytes() for path in paths if path.is_file())


def test_what_another_flow_left_out_is_no_loss_to_it(world: World) -> None:
    before = world.turn()
    world.edit("name: tiny\ns", "name: other\ns")
    assert world.turn().assets == before.assets
