"""A service for tests: a model Asset with rights, a review, a permit and a binding, over an engine that plays with bytes.

The engine is a fake of `flow.backend.Engine`: its text depends on prompt, seed and position alone, as the seam promises.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from touyan.core.party import Actor
from touyan.core.permit import Permit, Scope
from touyan.core.review import PermitKind, Subject
from touyan.core.rights import PURPOSES, Rights
from touyan.core.seam import iso
from touyan.flow.backend import Sampling, Task
from touyan.service.run import listen_on
from touyan.service.running import Running
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit

CLEARED = Rights(
    authority="own-production",
    personal="none",
    personal_state="none",
    security="public",
    purposes=PURPOSES,
    evidence=("made here",),
)
NAME = "laws"
DAY_MS = 24 * 3600 * 1000


class Bytes:
    """A tokenizer whose tokens are bytes, with one token before every text."""

    def encode(self, text: str) -> list[int]:
        return [256, *text.encode()]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(i for i in ids if i < 256).decode(errors="replace")


@dataclass(eq=False)
class Turning:
    """A sequence that writes a fixed answer, or digits made of its seed."""

    prompt_tokens: int
    plan: bytes
    ends_with: str
    tokens: list[int] = field(default_factory=list)
    finish: str | None = None


@dataclass
class FakeEngine:
    """Writes `answer`, or without one endless digits that depend on prompt and seed. `hold` stops its steps until it is set."""

    answer: str | None = None
    tasks: frozenset[Task] = frozenset({"generate", "classify"})
    context_tokens: int = 4096
    model_id: str = "fake"
    hold: threading.Event | None = None
    breaks: Exception | None = None
    batches: list[int] = field(default_factory=list)
    ended: list[Turning] = field(default_factory=list)
    tokenizer: Bytes = field(default_factory=Bytes)

    def start(self, prompt_ids: Sequence[int], sampling: Sampling, max_tokens: int) -> Turning:
        plan = self.answer.encode()[:max_tokens] if self.answer is not None else _digits(prompt_ids, sampling.seed, max_tokens)
        is_whole = self.answer is not None and len(self.answer.encode()) <= max_tokens
        return Turning(len(prompt_ids), plan, "stop" if is_whole else "length")

    def step(self, sequences: Sequence[Turning]) -> list[int | None]:
        if self.hold is not None:
            self.hold.wait(20)
        if self.breaks is not None:
            raise self.breaks
        self.batches.append(len(sequences))
        return [self._one(s) for s in sequences]

    def end(self, sequence: Turning) -> None:
        self.ended.append(sequence)

    def _one(self, sequence: Turning) -> int | None:
        if len(sequence.tokens) == len(sequence.plan):
            sequence.finish = sequence.ends_with
            return None
        token = sequence.plan[len(sequence.tokens)]
        sequence.tokens.append(token)
        if len(sequence.tokens) == len(sequence.plan):
            sequence.finish = sequence.ends_with
        return token

    def score(self, texts: Sequence[str]) -> list[float]:
        return [8.0 * len(t.encode()) for t in texts]

    def classify(self, texts: Sequence[str]) -> list[dict[str, float]]:
        return [{"tax": 0.75, "civil": 0.25} if "税" in t else {"tax": 0.1, "civil": 0.9} for t in texts]


def _digits(prompt_ids: Sequence[int], seed: int, n: int) -> bytes:
    start = hashlib.sha256(f"{list(prompt_ids)}{seed}".encode()).hexdigest()
    return (start * (n // 64 + 1)).encode()[:n]


def add_model(store: Store, tmp_path: Path, name: str = "one", rights: Rights | None = CLEARED) -> str:
    """A model Asset whose folder says which fake it is."""
    folder = tmp_path / f"model-{name}"
    folder.mkdir()
    (folder / "touyan.json").write_text(json.dumps({"backend": "fake", "tasks": ["generate"], "name": name}))
    model = store.assets.add_folder(store.me(), "model", folder, name, provider=f"acme/{name}")
    if rights is not None:
        with store.database.write() as connection:
            store.statements.make(connection, store.me(), model, "rights", {"rights": rights.to_json()})
    return model


def permit_for(
    store: Store, model: str, *, scope: Scope | None = None, kind: PermitKind = "release", demo: bool = False, days: int = 30
) -> IssuedPermit:
    """A permit of an approved review, without the rule pack that the room `permit` asks for."""
    me, now_ms = store.me(), store.seam.now_ms()
    subject = Subject(model=model)
    review = store.reviews.request(me, kind, subject, ["model-reviewer"], 1, f"round {now_ms}")
    store.reviews.vote(_reviewer(store), review.id, "approve", "looks fine", "model-reviewer")
    draft = Permit(
        number="", kind=kind, project=me.project, organisation=store.parties.get(me.party).organisation, officer=me.party,
        model=model, corpus="", checks="", evaluation="", review=review.id, submitter=me.party, rule_pack=None, outcomes=(),
        measures=(), winners=(), votes=(), log=None, scope=scope or Scope(), conditions=("keep the notice",), filings=(),
        issued_at=iso(now_ms), expires_at=iso(now_ms + days * DAY_MS), demo=demo,
    )  # fmt: skip
    return store.permits.issue(me, draft)


def _reviewer(store: Store) -> Actor:
    if "rea" not in [p.name for p in store.parties.list()]:
        store.parties.enrol(store.me(), "rea", roles=["reviewer"])
    return store.parties.sign_in("rea")


Opener = Callable[..., FakeEngine]


def opener(*engines: FakeEngine) -> Opener:
    """Opens models with these engines, one after another; the last serves all further ones."""
    left = list(engines)

    def open_model(path: Path, *, threads: int = 0, base: Path | None = None) -> FakeEngine:
        return left.pop(0) if len(left) > 1 else left[0]

    return open_model


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serves `app` on a free loopback port; gives its address."""
    socket = listen_on("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


@dataclass
class Live:
    """A service that runs, and how to call it."""

    store: Store
    app: FastAPI
    url: str
    secret: str
    model: str
    clients: ExitStack = field(default_factory=ExitStack)

    @property
    def running(self) -> Running:
        return self.app.state.running

    def client(self, secret: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {secret or self.secret}"}
        return self.clients.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=30))

    def post(self, path: str, **body: object) -> httpx.Response:
        return self.client().post(path, json=body)


def until(holds: Callable[[], bool], limit_s: float = 20) -> None:
    """Waits for a condition, not for a time."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.005)
