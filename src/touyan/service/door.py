"""The door of a service: whose key is this, may its holder call, and is it within its limits?

Owns the counts of a running process; they begin at zero with it. Knows nothing of models. Invariant: nobody passes without a key
that holds now, in this project, of a party with the verb `call`.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Missing, Refused
from touyan.core.party import Actor
from touyan.service.memory import Memory
from touyan.service.settings import Limits
from touyan.store.api_keys import ApiKey, missing_key
from touyan.store.home import Store
from touyan.store.policy import Thing, require


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling."""

    key: ApiKey
    actor: Actor


class Door:
    """The door of one service."""

    def __init__(self, store: Store, project: str, name: str, limits: Limits, memory: Memory) -> None:
        self._store = store
        self._memory = memory
        self._thing = Thing("service", name, project)
        self._limits = limits
        self._lock = threading.Lock()
        self._inside: dict[str, int] = defaultdict(int)
        self._tokens: dict[str, tuple[float, float]] = {}
        self._told: set[str] = set()

    def caller(self, authorization: str | None) -> Caller:
        """Who holds the key in an `Authorization: Bearer` header. Raises Refused."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise missing_key()
        secret = secret.strip()
        return self._memory.recall(("caller", sha256_hex(secret.encode("utf-8", "surrogatepass"))), lambda: self._ask(secret))

    def _ask(self, secret: str) -> Caller:
        key = self._store.api_keys.check(secret)
        try:
            actor = self._store.api_keys.actor(key)
        except Missing as error:
            raise Refused("wrong-key", "the holder of this API key is gone", "ask for a new key") from error
        try:
            require(actor, "call", self._thing)
        except Refused as refusal:
            self._tell_once(key, actor, refusal)
            raise
        return Caller(key, actor)

    def _tell_once(self, key: ApiKey, actor: Actor, refusal: Refused) -> None:
        """Records that a key was refused; once while the service runs, or its holder could fill the log."""
        with self._lock:
            is_new = key.id not in self._told
            self._told.add(key.id)
        if is_new:
            self._store.gate.tell(actor, "access.refused", [key.id], refusal, {"verb": "call", "service": self._thing.id})

    @property
    def inside(self) -> int:
        """Requests that have a place now."""
        return sum(self._inside.values())

    @contextmanager
    def place(self, caller: Caller) -> Generator[None]:
        """A place for one request of the key, given back at its end. Raises Refused beyond a limit."""
        key = caller.key.id
        self._enter(key)
        try:
            yield
        finally:
            with self._lock:
                self._inside[key] -= 1
                if not self._inside[key]:
                    del self._inside[key]

    def _enter(self, key: str) -> None:
        with self._lock:
            if self._inside.get(key, 0) >= self._limits.concurrent:
                hint = "wait until one of them has ended"
                raise Refused("too-many-at-once", f"this key has {self._limits.concurrent} requests running", hint)
            self._take(key)
            self._inside[key] += 1

    def _take(self, key: str) -> None:
        """A token bucket that fills with the rate and holds one minute of it."""
        rate, now_s = self._limits.requests_per_minute, self._store.seam.monotonic_s()
        left, at_s = self._tokens.get(key, (float(rate), now_s))
        left = min(float(rate), left + (now_s - at_s) * rate / 60)
        if left < 1:
            raise Refused(
                "rate-limit", f"this key is limited to {rate} requests a minute", f"wait {(1 - left) * 60 / rate:.1f} s"
            )
        self._tokens[key] = (left - 1, now_s)
