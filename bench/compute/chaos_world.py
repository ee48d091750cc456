"""A network in virtual time: the real hub behind its HTTP face, real agents, and engines that are models.

Owns hosts that can be killed and lines that lose, repeat and delay. Knows nothing of when that happens. Invariant: what a process
that is killed knew is gone; what it wrote stays.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from chaos_crash import Fuse, Killed, unwatched
from chaos_engine import Engine, EngineDriver
from chaos_time import Clock, Closing, Time
from sqlalchemy import event

import touyan.compute.hub as hub_package
import touyan.compute.ledger as ledger_package
import touyan.compute.site as site_package
import touyan.store as store_package
from touyan.compute.hub import app as app_module
from touyan.compute.hub.hub import Hub
from touyan.compute.hub.upkeep import turn
from touyan.compute.ledger.acts import grant_voucher
from touyan.compute.resources import read_capacity
from touyan.compute.site import serve as serve_module
from touyan.compute.site.home import SiteHome
from touyan.compute.site.hub_http import TIMEOUT_S, HubOverHttp
from touyan.compute.site.policy import Policy
from touyan.compute.site.round import Next, Round
from touyan.core.errors import TouyanError
from touyan.core.job import JobSpec, NamedInput, Need
from touyan.core.rights import PURPOSES, Rights
from touyan.core.seam import iso
from touyan.store.home import Store, open_store
from touyan.store.jobs import DRIFT_S

LEASE_S = 60.0
DRIFT_SHARE = 0.9 * DRIFT_S / LEASE_S
"""Two clocks part by less than the stated drift over one lease."""
UPKEEP_S, TICK_S = 1.0, 0.5
LIMIT_S = 120
SLOTS = 3
PRICE = {"yuan_per_cpu_hour": 3.6, "needs_voucher": True}
CLEARED = Rights(
    authority="public-domain-official", article="Copyright Law of the PRC, art. 5(1)", personal="none", personal_state="none",
    security="public", purposes=PURPOSES, evidence=("https://flk.npc.gov.cn",),
)  # fmt: skip


def folder_of(package: Any) -> str:
    return str(Path(package.__file__).parent)


async def _inline(call: Callable[..., Any], *given: Any) -> Any:
    """The hub's threads, one after another: so one run is like the next."""
    return call(*given)


