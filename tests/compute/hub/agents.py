"""An agent by hand: speaks the protocol to the real application over httpx's ASGI transport."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from touyan.compute.hub.app import make_app
from touyan.compute.hub.first_fit import first_fit
from touyan.compute.hub.hub import Hub, Terms
from touyan.compute.hub.placing import Matcher
from touyan.core.asset import FileRef, InputRef, Manifest, build
from touyan.core.canonical import sha256_hex
from touyan.core.dsse import read_envelope
from touyan.core.job import JobSpec, NamedInput, Need, read_spec
from touyan.store.home import Store

CAPACITY: dict[str, Any] = {
    "pools": [{"name": "main", "classes": [{"name": "node", "nodes": 2, "cpus": 64, "memory_bytes": 256 << 30}]}]
}
DIGEST = "0" * 64


def with_devices(model: str, devices: int) -> dict[str, Any]:
    """A capacity of two nodes with accelerators."""
    node = CAPACITY["pools"][0]["classes"][0] | {"model": model, "devices": devices}
    return {"pools": [{"name": "main", "classes": [node]}]}


@dataclass
class World:
    """A store and the hub on it."""

    store: Store
    matcher: Matcher = first_fit
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The hub is killed and comes back: what it knows is what the store knows."""
        self.hub = Hub(self.store, self.matcher, Terms(place_pace_s=0.0))
        self.app = make_app(self.hub)

    def call(self, method: str, path: str, secret: str = "", **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
                headers = more.pop("headers", {}) | ({"authorization": f"Bearer {secret}"} if secret else {})
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(ask())

    def join(self, name: str = "hpc1", capacity: dict[str, Any] = CAPACITY, **terms: Any) -> AgentByHand:
        """Invites a site and joins as it."""
        token = self.store.sites.invite(self.store.me(), name, self.store.me().party, **terms)
        answer = self.call("POST", "/v1/sites/enrol", json={"token": token, "driver": "local", "capacity": capacity})
        assert answer.status_code == 200, answer.text
        return AgentByHand(self, name, answer.json()["secret"])

    def submit(self, text: str = "x", need: Need | None = None, inputs: tuple[str, ...] = (), **more: Any) -> str:
        """A Job; its id."""
        me = self.store.me()
        given = tuple(NamedInput("given", asset, f"source/{n}") for n, asset in enumerate(inputs))
        spec = JobSpec(me.project, f"step/{text}", "step", "1", {"text": text}, given, "report", "refine", "python",
                       need or Need(), me.party)  # fmt: skip
        return self.store.jobs.submit(me, spec, **more)

    def events(self, kind: str) -> list[str]:
        """The codes in the bodies of all Events of one type."""
        self.store.events.sequence()
        return [str((e.body or {}).get("code", "")) for e in self.store.events.find("default", kind=kind)]


@dataclass
class AgentByHand:
    """A joined site that says what a test tells it to."""

    world: World
    name: str
    secret: str
    boot: str = "0" * 16

    def ask(self, **said: Any) -> httpx.Response:
        return self.world.call("POST", "/v1/sync", self.secret, json={"sync": 1, "boot": self.boot, "want": 0} | said)

    def sync(self, **said: Any) -> dict[str, Any]:
        answer = self.ask(**said)
        assert answer.status_code == 200, answer.text
        value: dict[str, Any] = answer.json()
        return value

    def claim(self, want: int = 1) -> list[dict[str, Any]]:
        claims: list[dict[str, Any]] = self.sync(want=want)["claims"]
        return claims

    def end(self, claim: dict[str, Any], **said: Any) -> dict[str, Any]:
        """Says how an Attempt ended; the answer to it."""
        answer = self.sync(ended=[{"attempt": claim["attempt"], "token": claim["token"]} | said])["ended"]
        assert len(answer) == 1
        found: dict[str, Any] = answer[0]
        return found

    def fetch(self, claim: dict[str, Any], sha256: str, **headers: str) -> httpx.Response:
        return self.world.call(
            "GET", f"/v1/objects/{sha256}", self.secret, headers={"touyan-capability": claim["capability"]} | headers
        )

    def put(self, capability: str, sha256: str, data: bytes, first: int = 0, total: int | None = None) -> httpx.Response:
        size = len(data) + first if total is None else total
        headers = {"touyan-capability": capability, "content-range": f"bytes {first}-{first + len(data) - 1}/{size}"}
        return self.world.call("PUT", f"/v1/objects/{sha256}", self.secret, headers=headers, content=data)

    def finish(self, claim: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
        """Sends a result and the bytes it lacks; the last answer."""
        said = result(claim, files)
        by_digest = {sha256_hex(data): data for data in files.values()}
        while "missing" in (answer := self.end(claim, result=said)):
            for one in answer["missing"]:
                assert self.put(answer["capability"], one["sha256"], by_digest[one["sha256"]]).status_code == 200
        return answer


def manifest_for(claim: dict[str, Any], files: dict[str, bytes], kind: str = "") -> Manifest:
    """The manifest of what the Attempt of a claim made."""
    spec = read_spec(read_envelope(claim["spec"]).payload)
    refs = [FileRef(path, sha256_hex(data), len(data)) for path, data in files.items()]
    return build(kind or spec.output, refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)


def result(claim: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    return {"manifest": manifest_for(claim, files).to_json(), "counts": {"n": 1}, "telemetry": {}, "environment": {"python": "3"}}
