"""What is served while permits, rights, lists and roles change."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from serving import NAME, FakeEngine, Live, add_model, opener, permit_for

from touyan.core.errors import Invalid, Refused
from touyan.core.permit import Scope
from touyan.core.seam import FixedSeam, iso
from touyan.service.app import make_app
from touyan.service.bind import bind
from touyan.service.label import NOTICE
from touyan.service.run import serve
from touyan.service.settings import Settings
from touyan.store.home import Store
from touyan.store.services import HUMANS_ONLY

Make = Callable[..., Live]


def status_after(live: Live, seam: FixedSeam, seconds: float = 0.2) -> tuple[int, str]:
    """The answer to a request once the service has had time to glance at the store."""
    seam.move(seconds)
    response = live.post("/v1/completions", prompt="第")
    return response.status_code, response.json().get("error", {}).get("message", "")


def test_a_model_without_a_permit_is_not_served(make_live: Make) -> None:
    live = make_live(permitted=False)
    response = live.post("/v1/completions", prompt="第")
    assert response.status_code == 503
    assert "no valid permit" in response.json()["error"]["message"]
    assert response.headers["retry-after"]
    assert httpx.get(f"{live.url}/healthz").json()["status"] == HUMANS_ONLY


def test_why_nothing_is_served_is_not_told_without_a_key(make_live: Make) -> None:
    live = make_live(permitted=False)
    told = httpx.get(f"{live.url}/healthz").json()
    assert told["reason"] == "no model is cleared to be served now"
    assert "permit" not in told["reason"] + told["hint"]


def test_suspending_stops_and_resuming_serves_again(make_live: Make, seam: FixedSeam) -> None:
    live = make_live()
    number = live.post("/v1/completions", prompt="第").json()["touyan"]["permit"]
    live.store.permits.suspend(live.store.me(), number, "a complaint")
    status, message = status_after(live, seam)
    assert (status, "a complaint" in message) == (503, True)
    live.store.permits.resume(live.store.me(), number, "it was answered")
    assert status_after(live, seam)[0] == 200
    kinds = [e.event.type for e in live.store.services.changes("default", NAME)]
    assert kinds == ["service.bound", "service.fell-back", "service.bound"]


def test_a_permit_ends_by_the_clock_alone(make_live: Make, seam: FixedSeam) -> None:
    live = make_live()
    assert status_after(live, seam, 29 * 24 * 3600)[0] == 200
    status, message = status_after(live, seam, 2 * 24 * 3600)
    assert (status, "expired" in message) == (503, True)


def test_a_withdrawal_that_stops_serving_stops_it(make_live: Make, seam: FixedSeam) -> None:
    live = make_live()
    assert status_after(live, seam)[0] == 200
    live.store.withdrawals.withdraw(live.store.me(), "source", "acme/one", "stop-serving", "the owner wants it back")
    status, message = status_after(live, seam)
    assert (status, "the owner wants it back" in message) == (503, True)


def test_a_server_that_loses_its_role_stops(make_live: Make, seam: FixedSeam) -> None:
    live = make_live()
    assert status_after(live, seam)[0] == 200
    me = live.store.me()
    for role in ("server", "engineer"):
        live.store.parties.revoke(me, me.party, role)
    seam.move(0.2)
    assert httpx.get(f"{live.url}/healthz").status_code == 503


def test_the_previous_model_takes_over_and_the_log_says_when(make_live: Make, tmp_path: Path, seam: FixedSeam) -> None:
    live = make_live(FakeEngine("旧"), FakeEngine("新"), FakeEngine("旧"))
    old, me = live.model, live.store.me()
    new = add_model(live.store, tmp_path, "two")
    permit = permit_for(live.store, new)
    assert bind(live.store, me, NAME, new).targets == (new, old, HUMANS_ONLY)
    assert bind(live.store, me, NAME, new).targets == (new, old, HUMANS_ONLY)
    seam.move(0.2)
    body = live.post("/v1/completions", prompt="第").json()
    assert (body["model"], body["choices"][0]["text"][0]) == (new, "新")
    while_new = iso(seam.now_ms())
    live.store.permits.revoke(me, permit.number, "it lied")
    seam.move(0.2)
    body = live.post("/v1/completions", prompt="第").json()
    assert (body["model"], body["choices"][0]["text"][0]) == (old, "旧")
    told = live.store.services.serving_at("default", NAME, iso(seam.now_ms()))
    assert (told.event.type, told.body["serving"]) == ("service.fell-back", old)
    assert "it lied" in json.dumps(told.body, ensure_ascii=False)
    assert live.store.services.serving_at("default", NAME, while_new).body["serving"] == new
    assert live.store.services.serving_at("default", NAME, "2001") is None


def test_who_asks_for_a_model_by_id_never_gets_another(make_live: Make, tmp_path: Path, seam: FixedSeam) -> None:
    live = make_live()
    assert live.post("/v1/completions", prompt="第", model=live.model).status_code == 200
    assert live.post("/v1/completions", prompt="第", model=live.model[:12]).status_code == 200
    assert live.post("/v1/completions", prompt="第", model=live.model[:4]).status_code == 404
    new = add_model(live.store, tmp_path, "two")
    permit_for(live.store, new)
    bind(live.store, live.store.me(), NAME, new)
    seam.move(0.2)
    assert live.post("/v1/completions", prompt="第", model=live.model).status_code == 404


def test_a_running_stream_ends_with_an_error_and_its_notice_when_the_permit_goes(make_live: Make, seam: FixedSeam) -> None:
    hold = threading.Event()
    live = make_live(FakeEngine(hold=hold), settings=Settings(recheck_s=0.01))
    hold.set()
    number = live.store.permits.list("default", live.model)[0].number
    body = {"prompt": "第", "stream": True, "max_tokens": 2048}
    with live.client().stream("POST", "/v1/completions", json=body) as response:
        lines = response.iter_lines()
        next(lines)
        hold.clear()  # the engine stands still in a step while the permit is suspended
        live.store.permits.suspend(live.store.me(), number, "stop it")
        seam.move(0.2)
        released = threading.Timer(0.3, hold.set)
        released.start()
        said = [json.loads(line.removeprefix("data: ")) for line in lines if line]
        released.join()
    assert said[-1]["error"]["code"] == "not-serving"
    assert "stop it" in said[-1]["error"]["message"]
    assert NOTICE in said[-2]["choices"][0]["text"]


def test_a_model_that_cannot_be_opened_is_passed_over(make_live: Make, tmp_path: Path, seam: FixedSeam) -> None:
    live = make_live(FakeEngine("旧"))
    new = add_model(live.store, tmp_path, "two")
    permit_for(live.store, new)
    bind(live.store, live.store.me(), NAME, new)
    with live.store.database.read() as connection:
        asset = live.store.assets.get(connection, "default", new)
    live.store.objects.delete(asset.manifest.files[0].sha256)
    seam.move(0.2)
    body = live.post("/v1/completions", prompt="第").json()
    assert body["model"] == live.model
    told = live.store.services.serving_at("default", NAME, "9999")
    assert "cannot be opened" in json.dumps(told.body)


def test_a_trial_permit_lets_in_its_testers_alone(make_live: Make, seam: FixedSeam) -> None:
    live = make_live(permitted=False)
    me = live.store.me()
    for name in ("tess", "uma"):
        live.store.parties.enrol(me, name, roles=["user"])
    tess, uma = (live.store.parties.get(n).id for n in ("tess", "uma"))
    permit_for(live.store, live.model, kind="trial", scope=Scope(testers=(tess,)))
    seam.move(0.2)
    answers = {}
    for party in (tess, uma):
        _, secret = live.store.api_keys.create(me, party)
        answers[party] = live.client(secret).post("/v1/completions", json={"prompt": "第"})
    assert answers[tess].json()["touyan"]["permit_kind"] == "trial"
    assert answers[uma].status_code == 403


@pytest.mark.parametrize(("scope", "settings", "status"), [
    (Scope("public"), Settings(audience="public"), 200),
    (Scope("internal"), Settings(audience="public"), 503),
    (Scope(domain="law"), Settings(domain="law"), 200),
    (Scope(domain="law"), Settings(), 503),
    (Scope(sites=("hub",)), Settings(site="edge"), 503),
])  # fmt: skip
def test_a_permit_covers_its_scope_and_no_more(
    make_live: Make, scope: Scope, settings: Settings, status: int, seam: FixedSeam
) -> None:
    live = make_live(permitted=False, settings=settings)
    permit_for(live.store, live.model, scope=scope)
    assert status_after(live, seam)[0] == status


def test_a_demonstration_permit_needs_a_demonstration(make_live: Make, tmp_path: Path) -> None:
    live = make_live(demo=True)
    assert live.post("/v1/completions", prompt="第").json()["touyan"]["demo"] is True
    app = make_app(live.store, live.store.me(), NAME, False, None, opener(FakeEngine()))
    with pytest.raises(Refused, match="demonstration"):
        app.state.running.address.now()
    app.state.running.close()


def test_a_demonstration_answers_its_own_machine_only(make_live: Make) -> None:
    live = make_live(demo=True)
    with pytest.raises(Refused, match="loopback"):
        serve(live.store, live.store.me(), NAME, host="0.0.0.0", demo=True)
    handed_on = live.client().get("/v1/models", headers={"x-forwarded-for": "203.0.113.9"})
    assert (handed_on.status_code, handed_on.json()["error"]["code"]) == (403, "demo-on-loopback")


def test_stopping_is_told(make_live: Make) -> None:
    live = make_live()
    live.post("/v1/completions", prompt="第")
    live.running.close()
    assert live.store.services.serving_at("default", NAME, "9999").event.type == "service.stopped"
    assert live.post("/v1/completions", prompt="第").status_code == 503


def test_a_list_names_each_model_once_and_ends_with_people(sqlite_store: Store, tmp_path: Path) -> None:
    model = add_model(sqlite_store, tmp_path)
    with pytest.raises(Invalid, match="twice"):
        sqlite_store.services.bind(sqlite_store.me(), NAME, [model, model])
    assert sqlite_store.services.bind(sqlite_store.me(), NAME, [model]).targets == (model, HUMANS_ONLY)
    assert sqlite_store.services.bind(sqlite_store.me(), NAME, []).targets == (HUMANS_ONLY,)