class HubHost:
    """The hub's process: it can be killed at any line of its own code, and comes back from what it wrote."""

    def __init__(self, home: Path, time: Time, clock: Clock) -> None:
        self.clock = clock
        self.fuse = Fuse(*map(folder_of, (hub_package, store_package, ledger_package)))
        self.kills = self.unexpected = 0
        self._home, self._time = home, time
        self._loop = asyncio.new_event_loop()
        self._connections: list[Any] = []
        self._turns = 0
        self._down_s = self._stays_down_s = 0.0
        self._open()
        app_module.run_in_threadpool = _inline  # type: ignore[assignment]

    def _open(self) -> None:
        self.store: Store = open_store(self._home, create=True, organisation="acme", person="ann", seam=self.clock)
        event.listen(self.store.database.engine, "connect", lambda raw, _: self._connections.append(raw))
        self.hub = Hub(self.store)
        self._app = app_module.make_app(self.hub)

    @property
    def is_down(self) -> bool:
        return self._time.now_s < self._down_s

    def kill(self) -> None:
        """The process is no more; so are its connections, and with them whatever was not committed."""
        self.kills += 1
        self.store.close()
        for raw in self._connections:
            closed(raw)
        self._connections.clear()
        gc.collect()
        self._open()

    def light(self, lines: int, down_s: float) -> None:
        self.fuse.lines_left, self._stays_down_s = lines, down_s

    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return self.fuse.run(call)
        except Killed:
            self._down_s = self._time.now_s + self._stays_down_s
            self.kill()
            raise

    def turn(self) -> None:
        """What the hub's own thread does each second."""
        if self.is_down:
            return
        self._turns += 1
        try:
            self._guarded(lambda: turn(self.hub, self._turns % 60 == 0))
        except Killed:
            return

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Raises ConnectError where the hub is not there, ReadError where it ends in the midst."""
        if self.is_down:
            raise httpx.ConnectError("connection refused")
        try:
            return self._guarded(lambda: self._loop.run_until_complete(self._ask(request, body)))
        except Killed as end:
            raise httpx.ReadError("connection reset") from end

    async def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        said: list[dict[str, Any]] = []
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": request.method,
            "path": request.url.path, "raw_path": request.url.raw_path, "query_string": b"", "scheme": "http", "root_path": "",
            "headers": [(k.lower(), v) for k, v in request.headers.raw], "client": ("site", 1), "server": ("hub", 80),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        try:
            await self._app(scope, receive, send)  # type: ignore[arg-type]
        except Exception:
            if not said:
                raise
            self.unexpected += 1  # the agent was answered, and the error is in the hub's log
        content = b"".join(m.get("body", b"") for m in said[1:])
        return httpx.Response(said[0]["status"], headers=said[0]["headers"], content=content)

    def close(self) -> None:
        self.store.close()
        self._loop.close()


def closed(raw: Any) -> None:
    """A connection that the pool had not got back."""
    try:
        raw.close()
    except sqlite3.Error:
        return


class Line(httpx.BaseTransport):
    """The way from one agent to the hub and back."""

    def __init__(self, time: Time, hub: HubHost, dice: Random) -> None:
        self._time, self._hub, self._dice = time, hub, dice
        self.cut_there_s = self.cut_back_s = 0.0
        """Until when nothing passes towards the hub, and from it."""
        self.mishaps: list[str] = []
        """What becomes of the next calls."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        mishap = self.mishaps.pop() if self.mishaps else ""
        self._wait(self._dice.uniform(0.005, 0.05))
        if mishap == "late":
            self._time.after(self._dice.uniform(1, 600), lambda: self._deliver_unheard(request, body))
        if mishap in ("late", "lost request") or self._time.now_s < self.cut_there_s:
            self._wait(self._dice.choice((1.0, TIMEOUT_S)))
            raise httpx.ConnectTimeout("nothing comes back")
        answer = self._hub.answer(request, body)
        if mishap == "twice":
            answer = self._hub.answer(request, body)
        if mishap == "lost answer" or self._time.now_s < self.cut_back_s:
            self._wait(self._dice.choice((1.0, TIMEOUT_S)))
            raise httpx.ReadTimeout("nothing comes back")
        self._wait(self._dice.uniform(5, TIMEOUT_S) if mishap == "slow" else self._dice.uniform(0.005, 0.05))
        return answer

    def _deliver_unheard(self, request: httpx.Request, body: bytes) -> None:
        try:
            self._hub.answer(request, body)
        except httpx.TransportError:
            return

    def _wait(self, seconds: float) -> None:
        with unwatched():
            self._time.sleep(seconds)


class FusedRound(Round):
    """A round that may be the last of its process."""

    fuse: Fuse

    def run(self, may_claim: bool = True) -> Next:
        return self.fuse.run(lambda: super(FusedRound, self).run(may_claim))


@dataclass
class SiteHost:
    """A site: its agent is a process that can be killed at any line of its own code, its engine goes on meanwhile."""

    name: str
    home: SiteHome
    policy: Policy
    secret: str
    time: Time
    clock: Clock
    engine: Engine
    line: Line
    dice: Random
    takes_payloads_along: bool = False
    """Payloads end with the agent, as those of the local driver do."""
    kills: int = 0
    stays_down_s: float = 0.0
    said: list[str] = field(default_factory=list)
    fuse: Fuse = field(default_factory=lambda: Fuse(folder_of(site_package)))

    def live(self) -> None:
        while True:
            try:
                self._serve()
            except Killed:
                self.kills += 1
                for payload in self.engine.running() if self.takes_payloads_along else ():
                    self.engine.stop(payload)
                self.time.sleep(self.stays_down_s)

    def _serve(self) -> None:
        with HubOverHttp("http://localhost", self.secret, transport=self.line) as calls:
            rounds = FusedRound(self.home, self.policy, EngineDriver(self.engine), calls, self.clock, self.tell)
            rounds.fuse = self.fuse
            serve_module.serve(rounds, Closing(self.time), self.tell, gives_back=False)  # type: ignore[arg-type]

    def tell(self, words: str) -> None:
        self.said.append(f"{self.time.now_s:.1f} {words}")

    def light(self, lines: int, down_s: float) -> None:
        self.fuse.lines_left, self.stays_down_s = lines, down_s


