"""A world for a site's agent: an organisation with keys, a hub and an engine that are models, and a clock that moves when told.

The hub keeps leases and counts results as docs/formats/agent-protocol.md says; the engine outlives agents, ends payloads that hear
nothing for the length of their lease, and notices what must never happen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.compute.driver import Exit, Order
from touyan.compute.folder import MARK, AttemptFolder, newest_checkpoint, write_json, write_mark
from touyan.compute.site.home import SiteHome
from touyan.compute.site.hub_calls import no_answer
from touyan.compute.site.policy import Policy
from touyan.compute.site.round import Next, Round
from touyan.core.asset import FileRef, Manifest, asset_id, build, read_manifest
from touyan.core.canonical import canonical
from touyan.core.dsse import Envelope, seal
from touyan.core.errors import Refused, error_record
from touyan.core.job import SPEC_TYPE, JobSpec, NamedInput, Need, spec_bytes
from touyan.core.party import Party
from touyan.core.seam import FixedSeam
from touyan.store.keys import KeyPair, new_pair
from touyan.store.parties import endorse

LEASE_S = 60.0
GRACE_S = 16.0
STEP = "read"
AT = "2026-01-01T00:00:00.000Z"


class Killed(BaseException):
    """The agent was ended, as by kill -9: nothing catches it."""


class Organisation:
    """A root key, a person, and what they sign."""

    def __init__(self, name: str = "acme", person: str = "ann") -> None:
        self.root, self.key = new_pair(), new_pair()
        self.id = f"{name}-{self.root.key_id.partition(':')[2][:8]}"
        self.person = f"{self.id}/{person}"

    @property
    def chain(self) -> list[Envelope]:
        root = Party(self.id, "organisation", self.id, self.id)
        return [endorse(root, self.root, self.root, AT, "root"), self.endorsed(self.key, self.root)]

    def endorsed(self, key: KeyPair, by: KeyPair, party: str = "") -> Envelope:
        return endorse(Party(party or self.person, "person", "ann", self.id), key, by, AT, "key")

    def spec(self, text: str = "", inputs: tuple[str, ...] = (), need: Need | None = None, **other: Any) -> JobSpec:
        named = tuple(NamedInput("source", asset, f"source/{n}") for n, asset in enumerate(inputs))
        fields: dict[str, Any] = {"purpose": "refine", "submitter": self.person, "project": "default", "step": STEP} | other
        return JobSpec(
            name="read/x", version="1", params={"text": text}, inputs=named, output="report", environment="python",
            need=need or Need(), **fields,
        )  # fmt: skip

    def sign(self, spec: JobSpec) -> Envelope:
        return seal(SPEC_TYPE, spec_bytes(spec), self.key)

    def policy(self, **other: Any) -> Policy:
        fields: dict[str, Any] = {"roots": {self.id: self.root.key_id}, "accounts": {self.person: "ann"}, "slots": 2}
        return Policy(**(fields | other))


@dataclass
class HubAttempt:
    id: str
    job: str
    token: int
    claim: dict[str, Any]
    state: str = "claimed"
    until_s: float = 0.0
    uploaded: dict[str, bytes] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)


class ModelHub:
    """`HubCalls` over dictionaries."""

    def __init__(self, organisation: Organisation, seam: FixedSeam) -> None:
        self.organisation = organisation
        self.seam = seam
        self.objects: dict[str, bytes] = {}
        self.jobs: dict[str, str] = {}
        self.specs: dict[str, JobSpec] = {}
        self.manifests: dict[str, list[Manifest]] = {}
        self.attempts: dict[str, HubAttempt] = {}
        self.checkpoints: dict[str, tuple[Manifest, int]] = {}
        self.results: dict[str, Manifest] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, Any] = {}
        self.usage: dict[tuple[str, int], Any] = {}
        self.bodies: list[Mapping[str, Any]] = []
        self.extra: list[dict[str, Any]] = []
        """Claims that are slipped into the next answer."""
        self.loses = ""
        """"request" or "answer": what is lost of the next call."""
        self._token = 0

    def add(self, job: str, files: Mapping[str, bytes] | None = None, **spec: Any) -> str:
        manifests = [self.source(files)] if files is not None else []
        self.jobs[job], self.manifests[job] = "waiting", manifests
        self.specs[job] = self.organisation.spec(job, tuple(asset_id(m) for m in manifests), **spec)
        return job

    def source(self, files: Mapping[str, bytes]) -> Manifest:
        refs = [FileRef(path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items()]
        self.objects |= {hashlib.sha256(data).hexdigest(): data for data in files.values()}
        return build("source", refs, provider="acme")

    def cancel(self, job: str) -> None:
        if self.jobs[job] in ("waiting", "placed"):
            self.jobs[job] = "cancelled"
            for one in self.of(job):
                one.state = "cancelled"

    def of(self, job: str) -> list[HubAttempt]:
        return [a for a in self.attempts.values() if a.job == job and a.state in ("claimed", "running")]

    def sync(self, body: Mapping[str, Any]) -> object:
        self._fail_of("request")
        self.reap()
        self.bodies.append(body)
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()  # it can go over the wire
        for usage in body["usage"]:
            self.usage[usage["attempt"], usage["token"]] = usage
        self.receipts |= {w["attempt"]: w for w in body["wiped"]}
        ended = [self._ended(e) for e in body["ended"]]
        words = [{"attempt": h["attempt"], "word": self._held(h)} for h in body["held"]]
        named = {x["attempt"] for x in (*body["held"], *body["ended"])}
        again = [a for a in self.attempts.values() if a.state == "claimed" and a.id not in named]
        new = (
            [self._claim(j) for j, s in list(self.jobs.items()) if s == "waiting"][: max(0, body["want"] - len(again))]
            if (body["want"])
            else []
        )
        claims = [a.claim for a in (*again, *new)] + self.extra
        self.extra = []
        self._fail_of("answer")
        return {"sync": 1, "lease_s": LEASE_S, "pace_s": 5, "words": words, "ended": ended, "claims": claims, "new_field": 1}

    def _fail_of(self, what: str) -> None:
        if self.loses == what:
            self.loses = ""
            raise no_answer(f"the {what} was lost")

    def reap(self) -> None:
        now_s = self.seam.monotonic_s()
        for one in self.attempts.values():
            if one.state in ("claimed", "running") and now_s > one.until_s + GRACE_S:
                one.state, self.jobs[one.job] = "lost", "waiting"

    def _claim(self, job: str) -> HubAttempt:
        self._token += 1
        number = 1 + sum(a.job == job for a in self.attempts.values())
        spec, identifier = self.specs[job], f"{job}-{number}"
        newest = self.checkpoints.get(job)
        claim = {
            "attempt": identifier, "number": number, "job": job, "project": "default", "token": self._token,
            "spec": self.organisation.sign(spec).to_json(), "chain": [e.to_json() for e in self.organisation.chain],
            "inputs": [m.to_json() for m in self.manifests[job]],
            "checkpoint": {"manifest": newest[0].to_json(), "position": newest[1]} if newest else None,
            "accelerator": None, "earlier": [], "pseudonym_key": "ab" * 32, "capability": f"down {identifier}",
        }  # fmt: skip
        self.jobs[job] = "placed"
        self.attempts[identifier] = HubAttempt(identifier, job, self._token, claim, until_s=self.seam.monotonic_s() + LEASE_S)
        return self.attempts[identifier]

    def _held(self, held: Mapping[str, Any]) -> str:
        one = self.attempts.get(held["attempt"])
        if one is None or one.token != held["token"] or one.state not in ("claimed", "running"):
            return "cancel" if one is not None and one.state == "cancelled" else "lost"
        if held["state"] == "running":
            one.state = "running"
        one.until_s = self.seam.monotonic_s() + LEASE_S
        return "keep"

    def _ended(self, said: Mapping[str, Any]) -> dict[str, Any]:
        one = self.attempts.get(said["attempt"])
        if one is None or one.token != said["token"]:
            self.errors[said["attempt"]] = said.get("error")
            return {"attempt": said["attempt"], "accepted": False, "error": error_record(Refused("stale-token", "no", ""))}
        if one.state not in ("claimed", "running"):
            return {"attempt": one.id, "accepted": one.state in ("failed", "succeeded")}
        one.until_s = self.seam.monotonic_s() + LEASE_S
        manifest = _told(said)
        if manifest and (missing := [f for f in manifest.files if f.sha256 not in one.done and f.sha256 not in self.objects]):
            listed = [{"sha256": f.sha256, "size_bytes": f.size_bytes} for f in missing]
            return {"attempt": one.id, "missing": listed, "capability": f"up {one.id}"}
        return self._settle(one, said, manifest)

    def _settle(self, one: HubAttempt, said: Mapping[str, Any], manifest: Manifest | None) -> dict[str, Any]:
        if "result" in said:
            assert one.job not in self.results, "a second result was accepted"
            assert manifest is not None
            assert {f.path: self.bytes_of(f.sha256) for f in manifest.files} == expected_out(one.job), "not complete"
            self.results[one.job], self.jobs[one.job], one.state = manifest, "done", "succeeded"
        else:
            if manifest is not None:
                self.checkpoints[one.job] = (manifest, said["checkpoint"]["position"])
            self.errors[one.id] = said.get("error") or said["released"]
            one.state = "failed"
            self.jobs[one.job] = "waiting" if said.get("may_retry") or "released" in said else "failed"
        return {"attempt": one.id, "accepted": True, "asset": None}

    def bytes_of(self, sha256: str) -> bytes:
        return self.objects[sha256]

    def get(self, sha256: str, capability: str, first: int, count: int) -> bytes:
        self._fail_of("request")
        attempt = self.attempts[capability.removeprefix("down ")]
        listed = {f.sha256 for m in self.manifests[attempt.job] for f in m.files}
        listed |= {f.sha256 for f in self.checkpoints[attempt.job][0].files} if attempt.job in self.checkpoints else set()
        assert sha256 in listed, "a digest was asked for that the capability does not list"
        return self.objects[sha256][first : first + min(count, 4)]

    def have(self, sha256: str, capability: str) -> int:
        return len(self._upload(capability).uploaded.get(sha256, b""))

    def put(self, sha256: str, capability: str, first: int, total: int, chunk: bytes) -> int:
        one = self._upload(capability)
        held = one.uploaded.get(sha256, b"")
        if first == len(held):
            held += chunk[: max(1, len(chunk) // 2)]
        one.uploaded[sha256] = held
        if len(held) == total:
            assert hashlib.sha256(held).hexdigest() == sha256
            one.done.add(sha256)
            self.objects[sha256] = held
        return len(held)

    def _upload(self, capability: str) -> HubAttempt:
        return self.attempts[capability.removeprefix("up ")]


def _told(said: Mapping[str, Any]) -> Manifest | None:
    told = said.get("result") or said.get("checkpoint")
    return read_manifest(canonical(told["manifest"])) if told else None


def expected_out(job: str) -> dict[str, bytes]:
    return {"out.txt": f"made of {job}".encode(), "more/empty": b""}


@dataclass
class Payload:
    order: Order
    job: str
    heard_s: float
    exit: Exit | None = None


class ModelEngine:
    """A `Driver` whose payloads outlive agents. `Driver` objects of several agents share the engine."""

    def __init__(self, seam: FixedSeam) -> None:
        self.seam = seam
        self.payloads: dict[str, Payload] = {}
        self.starts: dict[str, int] = {}
        self.seen_inputs: dict[str, dict[str, bytes]] = {}
        self.from_checkpoint: dict[str, int] = {}

    def driver(self) -> ModelDriver:
        return ModelDriver(self)

    def running(self) -> list[str]:
        return [a for a, p in self.payloads.items() if p.exit is None]

    def tick(self) -> None:
        """Payloads whose agent was silent for their lease end themselves."""
        for attempt in self.running():
            payload = self.payloads[attempt]
            heartbeat = payload.order.root / "heartbeat"
            if heartbeat.exists() and heartbeat.stat().st_mtime_ns != 0:
                payload.heard_s = self.seam.monotonic_s()
                os.utime(heartbeat, ns=(0, 0))
            if self.seam.monotonic_s() - payload.heard_s > payload.order.limits.lease_s:
                self.end(attempt, Exit("fenced", 0, "was ended because its agent fell silent"))

    def end(self, attempt: str, end: Exit, *, is_told: bool = True) -> None:
        payload = self.payloads[attempt]
        payload.exit = end
        if is_told and payload.order.root.exists():
            write_json(
                payload.order.root / "exit.json",
                {"cause": end.cause, "status": end.status, "reason": end.reason, "peak_bytes": 0},
            )

    def finish(self, attempt: str) -> None:
        """The payload makes its result."""
        folder = AttemptFolder(self.payloads[attempt].order.root)
        for path, data in expected_out(self.payloads[attempt].job).items():
            (folder.out / path).parent.mkdir(exist_ok=True)
            (folder.out / path).write_bytes(data)
        write_json(folder.file("telemetry"), {"telemetry": {"wall_ms": 1}, "environment": {"python": "3"}})
        write_json(folder.file("done"), {"done": 1, "counts": {"texts": 1}})
        self.end(attempt, Exit("exit", 0, "ended with status 0"))

    def checkpoint(self, attempt: str) -> None:
        """The payload comes one position further."""
        folder = AttemptFolder(self.payloads[attempt].order.root)
        newest = newest_checkpoint(folder.checkpoints)
        position = newest[0] + 1 if newest else 1
        target = folder.checkpoints / str(position)
        target.mkdir()
        (target / "state").write_text(f"{self.payloads[attempt].job} at {position}")
        write_mark(folder.checkpoints / f"{position}{MARK}", target, [target / "state"])


class ModelDriver:
    """One agent's view of the engine."""

    def __init__(self, engine: ModelEngine) -> None:
        self._engine = engine
        self._held: set[str] = set()

    def start(self, order: Order) -> None:
        engine, job = self._engine, order.attempt.rpartition("-")[0]
        engine.tick()
        engine.starts[order.attempt] = engine.starts.get(order.attempt, 0) + 1
        assert engine.starts[order.attempt] == 1, "an Attempt was started twice"
        assert not [a for a in engine.running() if engine.payloads[a].job == job], "two Attempts of a Job overlap"
        folder = AttemptFolder(order.root)
        engine.seen_inputs[order.attempt] = {
            p.relative_to(folder.inputs).as_posix(): p.read_bytes() for p in folder.inputs.rglob("*") if p.is_file()
        }
        newest = newest_checkpoint(folder.checkpoints)
        engine.from_checkpoint[order.attempt] = newest[0] if newest else 0
        os.utime(folder.heartbeat, ns=(0, 0))
        engine.payloads[order.attempt] = Payload(order, job, engine.seam.monotonic_s())
        self._held.add(order.attempt)

    def adopt(self, order: Order) -> bool:
        is_known = order.attempt in self._engine.payloads
        if is_known:
            self._held.add(order.attempt)
        return is_known

    def wait(self, attempt: str, timeout_s: float) -> Exit | None:
        assert attempt in self._held
        return self._engine.payloads[attempt].exit

    def stop(self, attempt: str) -> None:
        if self._engine.payloads[attempt].exit is None:
            self._engine.end(attempt, Exit("stopped", 0, "was told to stop"))

    def sweep(self, attempt: str) -> None:
        if attempt in self._engine.payloads and self._engine.payloads[attempt].exit is None:
            self._engine.end(attempt, Exit("signal", 9, "was swept"))


