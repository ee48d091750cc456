"""Peers that lie, replay, forge and overreach: each gets a clear refusal with an Event, and nothing is lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from agents import CAPACITY, World, result

from touyan.compute.hub.capability import HOLDS_S
from touyan.compute.hub.wire import MOST_BYTES
from touyan.core.canonical import sha256_hex
from touyan.core.seam import FixedSeam

WORDS = sha256_hex(b"words")


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


def test_a_token_joins_once_and_expires_with_the_same_words(world: World, seam: FixedSeam) -> None:
    me = world.store.me()

    def enrol(token: str) -> dict[str, Any]:
        answer = world.call("POST", "/v1/sites/enrol", json={"token": token, "driver": "slurm", "capacity": CAPACITY})
        value: dict[str, Any] = answer.json()
        return value

    token = world.store.sites.invite(me, "hpc1", me.party, hours=1)
    assert enrol(token)["site"] == "hpc1"
    late = world.store.sites.invite(me, "hpc2", me.party, hours=1)
    seam.move(3601)
    answers = [enrol(token), enrol(late), enrol("tj-" + "0" * 64), enrol("")]
    assert {a["error"]["code"] for a in answers} == {"wrong-token"}
    assert len({a["error"]["message"] for a in answers}) == 1


def test_a_secret_ends_when_the_site_leaves(world: World) -> None:
    site = world.join()
    world.store.sites.move(world.store.me(), "hpc1", "leave", "sold")
    answer = site.ask()
    assert (answer.status_code, code(answer)) == (401, "wrong-secret")
    assert world.call("POST", "/v1/sync", json={}).status_code == 401


def test_the_store_keeps_no_secret_of_a_site(world: World) -> None:
    site = world.join()
    world.store.database.close()
    kept = b"".join(p.read_bytes() for p in world.store.home.rglob("*") if p.is_file())
    assert site.secret[3:].encode() not in kept


def test_a_result_of_another_sites_attempt_is_refused(world: World) -> None:
    one, two = world.join("hpc1"), world.join("hpc2")
    job = world.submit()
    (claim,) = one.claim()
    answer = two.end(claim, result=result(claim, {"out.txt": b"stolen"}))
    assert (answer["accepted"], answer["error"]["code"]) == (False, "stale-token")
    assert (
        two.sync(held=[{"attempt": claim["attempt"], "token": claim["token"], "state": "running"}])["words"][0]["word"] == "lost"
    )
    assert world.store.jobs.get(job).state == "placed"
    assert world.events("access.refused") == ["stale-token"]


def test_bytes_of_another_digest_are_dropped_whole(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"out.txt": b"right"}))
    digest = asked["missing"][0]["sha256"]
    answer = site.put(asked["capability"], digest, b"wrong")
    assert (answer.status_code, code(answer)) == (500, "wrong-digest")
    assert not world.store.objects.has(digest, 5)
    assert site.put(asked["capability"], digest, b"right").json() == {"have_bytes": 5}


def test_an_upload_goes_on_where_it_was_cut_off(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"out.txt": b"0123456789"}))
    digest, capability = asked["missing"][0]["sha256"], asked["capability"]
    assert site.put(capability, digest, b"0123", total=10).json() == {"have_bytes": 4}
    world.restart()
    head = world.call("HEAD", f"/v1/objects/{digest}", site.secret, headers={"touyan-capability": capability})
    assert head.headers["upload-offset"] == "4"
    assert code(site.put(capability, digest, b"789", first=7)) == "wrong-offset"
    assert site.put(capability, digest, b"456789", first=4).json() == {"have_bytes": 10}
    assert site.end(claim, result=result(claim, {"out.txt": b"0123456789"}))["accepted"]


def test_more_than_was_announced_is_not_taken(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"out.txt": b"right"}))
    digest = asked["missing"][0]["sha256"]
    assert code(site.put(asked["capability"], digest, b"right and more")) == "bad-range"
    headers = {"touyan-capability": asked["capability"], "content-range": "bytes 0-4/5"}
    answer = world.call("PUT", f"/v1/objects/{digest}", site.secret, headers=headers, content=b"right and more")
    assert code(answer) == "body-too-large"


def test_a_download_goes_on_from_any_byte(world: World, add_source: Callable[..., str]) -> None:
    source, site = add_source(world.store, {"a.txt": b"words"}), world.join()
    world.submit(inputs=(source,))
    (claim,) = site.claim()
    part = site.fetch(claim, WORDS, range="bytes=2-")
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"rds", "bytes 2-4/5")
    assert code(site.fetch(claim, WORDS, range="bytes=5-")) == "bad-range"


def test_a_capability_opens_what_its_attempt_may_see_and_nothing_else(
    world: World, add_source: Callable[..., str], seam: FixedSeam
) -> None:
    mine = add_source(world.store, {"a.txt": b"words"})
    other = add_source(world.store, {"b.txt": b"secret"}, provider="acme/other")
    one, two = world.join("hpc1"), world.join("hpc2")
    world.submit(inputs=(mine,))
    (claim,) = one.claim()
    one.sync(want=0)
    world.submit("other", inputs=(other,))
    (foreign,) = two.claim()
    assert code(one.fetch(claim, sha256_hex(b"secret"))) == "not-listed"
    assert code(one.fetch(foreign, sha256_hex(b"secret"))) == "foreign-capability"
    assert code(one.put(claim["capability"], WORDS, b"words")) == "wrong-direction"
    assert code(one.fetch(claim | {"capability": forged(claim["capability"])}, WORDS)) == "forged-capability"
    assert code(one.fetch(claim | {"capability": ""}, WORDS)) == "forged-capability"
    assert code(world.call("GET", f"/v1/objects/{WORDS}", headers={"touyan-capability": claim["capability"]})) == "wrong-secret"
    assert one.fetch(claim, WORDS).status_code == 200
    seam.move(HOLDS_S + 1)
    assert code(one.fetch(claim, WORDS)) == "expired-capability"
    assert set(world.events("access.refused")) >= {"not-listed", "foreign-capability", "wrong-direction", "forged-capability"}


def forged(capability: str) -> str:
    """The same with a later end, under the old MAC."""
    payload, _, mac = capability.partition(".")
    value = json.loads(base64.urlsafe_b64decode(payload + "=="))
    value["until_ms"] += 10**9
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=") + "." + mac


def test_a_capability_ends_with_its_attempt(world: World, add_source: Callable[..., str]) -> None:
    source, site = add_source(world.store, {"a.txt": b"words"}), world.join()
    job = world.submit(inputs=(source,))
    (claim,) = site.claim()
    world.store.jobs.cancel(world.store.me(), job, "withdrawn")
    assert code(site.fetch(claim, WORDS)) == "ended-attempt"


def test_a_digest_alone_opens_no_bytes_of_another_project(world: World, tmp_path: Any) -> None:
    hidden = tmp_path / "hidden"
    hidden.write_bytes(b"of another project")
    stored = world.store.objects.put(hidden)
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    asked = site.end(claim, result=result(claim, {"out.txt": b"of another project"}))
    assert asked["missing"] == [{"sha256": stored.sha256, "size_bytes": stored.size_bytes}]


@pytest.mark.parametrize(("body", "wanted"), [
    (b"{", "bad-request"), (b"[]", "bad-request"), (b'{"sync": 1}', "bad-request"), (b"\xff\xfe", "bad-request"),
    (b'{"sync": 7, "boot": "0000000000000000", "want": 0}', "bad-version"),
    (b'{"sync": 1, "boot": "0000000000000000", "want": -1}', "bad-request"),
    (b'{"sync": 1, "boot": "0000000000000000", "want": 0, "capacity": {"pools": 3}}', "bad-capacity"),
    (b'{"sync": 1, "boot": "0000000000000000", "want": 0, "ended": [{"attempt": "../x-1", "token": 1}]}', ""),
    (b" " * (MOST_BYTES + 1), "body-too-large"),
])  # fmt: skip
def test_a_body_that_is_none_is_told_what_is_wrong(world: World, body: bytes, wanted: str) -> None:
    site = world.join()
    answer = world.call("POST", "/v1/sync", site.secret, content=body)
    found = answer.json()
    assert answer.status_code < 500
    assert (found["error"]["code"] if "error" in found else "") == wanted


def test_a_result_with_a_path_that_leaves_its_folder_is_refused(world: World) -> None:
    site = world.join()
    job = world.submit()
    (claim,) = site.claim()
    said = result(claim, {"out.txt": b"x"})
    said["manifest"]["files"][0]["path"] = "../../etc/passwd"
    answer = site.end(claim, result=said)
    assert (answer["accepted"], answer["error"]["code"]) == (False, "bad-path")
    assert world.store.jobs.get(job).state == "placed"


def test_a_result_of_another_kind_than_was_signed_is_refused(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    said = result(claim, {})
    said["manifest"]["kind"] = "model"
    assert site.end(claim, result=said)["error"]["code"] == "wrong-result"


def test_a_site_that_names_more_devices_than_it_was_given_is_told_of(world: World) -> None:
    site = world.join()
    world.submit()
    (claim,) = site.claim()
    site.finish(claim, {"out.txt": b"made"})
    used = {"attempt": claim["attempt"], "token": claim["token"], "elapsed_s": 1.0, "devices": 64, "model": "h200-141g"}
    for _ in range(2):
        site.sync(usage=[used])
    assert world.events("site.lied") == ["used-more"]
