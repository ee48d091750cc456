"""What users say comes back through the rights gate, and the ring turns again with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ring.conftest import World

from touyan import ring
from touyan.feedback.learn import compare
from touyan.store.answers import Answer

CORRECTION = "应当在七日内书面答复来信的居民，接受社会监督。"


def correct(world: World, terms: str) -> str:
    """A user of the model corrects an answer; the model's id."""
    model = world.turn().run.served_model
    key, _ = world.store.api_keys.create(world.ann, terms=terms)
    world.store.answers.keep(key, [Answer("cmpl-1", "tiny", model, "TY-2026-000001", "市政府", "不知道")])
    world.store.answers.say(key, "cmpl-1", {"rating": "down", "correction": CORRECTION})
    return model


@pytest.mark.slow
def test_a_correction_is_learnt_and_what_changed_is_reported(world: World, tmp_path: Path) -> None:
    model = correct(world, "terms-1")
    before = world.turn()
    collected, turn = ring.learn(world.store, world.ann, world.flow)
    assert (collected.taken, collected.blocks) == (1, ())
    reading = next(s for name, s in turn.run.steps.items() if name.startswith("read/feedback-"))
    assert (reading.state, reading.counts["documents"]) == ("done", 1)
    assert turn.run.steps["refine"].reason == f"re-run, new {reading.name}"
    assert turn.waits_for == "review"
    assert turn.run.served_model != model
    changes = compare(world.store, world.ann, before.assets["evaluate"],
                      turn.assets["evaluate"], tmp_path)  # fmt: skip
    assert {c.model for c in changes} >= {"train", "ngram"}
    again = world.turn()
    assert again.assets == turn.assets


def test_without_accepted_terms_nothing_is_learnt(world: World) -> None:
    before = correct(world, "")
    collected, turn = ring.learn(world.store, world.ann, world.flow)
    assert (collected.asset, collected.taken) == ("", 0)
    assert turn.run.served_model == before


def test_a_flow_that_does_not_ask_for_feedback_is_not_changed_by_it(world: World) -> None:
    correct(world, "terms-1")
    world.edit("feedback: {security: general}\n", "")
    before = world.turn()
    collected, turn = ring.learn(world.store, world.ann, world.flow)
    assert [b.part for b in collected.blocks] == ["security"]
    assert turn.assets == before.assets
