"""What the hub shows, to whom, and where it may listen."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from agents import World

from touyan.compute.hub.log import JsonLines
from touyan.compute.hub.serve import Address
from touyan.compute.hub.upkeep import turn
from touyan.core.errors import Invalid, Refused
from touyan.core.party import Actor
from touyan.core.seam import FixedSeam


def test_jobs_reasons_sites_and_metrics_are_for_keys_of_those_who_may_inspect(world: World, enrol: Callable[..., Actor]) -> None:
    site = world.join()
    job = world.submit()
    site.claim()
    _, key = world.store.api_keys.create(world.store.me())
    user = enrol(world.store, "bo", "user")
    _, weak = world.store.api_keys.create(world.store.me(), user.party)
    for path in ("/v1/jobs", f"/v1/jobs/{job}/why", "/v1/sites", "/metrics"):
        assert world.call("GET", path).status_code == 401
        assert world.call("GET", path, weak).status_code == 403
        assert world.call("GET", path, site.secret).status_code == 401
        assert world.call("GET", path, key).status_code == 200
    told = world.call("GET", f"/v1/jobs/{job}/why", key).json()
    assert (told["site"], set(told["reasons"]), told["attempts"][0]["state"]) == ("hpc1", {"hpc1", "local"}, "claimed")
    metrics = world.call("GET", "/metrics", key).text
    assert 'touyan_jobs{state="placed"} 1\n' in metrics
    assert 'touyan_attempts{site="hpc1",state="claimed"} 1\n' in metrics
    assert "touyan_sync_total 1\n" in metrics


def test_silent_sites_and_stuck_jobs_are_told_of(world: World, seam: FixedSeam) -> None:
    site = world.join()
    world.store.placements.set_local(False)
    site.sync()
    job = world.submit()
    seam.move(3600)
    turn(world.hub)
    _, key = world.store.api_keys.create(world.store.me())
    alerts = world.call("GET", "/v1/sites", key).json()["alerts"]
    assert [a.split(" ")[:2] for a in alerts] == [["site", "hpc1"], ["job", job]]


def test_no_secret_crosses_a_network_in_the_clear(tmp_path: Path) -> None:
    Address("127.0.0.1").check()
    Address("10.0.0.1", is_behind_proxy=True).check()
    with pytest.raises(Refused, match="TLS"):
        Address("10.0.0.1").check()
    with pytest.raises(Invalid):
        Address("10.0.0.1", tls_cert=tmp_path / "c.pem").check()
    with pytest.raises(Invalid, match=r"no file"):
        Address("10.0.0.1", tls_cert=tmp_path / "c.pem", tls_key=tmp_path / "k.pem").check()


def test_a_line_of_the_log_is_json_without_secrets() -> None:
    record = logging.LogRecord("touyan.hub", logging.ERROR, "", 0, "spoke with %s", (f"ts-{'a' * 64}",), None)
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["message"]) == ("error", "spoke with ts-***")
