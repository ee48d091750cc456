"""The part of a driver that is the same over every engine that is asked over a network.

Owns the course of a payload between `start` and its Exit: submitted until the engine has it, looked for in one list for all,
lost only after a grace, fenced before it is called gone. Knows nothing of any engine: that is an `Engine`. Works where agent and
nodes see the Attempt's folder under one path. Invariant: no answer from an engine is no news of any payload, and a payload that
may still run is never said to have ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from touyan.compute.driver import Exit, Order
from touyan.compute.drivers.held import Held
from touyan.compute.folder import AttemptFolder
from touyan.compute.launch import Keep
from touyan.core.errors import Broken, TouyanError

LOOK_S = 1.0
"""What is known of an engine is at most this old: one list a second, whatever the number of payloads."""
SILENT_S = 5.0
"""Between two questions to an engine that did not answer: each may take its whole time-out, and hundreds of payloads wait for it."""
LOST_S = 60.0
"""How long an engine may not know a payload that it took: a list read from a replica, a head node that restarts."""
FENCE_S = 10.0
"""Beyond the lease, until a payload whose agent is silent has surely ended: the wrapper looks every 0.2 s, a kill takes a moment."""
SWEEP_S = 60.0

State: TypeAlias = Literal["waiting", "suspended", "running", "leaving", "ended", "unstarted"]
"""waiting: for its resources · suspended: held back, or taken off again, by a queue · leaving: its node is to end it and has not
said so yet · ended: by itself or by its engine · unstarted: the engine gave up before it began."""
MOST_WORDS = 400
"""Of what an engine says about an end: it may quote the whole log."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine says of one payload."""

    state: State
    end: Exit | None = None
    """How it ended, as far as the engine can tell; the wrapper's own `exit.json` tells more."""
    is_certain: bool = True
    """Of `ended`: whether the engine saw the process end. It did not where a node was lost."""


class Unreachable(Broken):
    """The engine did not answer, or not with an answer of its own: whatever was asked may have happened."""

    def __init__(self, engine: str, words: str) -> None:
        super().__init__(
            "engine-unreachable", f"{engine} does not answer: {words}", "see that it runs and can be reached from here"
        )


class Engine(Protocol):
    """A Ray cluster, a Kubernetes cluster. Every call may raise Unreachable; a `place` is a part of it that is listed at once."""

    keep: Keep
    environment: Mapping[str, str]
    """Further variables of every payload."""

    def place(self, account: str) -> str:
        """Where payloads of an account run. Raises Refused where the owner has named no such place."""
        ...

    def places(self) -> Sequence[str]:
        """Every place the owner has named."""
        ...

    def submit(self, order: Order, place: str) -> None:
        """Has a payload started by `compute.launch`; nothing where it is there already. Raises Refused where the engine will not."""
        ...

    def seen(self, place: str) -> Mapping[str, Seen]:
        """All payloads of a place by the id of their Attempt, in one call."""
        ...

    def cancel(self, attempt: str, place: str) -> None:
        """Has a payload ended; quiet where there is none."""
        ...

    def forget(self, attempt: str, place: str) -> None:
        """Drops the record of a payload that has ended; quiet where there is none."""
        ...


