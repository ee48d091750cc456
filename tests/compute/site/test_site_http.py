"""The calls of an agent over HTTP: what is an answer of the hub, and what is silence on the way."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from touyan.compute.site.home import SiteHome, read_membership
from touyan.compute.site.hub_http import HubOverHttp, checked_address
from touyan.compute.site.join import membership
from touyan.compute.site.policy import Policy
from touyan.core.errors import Conflict, Invalid, Missing, Refused, TouyanError


def hub(answer: httpx.Response | Exception) -> HubOverHttp:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return HubOverHttp("http://127.0.0.1:1", "ts-secret", transport=httpx.MockTransport(handle))


REFUSAL = {"error": {"family": "Refused", "code": "no-secret", "message": "no", "hint": "join"}}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(403, json={"error": "not ours"}),
        httpx.Response(403, json={"error": {"family": "Gone"}}),
        httpx.Response(200, text="<html>log in to this network</html>"),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(302, headers={"location": "http://elsewhere.example.org"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
    ],
)
def test_what_is_no_answer_of_the_hub_means_nothing(answer: httpx.Response | Exception) -> None:
    with pytest.raises(TouyanError) as silence:
        hub(answer).sync({})
    assert silence.value.code == "no-answer"


def test_the_hubs_own_error_comes_as_itself() -> None:
    with pytest.raises(Refused) as refusal:
        hub(httpx.Response(403, json=REFUSAL)).sync({})
    assert refusal.value.code == "no-secret"


def test_bytes_are_cut_where_a_hub_ignores_the_range() -> None:
    assert hub(httpx.Response(200, content=b"0123456789")).get("ab", "cap", 3, 4) == b"3456"
    assert hub(httpx.Response(206, content=b"3456")).get("ab", "cap", 3, 4) == b"3456"


def test_an_upload_begins_anew_where_the_hub_does_not_say_what_it_has() -> None:
    assert hub(httpx.Response(403)).have("ab", "cap") == 0
    assert hub(httpx.Response(200, headers={"upload-offset": "7"})).have("ab", "cap") == 7


def test_every_call_shows_secret_and_capability() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"have_bytes": 3})

    calls = HubOverHttp("http://localhost:1", "ts-secret", transport=httpx.MockTransport(handle))
    assert calls.put("ab", "cap", 0, 3, b"abc") == 3
    assert seen[0].headers["authorization"] == "Bearer ts-secret"
    assert (seen[0].headers["touyan-capability"], seen[0].headers["content-range"]) == ("cap", "bytes 0-2/3")


@pytest.mark.parametrize(
    "address", ["http://hub.example.org", "http://10.0.0.1:8443", "ftp://localhost", "https://", "http://127.evil.org"]
)
def test_a_secret_goes_over_no_open_line(address: str) -> None:
    with pytest.raises(Invalid):
        checked_address(address)


@pytest.mark.parametrize(
    "address", ["https://hub.example.org", "hub.example.org", "http://127.0.0.1:8443/", "http://[::1]:1", "http://localhost"]
)
def test_an_address_is_made_whole(address: str) -> None:
    assert "://" in checked_address(address)
    assert not checked_address(address).endswith("/")


def test_a_site_needs_a_token_once_and_stays_with_its_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, policy = SiteHome(tmp_path), Policy({}, {})
    home.create()
    with pytest.raises(Missing) as refusal:
        membership(home, "http://localhost:1", "", "local", policy)
    assert refusal.value.code == "no-token"
    given = {"site": "lab", "project": "default", "party": "acme/lab", "secret": "ts-1"}
    monkeypatch.setattr(HubOverHttp, "enrol", lambda *_: given)
    joined = membership(home, "http://localhost:1", "tj-1", "local", policy)
    assert (joined.site, "ts-1" in repr(joined)) == ("lab", False)
    assert read_membership(home) == membership(home, "http://localhost:1", "", "local", policy) == joined
    assert json.loads(home.secret.read_text())["secret"] == "ts-1"
    with pytest.raises(Conflict) as other:
        membership(home, "http://localhost:2", "", "local", policy)
    assert other.value.code == "other-hub"
