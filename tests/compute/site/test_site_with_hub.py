"""A site's agent and the real hub's application, over an engine that is a model: both sides of the protocol agree."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from site_world import ModelEngine, expected_out

from touyan.compute.driver import Exit
from touyan.compute.resources import read_capacity
from touyan.compute.site.home import SiteHome
from touyan.compute.site.hub_http import HubOverHttp
from touyan.compute.site.policy import Policy
from touyan.compute.site.round import Round
from touyan.core.job import JobSpec, NamedInput, Need
from touyan.core.seam import FixedSeam
from touyan.store.home import Store
from touyan.store.job_records import Job

sys.path.insert(0, str(Path(__file__).parent.parent / "hub"))
from agents import CAPACITY
from agents import World as HubWorld


class InProcess(httpx.BaseTransport):
    """The application without a network."""

    def __init__(self, world: HubWorld) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._world.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(request.method, request.url, headers=request.headers, content=request.read())

        answer = asyncio.run(ask())
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Site:
    def __init__(self, store: Store, seam: FixedSeam, root: Path) -> None:
        self.store, self.seam, self.hub = store, seam, HubWorld(store)
        me = store.me().party
        self.policy = Policy(
            {store.parties.get(me).organisation: store.root_key.key_id}, {me: "ann"}, capacity=read_capacity(CAPACITY)
        )
        self.home = SiteHome(root)
        self.home.create()
        self.engine = ModelEngine(seam)
        secret = self.hub.join().secret
        self.calls = HubOverHttp("http://localhost", secret, transport=InProcess(self.hub))
        self.said: list[str] = []
        self.restart()

    def restart(self) -> None:
        self.rounds = Round(self.home, self.policy, self.engine.driver(), self.calls, self.seam, self.said.append)

    def submit(self, *inputs: str) -> str:
        me, given = self.store.me(), tuple(NamedInput("source", asset, f"source/{n}") for n, asset in enumerate(inputs))
        spec = JobSpec("default", "read/x", "read", "1", {}, given, "report", "refine", "python", Need(), me.party)
        return self.store.jobs.submit(me, spec)

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(20):
            if holds():
                return
            self.rounds.run()
            self.engine.tick()
            self.seam.move(1)
        raise AssertionError(f"it never came: {self.said}")

    def job(self, job: str) -> Job:
        return self.store.jobs.get(job)


@pytest.fixture
def site(sqlite_store: Store, seam: FixedSeam, tmp_path: Path) -> Site:
    return Site(sqlite_store, seam, tmp_path / "site")


def test_a_job_goes_through_both_sides_and_its_asset_has_the_bytes_of_the_site(
    site: Site, add_source: Callable[..., str]
) -> None:
    source = add_source(site.store, {"a.txt": b"one", "empty": b""})
    job = site.submit(source)
    site.until(site.engine.running)
    (attempt,) = site.engine.running()
    assert site.engine.seen_inputs[attempt] == {"source/0/a.txt": b"one", "source/0/empty": b""}
    site.engine.finish(attempt)
    site.until(lambda: site.job(job).state == "done")
    with site.store.database.read() as connection:
        asset = site.store.assets.get(connection, "default", str(site.job(job).asset))
    opened = site.store.gate.open(asset.id, site.store.me(), "inspect")
    assert {f.path: opened.read_file(f.path) for f in asset.manifest.files} == expected_out(job)
    site.until(lambda: not list(site.home.attempts.iterdir()) and not list(site.home.wiped.iterdir()))
    assert site.hub.events("staging.wiped") != []


def test_an_interrupted_job_continues_from_the_checkpoint_that_the_hub_kept(site: Site) -> None:
    job = site.submit()
    site.until(site.engine.running)
    (first,) = site.engine.running()
    site.engine.checkpoint(first)
    site.engine.end(first, Exit("stopped", 0, "was told to stop"))
    site.policy = replace(site.policy, keep_h=0)
    site.restart()
    site.until(site.engine.running)
    (second,) = site.engine.running()
    assert (second != first, site.engine.from_checkpoint[second]) == (True, 1)
    site.engine.finish(second)
    site.until(lambda: site.job(job).state == "done")


def test_a_cancelled_job_is_stopped_at_the_site(site: Site) -> None:
    job = site.submit()
    site.until(site.engine.running)
    site.store.jobs.cancel(site.store.me(), job, "withdrawn")
    site.until(lambda: not site.engine.running())
    site.until(lambda: not list(site.home.attempts.iterdir()))


def test_the_hub_is_told_why_an_owner_refuses(site: Site) -> None:
    site.policy = replace(site.policy, accounts={})
    site.restart()
    job = site.submit()
    site.until(lambda: any(a.state == "failed" for a in site.store.jobs.attempts(job)))
    assert "no-account" in site.store.jobs.attempts(job)[0].reason
