"""One answer being written: from the tokens of the engine's thread to pieces of text on the event loop.

Knows tokens, stop strings and the time limit; nothing of JSON or labels. Invariants: when the reader goes away, the sequence is
freed; `text` is always what was given out so far.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from touyan.core.errors import Broken, Invalid, Missing, TouyanError
from touyan.flow.backend import Engine, Sampling, Tokenizer
from touyan.service.batch import Batch, End, Ticket
from touyan.service.prompt import Prompt
from touyan.service.text import UNFINISHED, Decoder, Stopper


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be written."""

    prompt_ids: Sequence[int]
    sampling: Sampling
    max_tokens: int
    stops: tuple[str, ...]
    limit_s: float


class Writing:
    """One answer, and how far it is. Made and used on an event loop."""

    def __init__(self, batch: Batch, tokenizer: Tokenizer, ask: Ask) -> None:
        self._decoder = Decoder(tokenizer)
        self._stopper = Stopper(ask.stops)
        self._limit_s = ask.limit_s
        self._loop = asyncio.get_running_loop()
        # Bounded by max_tokens: a reader who is slow costs a list of integers, and the engine does not wait for it.
        self._queue: asyncio.Queue[int | End | TouyanError] = asyncio.Queue()
        self._ticket = Ticket(ask.prompt_ids, ask.sampling, ask.max_tokens, self._tell, self._tell)
        self._batch = batch
        self.text = ""
        self.tokens = 0
        self.finish: End | None = None

    def start(self) -> None:
        """Asks the engine. Raises Refused where it has no room or was closed."""
        self._batch.submit(self._ticket)

    def stop(self) -> None:
        """Frees the sequence; safe at any time, any number of times."""
        self._ticket.cancel()

    async def pieces(self) -> AsyncIterator[str]:
        """Pieces of text as they come. Raises the reason where it was ended from outside."""
        alarm = self._loop.call_later(self._limit_s, self._queue.put_nowait, _too_late(self._limit_s))
        try:
            while self.finish is None:
                piece = self._take(await self._queue.get())
                self.text += piece
                if piece:
                    yield piece
        finally:
            alarm.cancel()
            self.stop()

    async def whole(self) -> str:
        """The whole text."""
        async for _ in self.pieces():
            pass
        return self.text

    def _tell(self, item: int | End | TouyanError) -> None:
        """Called on the engine's thread."""
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:  # the loop has ended, so nobody waits for this answer any more
            self.stop()

    def _take(self, item: int | End | TouyanError) -> str:
        if isinstance(item, TouyanError):
            raise item
        if isinstance(item, int):
            self.tokens += 1
            piece = self._stopper.feed(self._decoder.feed(item))
        else:
            self.finish = item
            rest = self._decoder.rest()
            # A limit may fall inside a character of several tokens: half a character is no text.
            piece = self._stopper.feed(rest.rstrip(UNFINISHED) if item == "length" else rest) + self._stopper.rest()
        if self._stopper.is_stopped:
            self.finish = "stop"
        return piece


def encode(engine: Engine, prompt: Prompt, limit: int) -> list[int]:
    """Token ids of a prompt within `limit` and the model's context. Raises Invalid, or Missing where the model does not write."""
    if "generate" not in engine.tasks:
        raise Missing("cannot-generate", "the model that is served does not write text", "use POST /v1/classify")
    ids = prompt.ids(engine.tokenizer)
    most = min(limit, engine.context_tokens - 1) if engine.context_tokens else limit
    if len(ids) > most:
        raise Invalid("prompt-too-long", f"the prompt has {len(ids)} tokens, {most} are allowed", "shorten the prompt")
    return ids


def _too_late(limit_s: float) -> Broken:
    return Broken(
        "timeout",
        f"the answer was not finished after {limit_s:g} s",
        "ask for fewer tokens, or try again when there is less to do",
    )