class World:
    """The hub and its sites."""

    def __init__(self, root: Path, seed: int, sites: int) -> None:
        self.root, self.dice = root, Random(seed)
        self.time = Time()
        serve_module.Random = lambda: self.dice  # type: ignore[assignment,misc]
        self.hub = HubHost(root / "hub", self.time, self._clock())
        self.hub.store.placements.set_local(False)
        self.source = self._source()
        self._grant()
        self.sites = [self._site(n) for n in range(sites)]
        self.submitted_s: dict[str, float] = {}
        self.ended_s: dict[str, float] = {}
        self.time.every(UPKEEP_S, self.hub.turn)
        self.time.every(TICK_S, self._tick)
        for site in self.sites:
            self.time.begin(site.live)

    def _clock(self) -> Clock:
        return Clock(self.time, self.dice, DRIFT_SHARE)

    def _tick(self) -> None:
        for site in self.sites:
            site.engine.tick()

    def _source(self) -> str:
        folder, store = self.root / "source", self.hub.store
        folder.mkdir()
        (folder / "a.txt").write_text("words of a source")
        asset = store.assets.add_folder(store.me(), "source", folder, "acme/notes", provider="acme/notes")
        with store.database.write() as connection:
            store.statements.make(connection, store.me(), asset, "rights", {"rights": CLEARED.to_json()})
        return asset

    def _grant(self) -> None:
        store = self.hub.store
        expires_at = iso(store.seam.now_ms() + 10 * 365 * 86_400_000)
        grant_voucher(store, store.me(), store.me().party, "fen", 10**12, expires_at)

    def _site(self, number: int) -> SiteHost:
        name, store = f"site{number}", self.hub.store
        me = store.me()
        home = SiteHome(self.root / name)
        home.create()
        offer = PRICE if number % 2 == 0 else {"yuan_per_cpu_hour": 0.36}
        pools = [{"name": "main", "classes": [{"name": "n", "nodes": 8, "cpus": 64, "memory_bytes": 1 << 38}]}]
        capacity = read_capacity({"pools": pools, "offer": offer})
        roots = {store.parties.get(me.party).organisation: store.root_key.key_id}
        policy = Policy(roots, {me.party: f"account{number}"}, slots=SLOTS, capacity=capacity)
        token = store.sites.invite(me, name, me.party, trust="general", hours=24)
        _, secret = store.sites.join(token, "local", capacity.to_json())
        engine = Engine(name, self.time, self._clock(), self.dice)
        line = Line(self.time, self.hub, self.dice)
        return SiteHost(name, home, policy, secret, self.time, self._clock(), engine, line, self.dice, number == sites_alike)

    def submit(self) -> None:
        """One more Job, with an input or without."""
        number, store = len(self.submitted_s), self.hub.store
        inputs = (NamedInput("given", self.source, "source/0"),) if number % 3 == 0 else ()
        me = store.me()
        spec = JobSpec(me.project, f"read/{number}", "read", "1", {"n": number}, inputs, "report", "refine", "python",
                       Need(cpus=2, memory_bytes=1 << 30, limit_s=LIMIT_S), me.party)  # fmt: skip
        self.submitted_s[store.jobs.submit(me, spec)] = self.time.now_s

    def active(self) -> list[str]:
        """Jobs that have not ended; the time at which each one did is noted."""
        states = {j.id: j.state for j in self.hub.store.jobs.list("default", last=100_000)}
        for job, state in states.items():
            if state in ("done", "failed", "cancelled"):
                self.ended_s.setdefault(job, self.time.now_s)
        return [job for job in self.submitted_s if job not in self.ended_s]

    def cancel(self, job: str) -> None:
        try:
            self.hub.store.jobs.cancel(self.hub.store.me(), job, "no longer needed")
        except TouyanError:
            return  # it ended meanwhile

    def close(self) -> None:
        self.hub.close()


sites_alike = 1
"""The number of the site whose payloads end with their agent."""


@contextmanager
def world(root: Path, seed: int, sites: int = 4) -> Iterator[World]:
    """A network; the hub's threads and the agents' dice are in its hands meanwhile."""
    before = app_module.run_in_threadpool, serve_module.Random
    found = None
    try:
        found = World(root, seed, sites)
        yield found
    finally:
        app_module.run_in_threadpool, serve_module.Random = before
        if found is not None:
            found.close()
