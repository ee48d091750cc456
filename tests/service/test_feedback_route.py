"""What users say about answers, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from serving import FakeEngine, Live

from touyan.core.party import Actor, Role
from touyan.store.answers import FEEDBACK_LIMIT
from touyan.store.api_keys import ApiKey

Make = Callable[..., Live]


def answer(live: Live) -> str:
    return live.post("/v1/completions", prompt="第一条").json()["id"]


def test_feedback_on_an_answer_is_kept_with_the_words_of_both(make_live: Make) -> None:
    live = make_live(FakeEngine("乱写"))
    response = live.post("/v1/feedback", response_id=answer(live), rating="down", correction="为了")
    assert (response.status_code, response.json()["terms"]) == (201, "terms-1")
    [said] = live.store.answers.unclaimed("default")
    assert (said.answer.prompt, said.answer.completion, said.correction) == ("第一条", "乱写", "为了")


def test_a_streamed_answer_can_be_judged_as_soon_as_it_has_ended(make_live: Make) -> None:
    live = make_live(FakeEngine("好"))
    text = live.post("/v1/completions", prompt="第", stream=True).text
    identifier = text.partition('"id":"')[2].partition('"')[0]
    assert live.post("/v1/feedback", response_id=identifier, rating="up").status_code == 201


def test_without_terms_feedback_is_kept_apart_and_the_answer_says_so(make_live: Make) -> None:
    live = make_live(FakeEngine("好"))
    _, silent = live.store.api_keys.create(live.store.me())
    response = live.client(silent).post("/v1/feedback", json={"response_id": answer(live), "rating": "up"})
    assert "never used" in response.json()["message"]


BAD: list[dict[str, str]] = [
    {"response_id": "cmpl-none", "rating": "up"},
    {"response_id": "", "rating": "up"},
    {"response_id": "cmpl-1"},
    {"response_id": "cmpl-1", "rating": "sideways"},
    {"response_id": "cmpl-1", "correction": "x" * 9000},
    {"response_id": "cmpl-1", "raiting": "up"},
]


def test_feedback_that_says_nothing_or_too_much_is_refused(make_live: Make) -> None:
    live = make_live()
    assert [live.post("/v1/feedback", **body).status_code for body in BAD] == [404, 422, 422, 422, 422, 422]


def test_another_project_cannot_judge_and_one_response_has_a_limit(make_live: Make) -> None:
    live = make_live(FakeEngine("好"))
    response = answer(live)
    [mine] = live.store.api_keys.list(live.store.me())
    stranger = ApiKey("key-x", "elsewhere", live.store.me().party, "", "t", "2026", None)
    with pytest.raises(Exception, match="no response"):
        live.store.answers.say(stranger, response, {"rating": "up"})
    for _ in range(FEEDBACK_LIMIT):
        live.store.answers.say(mine, response, {"rating": "up"})
    assert live.post("/v1/feedback", response_id=response, rating="up").status_code == 403


ROLES: list[tuple[Role, int]] = [
    ("owner", 403), ("steward", 403), ("engineer", 200), ("reviewer", 403), ("officer", 403), ("auditor", 403), ("agent", 403),
    ("server", 403), ("user", 200),
]  # fmt: skip


def test_a_key_calls_only_with_a_role_that_calls_and_not_after_it_is_revoked(make_live: Make, seam: object) -> None:
    live = make_live(FakeEngine("好"))
    me = live.store.me()
    for role, status in ROLES:
        live.store.parties.enrol(me, f"p-{role}", roles=[role])
        caller = Actor(f"{live.store.parties.get(f'p-{role}').id}", "default", frozenset({"owner"}))
        _, secret = live.store.api_keys.create(me, caller.party)
        assert live.client(secret).get("/v1/models").status_code == status, role
    key, secret = live.store.api_keys.create(me)
    assert live.client(secret).get("/v1/models").status_code == 200
    live.store.api_keys.revoke(me, key.id, "lost")
    seam.move(0.2)  # type: ignore[attr-defined]
    assert live.client(secret).get("/v1/models").status_code == 401
