"""The hub: what one round of an agent changes, and what it is answered.

Owns the order of a round: who speaks, what ended, what is held, what is placed, what is handed out; one transaction for all of it.
Knows nothing of HTTP. Invariant: a round that is sent again, whole or in part, is answered the same and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touyan.compute.hub.capability import Capability, read
from touyan.compute.hub.claims import Claims
from touyan.compute.hub.endings import Answer, Endings
from touyan.compute.hub.matcher import matcher
from touyan.compute.hub.memory import Memory
from touyan.compute.hub.metrics import Counts
from touyan.compute.hub.placing import Matcher, Placing
from touyan.compute.hub.uploads import Uploads
from touyan.compute.hub.wire import VERSION, Enrol, HeldAttempt, Sync, Used
from touyan.compute.ledger.remote import take_usage
from touyan.compute.ledger.settle import CORE, Report
from touyan.compute.resources import read_capacity
from touyan.core.errors import Refused, TouyanError
from touyan.core.job import JobSpec, read_spec
from touyan.core.party import Actor
from touyan.store.home import Store
from touyan.store.keys import write_secret
from touyan.store.site_attempts import Told, progress_text
from touyan.store.site_records import Site

LEASE_S = 60.0
PACE_S = 5.0
ROUNDS_PER_S = 20
"""Rounds of all agents together: with 200 of them each is asked to come every 10 s."""
MOST_CLAIMS = 32
"""In one answer: with their manifests they must fit a body."""
PLACE_PACE_S = 0.9
MOST_TOLD = 40
"""Refusals of one site that are recorded an hour: enough to see what it tries."""
MEMORY_S = 60.0
"""A role that was taken from a site counts for so long: a lease. Agents of 200 sites come every 10 s, and asking anew takes 5 ms."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How often agents come and how long what they hold is theirs."""

    lease_s: float = LEASE_S
    pace_s: float = PACE_S
    place_pace_s: float = PLACE_PACE_S


