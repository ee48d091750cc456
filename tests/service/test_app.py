"""The HTTP face of a service, over a real socket."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx
import openai
import pytest
from serving import NAME, FakeEngine, Live

from touyan.service.label import NOTICE, verify_label

Make = Callable[..., Live]


def events(response: httpx.Response) -> list[dict[str, object] | str]:
    """What a stream said."""
    lines = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_a_completion_names_its_model_permit_usage_and_label(make_live: Make) -> None:
    live = make_live(FakeEngine("依法纳税。"))
    body = live.post("/v1/completions", model=NAME, prompt="第一条", max_tokens=50, seed=3).json()
    text = body["choices"][0]["text"]
    assert text == f"依法纳税。\n\n{NOTICE}"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["model"] == live.model
    assert body["usage"] == {"prompt_tokens": 10, "completion_tokens": 15, "total_tokens": 25}
    assert body["touyan"]["permit"].startswith("TY-")
    assert body["touyan"]["seed"] == 3
    key = live.running.signer
    assert verify_label(body["touyan"]["aigc"], text, live.store.parties.active(live.running.actor.party)[0].public) == body["id"]
    assert key.key_id in body["touyan"]["aigc"]["AIGC"]["ReservedCode1"]


def test_the_headers_carry_model_permit_and_label(make_live: Make) -> None:
    live = make_live(FakeEngine("好"))
    response = live.post("/v1/completions", prompt="第", max_tokens=5)
    assert response.headers["x-touyan-model"] == live.model
    assert json.loads(response.headers["x-touyan-aigc"])["AIGC"]["ProduceID"] == response.json()["id"]


def test_a_stream_gives_whole_characters_the_notice_and_the_signed_label(make_live: Make) -> None:
    live = make_live(FakeEngine("依法纳税"))
    response = live.post("/v1/completions", prompt="第", stream=True, stream_options={"include_usage": True})
    said = events(response)
    assert said[-1] == "[DONE]"
    text = "".join(e["choices"][0]["text"] for e in said[:-1] if e["choices"])
    assert text == f"依法纳税\n\n{NOTICE}"
    assert "\ufffd" not in response.text
    assert said[-2]["usage"]["completion_tokens"] == 12
    public = live.store.parties.active(live.running.actor.party)[0].public
    assert verify_label(said[-3]["touyan"]["aigc"], text, public) == said[0]["id"]


def test_the_official_client_completes_chats_and_streams(make_live: Make) -> None:
    live = make_live(FakeEngine("您好"))
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key=live.secret, max_retries=0) as client:
        assert {m.id for m in client.models.list()} == {NAME, live.model}
        assert client.completions.create(model=NAME, prompt="第").choices[0].text.startswith("您好")
        chat = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "在吗"}], max_completion_tokens=9)
        assert chat.choices[0].message.content.startswith("您好")
        stream = client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": "在吗"}], stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
        assert text == f"您好\n\n{NOTICE}"


def test_the_official_client_gets_its_own_kinds_of_errors(make_live: Make) -> None:
    live = make_live()
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key="ty-" + "0" * 64, max_retries=0)
    with client, pytest.raises(openai.AuthenticationError, match="API key"):
        client.models.list()
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key=live.secret, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="not served"):
            client.completions.create(model="gpt-9", prompt="x")
        with pytest.raises(openai.UnprocessableEntityError, match="echo"):
            client.completions.create(model=NAME, prompt="x", echo=True)


KEYS = [None, "", "Bearer", "Bearer ty-1", "Basic dDp0", "Bearer " + "x" * 5000, "Bearer ty-" + "0" * 64]


def test_without_a_good_key_nothing_is_answered(make_live: Make) -> None:
    live = make_live()
    body = {"prompt": "x", "response_id": "r", "rating": "up"}
    with httpx.Client(base_url=live.url) as client:
        for authorization in KEYS:
            headers = {} if authorization is None else {"authorization": authorization}
            for method, path in [
                ("GET", "/v1/models"),
                ("POST", "/v1/completions"),
                ("POST", "/v1/feedback"),
                ("GET", "/metrics"),
            ]:
                response = client.request(method, path, json=body if method == "POST" else None, headers=headers)
                assert response.status_code == 401, (path, authorization)
                assert response.json()["error"]["hint"]


def test_the_same_seed_gives_the_same_text(make_live: Make) -> None:
    live = make_live()
    one, two, other = (live.post("/v1/completions", prompt="第", seed=s).json()["choices"][0]["text"] for s in (7, 7, 8))
    assert one == two != other


def test_a_text_ends_before_its_stop_string(make_live: Make) -> None:
    live = make_live(FakeEngine("第一款。第二款。"))
    body = live.post("/v1/completions", prompt="第", stop=["第二"]).json()
    assert body["choices"][0]["text"].startswith("第一款。\n\n")
    assert body["choices"][0]["finish_reason"] == "stop"


BAD: list[tuple[dict[str, object], str]] = [
    ({"prompt": "x", "echo": True}, "echo"),
    ({"prompt": "x", "n": 2}, "n"),
    ({"prompt": "x", "logprobs": 3}, "logprobs"),
    ({"prompt": "x", "temprature": 1}, "temperature"),
    ({"prompt": "x", "max_tokens": 10**6}, "max_tokens"),
    ({"prompt": "x", "max_tokens": 0}, "max_tokens"),
    ({"prompt": "x", "temperature": -1}, "temperature"),
    ({"prompt": ["a", "b"]}, "one prompt"),
    ({"prompt": [1, 2]}, "prompt"),
    ({"prompt": "x", "stop": list("abcde")}, "stop"),
    ({"prompt": "x" * 9000}, "tokens"),
    ({}, "prompt"),
]


def test_a_request_that_cannot_be_served_is_refused_by_name(make_live: Make) -> None:
    live = make_live()
    for body, word in BAD:
        response = live.post("/v1/completions", **body)
        assert response.status_code == 422, body
        assert word in json.dumps(response.json(), ensure_ascii=False), body


def test_a_body_beyond_the_limit_is_refused_whatever_its_headers_say(make_live: Make) -> None:
    live = make_live()
    huge = json.dumps({"prompt": "x" * 300_000}).encode()
    assert live.client().post("/v1/completions", content=huge).status_code == 413
    chunks = (huge[i : i + 4096] for i in range(0, len(huge), 4096))
    response = live.client().post("/v1/completions", content=chunks, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body-too-large")


def test_broken_json_and_unknown_routes_have_the_one_shape_of_errors(make_live: Make) -> None:
    client = make_live().client()
    broken = client.post("/v1/completions", content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["type"]) == (422, "invalid_request_error")
    assert client.get("/v2/none").json()["error"]["code"] == "no-route"
    assert client.get("/v1/completions").status_code == 405


def test_labels_come_with_scores_and_an_id_for_feedback(make_live: Make) -> None:
    live = make_live()
    body = live.post("/v1/classify", input=["税款的缴纳", "婚姻自由"]).json()
    assert [d["label"] for d in body["data"]] == ["tax", "civil"]
    assert list(body["data"][0]["scores"]) == ["tax", "civil"]
    assert live.post("/v1/feedback", response_id=body["data"][1]["id"], correction="family").status_code == 201


def test_a_model_that_only_classifies_says_where_to_ask(make_live: Make) -> None:
    live = make_live(FakeEngine(tasks=frozenset({"classify"})))
    response = live.post("/v1/completions", prompt="第")
    assert response.status_code == 422
    assert "/v1/classify" in response.json()["error"]["message"]


def test_a_base_model_is_asked_in_a_plain_template_and_says_so(make_live: Make) -> None:
    live = make_live(FakeEngine("您好\nuser: 我替你说"))
    body = live.post("/v1/chat/completions", messages=[{"role": "user", "content": [{"type": "text", "text": "在吗"}]}]).json()
    assert body["touyan"]["template"] == "plain"
    assert body["choices"][0]["message"]["content"] == f"您好\n\n{NOTICE}"


def test_health_and_metrics_tell_what_is_served(make_live: Make) -> None:
    live = make_live(FakeEngine("好"))
    live.post("/v1/completions", prompt="第")
    health = httpx.get(f"{live.url}/healthz").json()
    assert (health["status"], health["model"]) == ("serving", live.model)
    metrics = live.client().get("/metrics").text
    assert 'touyan_requests_total{route="/v1/completions",status="200"} 1' in metrics
    assert "touyan_completion_tokens_total 3" in metrics
    assert "touyan_is_serving 1" in metrics


def test_every_route_has_examples_in_its_description(make_live: Make) -> None:
    live = make_live()
    described = httpx.get(f"{live.url}/openapi.json").json()
    for name in ("Completion", "Chat", "Classification", "Feedback"):
        assert described["components"]["schemas"][name]["examples"]


def test_a_limit_inside_a_character_leaves_no_half_of_it(make_live: Make) -> None:
    live = make_live(FakeEngine("依法纳税"))
    body = live.post("/v1/completions", prompt="第", max_tokens=5).json()
    assert body["choices"][0] == {"index": 0, "text": f"依\n\n{NOTICE}", "finish_reason": "length", "logprobs": None}


def test_the_page_runs_its_own_script_alone_and_needs_no_other_host(make_live: Make) -> None:
    response = httpx.get(make_live().url)
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sha256-" in response.headers["content-security-policy"]
    assert not re.search(r"https?://|innerHTML|style=|onclick", response.text)
    assert "人工智能生成" in response.text