class EngineDriver:
    """`touyan.compute.driver.Driver` over an Engine. One for all threads of an agent."""

    def __init__(
        self, engine: Engine, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.trouble: TouyanError | None = None
        """Why the engine could not be asked last; None once it has answered."""
        self._engine = engine
        self._clock = clock
        self._pause = pause
        self._held: dict[str, Held] = {}
        self._lists: dict[str, tuple[float, Mapping[str, Seen] | TouyanError]] = {}
        self._lock = threading.Lock()

    def start(self, order: Order) -> None:
        """Submits a payload, once. Raises Refused where the engine will not take it; an engine that is silent is asked again."""
        if order.attempt in self._held:
            return
        held = self._taken_up(order, is_taken=False)
        held.write(self._engine.keep, self._engine.environment)
        self._submit(held)
        self._held[order.attempt] = held

    def adopt(self, order: Order) -> bool:
        """Takes up what an agent before this one submitted. True also where the engine is silent: then nobody knows yet."""
        if order.attempt in self._held:
            return True
        held = self._taken_up(order, is_taken=True)
        held.recall(self._clock())
        try:
            is_known = order.attempt in self._list(held.place)
        except TouyanError:  # it is in `trouble`
            is_known = True
        if not is_known and not held.has_started():
            return False
        self._held[order.attempt] = held
        return True

    def wait(self, attempt: str, timeout_s: float) -> Exit | None:
        """How the payload ended, or None where it still runs, or may run, after `timeout_s`."""
        held, until_s = self._held[attempt], self._clock() + timeout_s
        while (end := self._look(held)) is None:
            left_s = until_s - self._clock()
            if left_s <= 0:
                return None
            self._pause(min(left_s, LOOK_S))
        end = self._settled(held, end)
        self._quietly(lambda: self._engine.forget(attempt, held.place))
        del self._held[attempt]
        return end

    def stop(self, attempt: str) -> None:
        """Tells wrapper and engine to end a payload; the wrapper hears it also where the engine does not answer."""
        if (held := self._held.get(attempt)) is not None:
            held.is_stopping = True
            held.tell_to_stop()
            self._cancel(held)

    def sweep(self, attempt: str) -> None:
        """Has everything ended that the engine knows of this Attempt. Raises Broken where it goes on."""
        until_s = self._clock() + SWEEP_S
        for place in self._engine.places():
            while (seen := self._engine.seen(place).get(attempt)) is not None and seen.state != "ended":
                if self._clock() > until_s:
                    raise Broken("cannot-kill", f"{attempt} does not end in {place}", "see what the engine says of it")
                self._engine.cancel(attempt, place)
                self._pause(LOOK_S)

    def _taken_up(self, order: Order, is_taken: bool) -> Held:
        return Held(order, AttemptFolder(order.root), self._engine.place(order.account), is_taken)

    def _submit(self, held: Held) -> None:
        """Submits; an engine that does not answer may have taken it, and the next look tells. Raises Refused."""
        try:
            self._engine.submit(held.order, held.place)
        except Unreachable as error:
            self.trouble = error
        else:
            held.is_taken = True
        with self._lock:
            self._lists.pop(held.place, None)  # a list from before does not hold it

    def _list(self, place: str) -> Mapping[str, Seen]:
        """What a place held at most LOOK_S ago. Raises what the engine raised, and asks one that failed again after SILENT_S only."""
        with self._lock:
            asked_s, answer = self._lists.get(place, (-SILENT_S, {}))
            if self._clock() - asked_s >= (SILENT_S if isinstance(answer, TouyanError) else LOOK_S):
                answer = self._ask(place)
                self._lists[place] = (self._clock(), answer)
            if isinstance(answer, TouyanError):
                raise answer
            return answer

    def _ask(self, place: str) -> Mapping[str, Seen] | TouyanError:
        """What a place holds, or why nobody knows."""
        try:
            found = self._engine.seen(place)
        except TouyanError as error:
            self.trouble = error
            return error
        self.trouble = None
        return found

    def _look(self, held: Held) -> Exit | None:
        """How a payload ended, if that is certain."""
        try:
            seen = self._list(held.place).get(held.order.attempt)
        except TouyanError:  # it is in `trouble`
            return self._unheard(held)
        held.is_over("unheard")
        if held.is_stopping:
            self._cancel(held)
        match seen:
            case Seen("ended", end, is_certain):
                return self._ended(held, end or Exit("vanished", 0, "ended without a word"), is_certain)
            case Seen("waiting" | "suspended" | "unstarted") if held.is_stopping and held.forbid_start():
                return Exit("stopped", 0, "was told to stop before it began")
            case Seen("unstarted"):
                return self._again(held)
            case None | Seen("leaving"):
                return self._missing(held)
            case Seen("suspended") if held.has_started():
                return self._missing(held)
        held.is_over("missing")
        held.is_taken = True
        return None

    def _unheard(self, held: Held) -> Exit | None:
        """An engine that is silent ends nothing, but no Job waits for it for ever."""
        if held.lasts_s("unheard", self._clock()) < held.order.limits.limit_s + LOST_S:
            return None
        return self._gone(held, Exit("vanished", 0, "has an engine that was silent for longer than it may run"))

    def _missing(self, held: Held) -> Exit | None:
        """What becomes of a payload that its engine does not know."""
        if not held.is_taken and not held.is_stopping:
            return self._again(held)
        if word := held.word(held.order.gang):
            return word
        if held.lasts_s("missing", self._clock()) < LOST_S and held.has_started():
            return None
        return self._gone(held, Exit("vanished", 0, "is not known to its engine any more"))

    def _again(self, held: Held) -> Exit | None:
        """Submits once more what never began."""
        try:
            if held.is_taken:
                self._engine.forget(held.order.attempt, held.place)
            self._submit(held)
        except Unreachable as error:
            self.trouble = error
        except TouyanError as error:
            return self._gone(held, Exit("vanished", 0, f"was not taken by its engine: {error.message}"))
        return None

    def _ended(self, held: Held, end: Exit, is_certain: bool) -> Exit | None:
        """The wrapper's word before the engine's; but why somebody else ended the payload, only the engine knows."""
        word = held.word(1 if is_certain else held.order.gang)
        if word is None:
            return end if is_certain else self._gone(held, end)
        if word.cause in ("signal", "stopped") and end.cause in ("memory", "time"):
            return replace(end, peak_bytes=word.peak_bytes)
        is_theirs = word.cause == "stopped" and end.cause == "vanished" and not held.is_stopping
        return replace(word, reason=end.reason if is_theirs else word.reason, elapsed_s=end.elapsed_s)

    def _gone(self, held: Held, end: Exit) -> Exit | None:
        """`end`, once nothing can run any more: it never began and now never will, or it had the time to fence itself."""
        if held.forbid_start():
            return end
        if "fenced" not in held.since_s:
            held.tell_to_stop()
            self._cancel(held)
        is_silent = held.lasts_s("fenced", self._clock()) > held.order.limits.lease_s + FENCE_S
        return held.word(held.order.gang) or (end if is_silent else None)

    def _cancel(self, held: Held) -> None:
        if not held.is_cancelled:
            held.is_cancelled = self._quietly(lambda: self._engine.cancel(held.order.attempt, held.place))

    def _settled(self, held: Held, end: Exit) -> Exit:
        """The Exit as it is told, and written where no wrapper wrote one."""
        if held.is_stopping and end.cause in ("signal", "vanished"):
            end = Exit("stopped", 0, "was told to stop", end.peak_bytes)  # the engine's SIGTERM may reach the payload first
        held.conclude(end)
        return end

    def _quietly(self, call: Callable[[], None]) -> bool:
        """Whether a call that can be repeated, or left, got through."""
        try:
            call()
        except TouyanError as error:
            self.trouble = error
            return False
        return True


def exit_of(code: int, said: str) -> Exit:
    """The end of a process that left no `exit.json`: killed, or it could not begin. A shell tells signal n as 128 + n."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number:
        return Exit("signal", number, f"was ended by signal {number}, its wrapper too")
    return Exit("exit", code, f"ended with status {code} before it began: {said[-MOST_WORDS:].strip()}")