class Hub:
    """Answers the agents of all sites."""

    def __init__(self, store: Store, place: Matcher | None = None, terms: Terms | None = None) -> None:
        self.store = store
        self.terms = terms or Terms()
        self.uploads = Uploads(store.home / "uploads", store.objects)
        self.placing = Placing(store, place or matcher())
        self._key = hub_key(store)
        self.memory = Memory(store.seam, MEMORY_S)
        self._claims = Claims(store, self._key, self.memory)
        self._endings = Endings(store, self._key, self.uploads)
        self._told: set[tuple[str, str]] = set()
        self._told_of: dict[str, tuple[int, int]] = {}
        """By site: in which hour how many refusals were recorded."""
        self.counts = Counts()
        self._placed_s = float("-inf")
        self._place = threading.Lock()

    def enrol(self, said: Enrol) -> dict[str, Any]:
        """A token for a secret, once. Raises Refused, Invalid."""
        capacity = read_capacity(said.capacity)
        site, secret = self.store.sites.join(said.token, said.driver, capacity.to_json())
        return {"site": site.name, "project": site.project, "secret": secret, "party": site.party}

    def site(self, authorization: str) -> Site:
        """The site of an `Authorization: Bearer ts-...` header. Raises Refused."""
        return self.store.sites.check(_secret(authorization))

    def sync(self, authorization: str, said: Sync) -> dict[str, Any]:
        """One round of the site that speaks. Raises Refused where none does, Invalid on a capacity that is none, Conflict where
        another agent speaks for it."""
        capacity = None if said.capacity is None else read_capacity(said.capacity).to_json()
        lease_s = max(self.terms.lease_s, 4 * said.pace_s)
        self.store.jobs.wall.heed()
        with self.store.database.batch():
            site = self.store.sites.heard(_secret(authorization), said.boot, said.want, capacity)
            actors = self._actors(site)
            answers = self._ended(site, actors, said, lease_s)
            words = self._words(site, actors, said, answers, lease_s)
            self._wiped(site, actors, said)
            self._used(site, said)
        if said.want:
            self.place_now_and_then()
        claims = self._claimed(site, actors, said, lease_s) if said.want else []
        for answer in answers:
            if answer.refusal is not None:
                self.tell_once(site, str(answer.body["attempt"]), answer.refusal)
        return {
            "sync": VERSION, "now_ms": self.store.seam.now_ms(), "lease_s": lease_s, "pace_s": self._pace_s(),
            "words": [{"attempt": a, "word": w} for a, w in words.items()], "ended": [a.body for a in answers], "claims": claims,
        }  # fmt: skip

    def _actors(self, site: Site) -> Mapping[str, Actor]:
        return self.memory.recall(("actors", site.party), lambda: self.store.sites.actors(site))

    def _ended(self, site: Site, actors: Mapping[str, Actor], said: Sync, lease_s: float) -> list[Answer]:
        known = self.store.site_attempts.find(site.name, [e.attempt for e in said.ended])
        return [self._endings.take(site, actors, known.get(e.attempt), e, lease_s) for e in said.ended]

    def _words(
        self, site: Site, actors: Mapping[str, Actor], said: Sync, answers: list[Answer], lease_s: float
    ) -> dict[str, str]:
        """Words on what is held. What ended but for its bytes is held too, and gets no word of its own."""
        tokens = {e.attempt: e.token for e in said.ended}
        sending = [str(a.body["attempt"]) for a in answers if a.needs_bytes]
        told = [_told(h) for h in said.held] + [Told(a, tokens[a], is_running=True) for a in sending]
        if not told:
            return {}
        words: dict[str, str] = dict(self.store.site_attempts.renew(actors, site.name, told, lease_s))
        return {h.attempt: words[h.attempt] for h in said.held}

    def _claimed(self, site: Site, actors: Mapping[str, Actor], said: Sync, lease_s: float) -> list[dict[str, Any]]:
        """What was handed out in an answer that got lost comes again; then what is new."""
        if not self.store.site_attempts.has_work_for(site.name):
            return []
        named = {h.attempt for h in said.held} | {e.attempt for e in said.ended}
        with self.store.database.batch():
            again = [k for k in self.store.site_attempts.handed_out(site.name) if k.claim.attempt not in named]
            found = [
                c for k in again if k.claim.project in actors for c in self._claims.give(site, actors[k.claim.project], k.claim)
            ]
            want = min(said.want, MOST_CLAIMS) - len(found)
            return found + self._claims.take(site, actors, want, lease_s)

    def _wiped(self, site: Site, actors: Mapping[str, Actor], said: Sync) -> None:
        """Receipts of staging that was wiped become Events."""
        known = self.store.site_attempts.find(site.name, [w.attempt for w in said.wiped])
        for one in said.wiped:
            project = known[one.attempt].claim.project if one.attempt in known else ""
            if project in actors and self._is_new(f"wiped {one.attempt}", ""):
                with self.store.database.write() as connection:
                    body = {"files": one.files, "bytes": one.bytes, "sha256": one.sha256}
                    self.store.events.emit(connection, actors[project], "staging.wiped", [one.attempt, site.name], body)

    def _used(self, site: Site, said: Sync) -> None:
        """What Attempts used goes to the ledger, as far as it can be believed; more devices than were given is a lie that is told."""
        if not said.usage:
            return
        reports = [Report(u.attempt, u.token, u.elapsed_s, u.devices, u.model, u.energy_wh) for u in said.usage]
        with self.store.database.write() as connection:
            take_usage(connection, self.store.seam.now_ms(), site, reports)
        known = self.store.site_attempts.find(site.name, [u.attempt for u in said.usage])
        for one in said.usage:
            lie = _lie(one, read_spec(known[one.attempt].claim.envelope.payload)) if one.attempt in known else ""
            if lie and self._is_new(f"lied {one.attempt}", ""):
                self.store.sites.lied(site, "used-more", f"{one.attempt}: {lie}")

    def place_now_and_then(self) -> None:
        """A decision is good for all agents that come within a second; who comes while one is made goes on without."""
        if self._place.acquire(blocking=False):
            try:
                now_s = self.store.seam.monotonic_s()
                pace_s = self.terms.place_pace_s * self._pace_s() / self.terms.pace_s  # as agents come more rarely, so is decided
                if now_s - self._placed_s >= pace_s:
                    self._placed_s = now_s
                    self.placing.round()
            finally:
                self._place.release()

    def _pace_s(self) -> float:
        """How soon the agent should come again."""
        count = self.memory.recall(("sites", ""), lambda: len(self.store.sites.list()))
        return max(self.terms.pace_s, round(count / ROUNDS_PER_S, 1))

    def may_fetch(self, site: Site, text: str, sha256: str) -> None:
        """Returns where the capability lets the site fetch an object now. Raises Refused."""
        given = read(self._key, text, site.name, "down", self.store.seam.now_ms())
        self._require_held(site, given)
        if sha256 not in given.assets and not self.store.assets.holds_file(given.assets, sha256):
            raise _not_listed(sha256)

    def may_send(self, site: Site, text: str, sha256: str) -> tuple[str, int]:
        """Attempt and size in bytes for which the capability lets the site send an object now. Raises Refused."""
        given = read(self._key, text, site.name, "up", self.store.seam.now_ms())
        self._require_held(site, given)
        size_bytes = (given.files or {}).get(sha256)
        if size_bytes is None:
            raise _not_listed(sha256)
        return given.attempt, size_bytes

    def _require_held(self, site: Site, given: Capability) -> None:
        if not self.store.site_attempts.holds(site.name, given.attempt):
            raise Refused("ended-attempt", f"{given.attempt} has ended here", "stop: its work is discarded")

    def tell_once(self, site: Site, subject: str, error: TouyanError) -> None:
        """Records a refusal, once while this process runs, and of one site no more than MOST_TOLD an hour: it chooses the subjects, and
        could fill the log with them."""
        hour = self.store.seam.now_ms() // 3_600_000
        last, count = self._told_of.get(site.name, (hour, 0))
        count = count if last == hour else 0
        if count < MOST_TOLD and self._is_new(f"{site.name} {subject}", error.code):
            self._told_of[site.name] = (hour, count + 1)
            actor = self.store.parties.actor(site.party, site.project)
            self.store.gate.tell(actor, "access.refused", [site.name, subject], error)

    def _is_new(self, subject: str, what: str) -> bool:
        if len(self._told) > 100_000:
            self._told.clear()
        is_new = (subject, what) not in self._told
        self._told.add((subject, what))
        return is_new


def _secret(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def hub_key(store: Store) -> bytes:
    """The secret under which this store's capabilities stand."""
    path = store.home / "keys" / "hub.secret"
    if not path.exists():
        write_secret(path, store.seam.token(32))  # where another process was first, its secret stands
    return bytes.fromhex(path.read_text().strip())


def _told(held: HeldAttempt) -> Told:
    said = held.progress
    return Told(
        held.attempt, held.token, held.state == "running", progress_text(said.done, said.total, said.unit) if said else ""
    )


def _lie(used: Used, spec: JobSpec) -> str:
    """What a site says it used beyond what the Job may have; empty where that can be true."""
    asked = {a.model: a.count * spec.need.gang for a in spec.need.accelerators}
    if used.model in ("", CORE):
        return ""
    if used.model not in asked:
        return f"it names {used.model}, which the job does not ask for"
    return (
        f"it names {used.devices} devices, and the job asks for {asked[used.model]}" if used.devices > asked[used.model] else ""
    )


def _not_listed(sha256: str) -> Refused:
    return Refused("not-listed", f"the capability does not list {sha256[:12]}", "use the one of the last sync for this attempt")
