"""Feedback becomes an Asset through the rights gate, or stays apart with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from touyan.core.errors import Conflict, Refused
from touyan.core.party import Actor
from touyan.core.rights import PURPOSES, Rights
from touyan.core.seam import FixedSeam
from touyan.feedback import Collected, Stated, collect
from touyan.feedback.line import lines
from touyan.store.answers import Answer, Said
from touyan.store.api_keys import ApiKey
from touyan.store.home import Store

CLEARED = Rights(
    authority="own-production",
    personal="none",
    personal_state="none",
    security="public",
    purposes=PURPOSES,
    evidence=("made here",),
)
GENERAL = Stated(security="general")


@pytest.fixture
def model(store: Store, tmp_path: Path) -> str:
    """A foreign model with rights."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "touyan.json").write_text("{}")
    model = store.assets.add_folder(store.me(), "model", tmp_path / "model", "m", provider="acme/m")
    with store.database.write() as connection:
        store.statements.make(connection, store.me(), model, "rights", {"rights": CLEARED.to_json()})
    return model


def answered(store: Store, model: str, key: ApiKey, number: int = 1) -> str:
    answer = Answer(
        f"cmpl-{number}",
        "laws",
        model,
        "TY-2026-000001",
        "第一条 ",
        "为了乱写",
    )
    store.answers.keep(key, [answer])
    return answer.id


def key_of(store: Store, terms: str = "terms-1", party: str = "") -> ApiKey:
    return store.api_keys.create(store.me(), party, terms=terms)[0]


def read(store: Store, collected: Collected, folder: Path, actor: Actor) -> list[dict[str, str]]:
    opened = store.gate.open(collected.asset, actor, "refine").copy_to(folder)
    return [json.loads(line) for line in (opened / "feedback.jsonl").read_text().splitlines()]


def test_a_correction_comes_back_with_its_lineage_and_rights(store: Store, model: str, tmp_path: Path) -> None:
    key = key_of(store)
    response = answered(store, model, key)
    store.answers.say(key, response, {"rating": "down", "correction": "为了保护合法权益", "comment": "乱写"})
    collected = collect(store, store.me(), GENERAL)
    assert (collected.taken, collected.refused, collected.blocks) == (1, {}, ())
    [line] = read(store, collected, tmp_path / "out", store.me())
    assert line["text"] == "第一条 为了保护合法权益"
    assert (line["response_id"], line["model"], line["rating"], line["terms"]) == (response, model, "down", "terms-1")
    with store.database.read() as connection:
        assert model in store.assets.ancestors(connection, collected.asset)
        rights = store.statements.standing(connection, "default", collected.asset).rights
    assert rights is not None
    assert (rights.authority, rights.personal_state, rights.evidence) == (
        "user-consent", "contains", ("terms accepted with the key: terms-1",),
    )  # fmt: skip


def test_until_somebody_states_the_security_class_it_blocks(store: Store, model: str) -> None:
    key = key_of(store)
    store.answers.say(key, answered(store, model, key), {"rating": "up"})
    collected = collect(store, store.me())
    assert [b.part for b in collected.blocks] == ["security"]
    with pytest.raises(Refused, match="security"):
        store.gate.open(collected.asset, store.me(), "refine")


def test_feedback_without_consent_stays_apart_and_the_log_says_why(store: Store, model: str) -> None:
    key = key_of(store, terms="")
    store.answers.say(key, answered(store, model, key), {"correction": "为了"})
    collected = collect(store, store.me(), GENERAL)
    assert (collected.asset, collected.taken) == ("", 0)
    assert [reason.partition(":")[0] for reason in collected.refused] == ["no-consent"]
    store.events.sequence()
    assert store.events.find("default", kind="feedback.refused")[0].body == {"records": dict(collected.refused)}


def test_words_are_not_kept_without_terms(store: Store, model: str) -> None:
    silent, agreeing = key_of(store, terms=""), key_of(store)
    response = answered(store, model, silent)
    store.answers.say(agreeing, response, {"rating": "up"})
    [said] = store.answers.unclaimed("default")
    assert (said.answer.prompt, said.answer.completion) == ("", "")
    assert "no-words" in next(iter(collect(store, store.me(), GENERAL).refused))


def test_what_another_person_asked_is_not_used(store: Store, model: str) -> None:
    store.parties.enrol(store.me(), "uma", roles=["user"])
    hers, mine = key_of(store, party="uma"), key_of(store)
    store.answers.say(mine, answered(store, model, hers), {"rating": "up"})
    assert "other-person" in next(iter(collect(store, store.me(), GENERAL).refused))


def test_each_record_is_taken_once(store: Store, model: str) -> None:
    key = key_of(store)
    response = answered(store, model, key)
    store.answers.say(key, response, {"rating": "up"})
    first = collect(store, store.me(), GENERAL)
    store.answers.say(key, response, {"rating": "down", "comment": "again"})
    second = collect(store, store.me(), GENERAL)
    assert (first.taken, second.taken) == (1, 1)
    assert collect(store, store.me(), GENERAL).asset == ""
    with store.database.write() as connection, pytest.raises(Conflict, match="another collection"):
        store.answers.claim(connection, ["fb-none"], first.asset)


def test_who_may_not_learn_may_not_collect(store: Store) -> None:
    with pytest.raises(Refused, match="learn"):
        collect(store, Actor("acme/x", "default", frozenset({"reviewer"})))


def test_collected_by_somebody_who_is_no_steward_it_has_no_rights_and_blocks(store: Store, model: str) -> None:
    store.parties.enrol(store.me(), "eve", roles=["engineer"])
    key = key_of(store)
    store.answers.say(key, answered(store, model, key), {"rating": "up"})
    collected = collect(store, store.parties.sign_in("eve"), GENERAL)
    assert {b.part for b in collected.blocks} >= {"authority", "personal", "security"}


def test_the_order_of_records_does_not_change_the_bytes() -> None:
    answer = Answer("cmpl-1", "s", "m", "p", "q", "a")
    said = [Said(f"fb-{i}", answer, "up", "", "", "x", "x", "t", "2026") for i in range(5)]
    assert lines(said) == lines(reversed(said))
    assert lines(said).count(b"\n") == 5


def test_an_answer_that_was_only_rated_down_teaches_no_text() -> None:
    answer = Answer("cmpl-1", "s", "m", "p", "问", "答")
    down, up = (Said("fb-1", answer, rating, "", "", "x", "x", "t", "2026") for rating in ("down", "up"))
    assert json.loads(lines([down]))["text"] == ""
    assert json.loads(lines([up]))["text"] == "问答"


def test_answers_are_erased_when_their_time_is_over(store: Store, model: str, seam: FixedSeam) -> None:
    key = key_of(store)
    store.answers.say(key, answered(store, model, key, 1), {"rating": "up"})
    seam.move(29 * 24 * 3600)
    answered(store, model, key, 2)
    assert store.answers.purge(store.me(), 30) == {"responses": 0, "feedback": 0}
    seam.move(2 * 24 * 3600)
    assert store.answers.purge(store.me(), 30) == {"responses": 1, "feedback": 1}
    assert store.answers.unclaimed("default") == []
    store.answers.say(key, "cmpl-2", {"rating": "up"})