class World:
    """A site with its hub and its engine."""

    def __init__(self, root: Path, **policy: Any) -> None:
        self.seam = FixedSeam()
        self.organisation = Organisation()
        self.hub = ModelHub(self.organisation, self.seam)
        self.engine = ModelEngine(self.seam)
        self.home = SiteHome(root)
        self.home.create()
        self.policy = self.organisation.policy(**policy)
        self.said: list[str] = []
        self.restart()

    def restart(self) -> None:
        """Another process is the agent now."""
        self.driver = self.engine.driver()
        self.rounds = Round(self.home, self.policy, self.driver, self.hub, self.seam, self.said.append)

    def round(self) -> Next:
        following = self.rounds.run()
        self.engine.tick()
        return following

    def until(self, holds: Any, most: int = 30) -> None:
        """Rounds until something holds."""
        for _ in range(most):
            if holds():
                return
            self.round()
            self.seam.move(1)
        raise AssertionError(f"it never came: {self.said}")

    def run_job(self, job: str) -> str:
        """Rounds until an Attempt of the Job runs; its id."""
        self.until(lambda: any(self.engine.payloads[a].job == job for a in self.engine.running()))
        return next(a for a in self.engine.running() if self.engine.payloads[a].job == job)

    def left(self) -> list[str]:
        """Files of Parties that are still at the site."""
        return sorted(p.relative_to(self.home.root).as_posix() for p in (self.home.root / "parties").rglob("*") if p.is_file())
