"""An engine in virtual time: payloads wait, begin, end in all the ways there are, and fence themselves by the rule of the wrapper.

Owns what really ran and when, which nobody of the network knows. Knows nothing of hubs. Invariant: a payload hears its agent only by
its heartbeat, through `compute.wrapper.pulse`, and measures silence by its node's own monotonic clock.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from chaos_time import Clock, Time

from touyan.compute.driver import Exit, Order
from touyan.compute.folder import MARK, AttemptFolder, newest_checkpoint, write_json, write_mark
from touyan.compute.wrapper import pulse

LONGEST_QUEUE_S = 20.0
STOP_S = 10.0
"""A payload may take so long to die."""

Fate = Literal["finishes", "crashes", "is killed", "outlives"]
FATES: tuple[Fate, ...] = ("finishes",) * 16 + ("crashes", "is killed", "is killed", "outlives")  # type: ignore[assignment]


@dataclass
class Payload:
    """One payload; times are true ones."""

    order: Order
    site: str
    fate: Fate
    begins_s: float
    lasts_s: float
    heard_s: float
    """By the node's clock."""
    began_s: float | None = None
    ended_s: float | None = None
    dies_s: float | None = None
    """When it was told to stop, the time at which it will have."""
    exit: Exit | None = None

    @property
    def job(self) -> str:
        return self.order.attempt.rpartition("-")[0]


@dataclass
class Engine:
    """What runs at one site; agents come and go."""

    site: str
    time: Time
    clock: Clock
    """Of its nodes."""
    dice: Random
    longest_s: float = 60.0
    payloads: dict[str, Payload] = field(default_factory=dict)
    started_twice: int = 0

    def running(self) -> list[Payload]:
        return [p for p in self.payloads.values() if p.exit is None]

    def take(self, order: Order) -> None:
        if order.attempt in self.payloads:
            self.started_twice += 1
            return
        begins_s = self.time.now_s + self.dice.uniform(0, LONGEST_QUEUE_S)
        fate, lasts_s = self.dice.choice(FATES), self.dice.uniform(1, self.longest_s)
        self.payloads[order.attempt] = Payload(order, self.site, fate, begins_s, lasts_s, self.clock.monotonic_s())

    def tick(self) -> None:
        """What the wrappers do."""
        for payload in self.running():
            self._hear(payload)
            if payload.began_s is None and payload.dies_s is None:
                self._begin_when_due(payload)
            else:
                self._end_when_due(payload)

    def _hear(self, payload: Payload) -> None:
        folder = AttemptFolder(payload.order.root)
        beat, _ = pulse(folder)
        if beat:
            payload.heard_s = self.clock.monotonic_s()
            os.utime(folder.heartbeat, ns=(0, 0))  # the file system's own clock is too coarse for virtual time

    def _is_silent(self, payload: Payload) -> bool:
        return self.clock.monotonic_s() - payload.heard_s > payload.order.limits.lease_s

    def _begin_when_due(self, payload: Payload) -> None:
        if self.time.now_s < payload.begins_s:
            return
        if self._is_silent(payload):
            self.end(payload, Exit("fenced", 0, "was ended because its agent fell silent"))
            return
        payload.began_s = self.time.now_s
        self._stamp(payload.order.root / "started")

    def _end_when_due(self, payload: Payload) -> None:
        ran_s = self.time.now_s - (self.time.now_s if payload.began_s is None else payload.began_s)
        if payload.dies_s is not None:
            if self.time.now_s >= payload.dies_s:
                self.end(payload, Exit("stopped", 0, "was told to stop"))
        elif self._is_silent(payload):
            self.end(payload, Exit("fenced", 0, "was ended because its agent fell silent"))
        elif ran_s > payload.order.limits.limit_s:
            self.end(payload, Exit("time", 0, "exceeded its time limit"))
        elif ran_s > payload.lasts_s and payload.fate != "outlives":
            self._come_to_its_end(payload)

    def _come_to_its_end(self, payload: Payload) -> None:
        if payload.fate == "finishes":
            self._write_result(payload)
            self.end(payload, Exit("exit", 0, "ended with status 0"))
        elif payload.fate == "crashes":
            self.end(payload, Exit("exit", 1, "ended with status 1"))
        else:
            self._write_checkpoint(payload)
            self.end(payload, Exit("signal", 9, "was ended by SIGKILL"))

    def _write_result(self, payload: Payload) -> None:
        folder = AttemptFolder(payload.order.root)
        (folder.out / "out.txt").write_text(f"made of {payload.job}")
        write_json(folder.file("telemetry"), {"telemetry": {"wall_ms": 1}, "environment": {"python": "3"}})
        write_json(folder.file("done"), {"done": 1, "counts": {"texts": 1}})

    def _write_checkpoint(self, payload: Payload) -> None:
        folder = AttemptFolder(payload.order.root)
        newest = newest_checkpoint(folder.checkpoints)
        target = folder.checkpoints / str(newest[0] + 1 if newest else 1)
        target.mkdir()
        (target / "state").write_text(f"{payload.job} at {target.name}")
        write_mark(folder.checkpoints / f"{target.name}{MARK}", target, [target / "state"])

    def stop(self, payload: Payload) -> None:
        """Tells a payload to end, which takes it a while."""
        if payload.exit is None and payload.dies_s is None:
            payload.dies_s = self.time.now_s + self.dice.uniform(0, STOP_S)

    def end(self, payload: Payload, end: Exit, *, is_told: bool = True) -> None:
        payload.exit, payload.ended_s = end, self.time.now_s
        path = payload.order.root / "exit.json"
        if is_told and path.parent.exists():
            write_json(path, asdict(end))
            self._stamp(path)

    def _stamp(self, path: Path) -> None:
        path.touch()
        at_s = self.clock.now_ms() / 1000
        os.utime(path, (at_s, at_s))


class EngineDriver:
    """One agent's view of an engine: `touyan.compute.driver.Driver`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, order: Order) -> None:
        self._engine.take(order)

    def adopt(self, order: Order) -> bool:
        return order.attempt in self._engine.payloads

    def wait(self, attempt: str, timeout_s: float) -> Exit | None:
        return self._engine.payloads[attempt].exit

    def stop(self, attempt: str) -> None:
        self._engine.stop(self._engine.payloads[attempt])

    def sweep(self, attempt: str) -> None:
        payload = self._engine.payloads.get(attempt)
        if payload is not None and payload.exit is None:
            self._engine.end(payload, Exit("signal", 9, "was swept"))
