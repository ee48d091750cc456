"""Continuous batching: one engine, one thread, many requests (Orca: Yu et al., OSDI 2022).

Each step advances all active sequences by one token in one batch; a request joins between two steps and leaves when it ends,
is cancelled or the engine closes. Knows nothing of HTTP, text or permits. Invariants: only the thread touches the engine;
every ticket that is not cancelled gets exactly one end; a cancelled one takes no further step; the queue is bounded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from touyan.core.errors import Broken, Refused, TouyanError
from touyan.flow.backend import Engine, Sampling
from touyan.flow.backend import Sequence as Generation

T = TypeVar("T")
End = Literal["stop", "length"]


@dataclass(slots=True, eq=False)
class Ticket:
    """One request for tokens. The two callbacks run on the engine's thread: they must be quick."""

    prompt_ids: Sequence[int]
    sampling: Sampling
    max_tokens: int
    on_token: Callable[[int], None]
    on_end: Callable[[End | TouyanError], None]
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Takes no further step; what was computed is let go. Safe from any thread, any number of times."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()


class Batch:
    """The engine's thread and its queue."""

    def __init__(self, engine: Engine, width: int, waiting: int) -> None:
        self._engine = engine
        self._width = width
        self._limit = waiting
        self._waiting: deque[Ticket] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._active: dict[Ticket, Generation] = {}
        self._changed = threading.Condition()
        self._closed: TouyanError | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        """Queues a request. Raises Refused where the queue is full or the engine was closed."""
        with self._changed:
            self._require_room(len(self._waiting))
            self._waiting.append(ticket)
            self._changed.notify()

    def call(self, work: Callable[[Engine], T]) -> Future[T]:
        """Runs `work` on the engine's thread between two steps: for classification."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                if self._closed is not None:
                    raise self._closed
                future.set_result(work(self._engine))
            except Exception as error:  # whatever the engine raises belongs to whoever asked
                future.set_exception(error if isinstance(error, TouyanError) else _broken(error))

        with self._changed:
            self._require_room(len(self._calls))
            self._calls.append(run)
            self._changed.notify()
        return future

    def close(self, reason: TouyanError, wait_s: float = 10.0) -> None:
        """Ends all requests with `reason` after the step in progress, and the thread with them."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(wait_s)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def active(self) -> int:
        """Sequences in the batch."""
        return len(self._active)

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return len(self._waiting)

    def _require_room(self, length: int) -> None:
        if self._closed is not None:
            raise self._closed
        if length >= self._limit:
            raise Refused("busy", f"{length} requests wait already", "try again in some seconds")

    def _run(self) -> None:
        try:
            while self._closed is None:
                self._turn()
        except Exception as error:  # an engine in an unknown state answers nobody any more
            with self._changed:  # or a request that was let in a moment before would be queued after the last look
                self._closed = _broken(error)
        self._do_calls()
        for ticket in (*self._active, *self._waiting):
            ticket.on_end(self._closed)
        self._active.clear()
        self._waiting.clear()

    def _turn(self) -> None:
        self._rest()
        self._do_calls()
        self._admit()
        self._leave_cancelled()
        self._step()

    def _rest(self) -> None:
        with self._changed:
            while self._closed is None and not (self._waiting or self._active or self._calls):
                self._changed.wait()

    def _do_calls(self) -> None:
        while self._calls:
            self._calls.popleft()()

    def _admit(self) -> None:
        while self._waiting and len(self._active) < self._width:
            ticket = self._waiting.popleft()
            if ticket.is_cancelled:
                continue
            try:
                self._active[ticket] = self._engine.start(ticket.prompt_ids, ticket.sampling, ticket.max_tokens)
            except Exception as error:  # a prompt that does not fit concerns this request alone
                ticket.on_end(error if isinstance(error, TouyanError) else _broken(error))

    def _leave_cancelled(self) -> None:
        for ticket in [t for t in self._active if t.is_cancelled]:
            self._engine.end(self._active.pop(ticket))
        for ticket in [t for t in self._waiting if t.is_cancelled]:
            self._waiting.remove(ticket)

    def _step(self) -> None:
        if not self._active:
            return
        batch = list(self._active.items())
        try:
            tokens = self._engine.step([generation for _, generation in batch])
        except Exception as error:  # one batch, one arithmetic: all its requests fail together, the service goes on
            for ticket, generation in batch:
                self._end(ticket, error if isinstance(error, TouyanError) else _broken(error))
                self._engine.end(generation)
            return
        for (ticket, generation), token in zip(batch, tokens, strict=True):
            if token is not None:
                ticket.on_token(token)
            if generation.finish is not None:
                self._end(ticket, generation.finish)

    def _end(self, ticket: Ticket, end: End | TouyanError) -> None:
        del self._active[ticket]
        ticket.on_end(end)


def _broken(error: Exception) -> Broken:
    broken = Broken(
        "engine-failed", f"the engine failed: {type(error).__name__}: {error}"[:300], "report it with the log of the service"
    )
    broken.__cause__ = error
    return broken
