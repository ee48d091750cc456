"""One request for text, from a checked body to a finished answer: cleared, asked, written, labelled, metered, kept.

Knows the order of these and nothing of HTTP. Invariants: what was computed is metered once, however the answer ended; no
generated text leaves without its label, not even when it is broken off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from touyan.core.errors import Invalid, Missing, TouyanError
from touyan.flow.backend import Sampling
from touyan.service import reply
from touyan.service.address import Opened
from touyan.service.door import Caller
from touyan.service.label import NOTICE, around, marked, write_label
from touyan.service.prompt import Message, Prompt, plain
from touyan.service.refusals import body_of
from touyan.service.running import Running
from touyan.service.settings import Limits
from touyan.service.wire import Chat, Completion, Generation
from touyan.service.writing import Ask, Writing, encode
from touyan.store.answers import Answer
from touyan.store.services import Use

_PREFIX: Mapping[reply.Kind, str] = {"completion": "cmpl", "chat": "chatcmpl"}


@dataclass(slots=True)
class Answering:
    """One answer on its way."""

    running: Running
    caller: Caller
    opened: Opened
    prompt: Prompt
    head: reply.Head
    seed: int
    prompt_tokens: int
    writing: Writing
    _booked: Future[None] | None = field(default=None)

    async def whole(self) -> dict[str, Any]:
        """The finished answer."""
        try:
            text = await self.writing.whole()
        finally:
            booked = self.book()
        await asyncio.wrap_future(booked)
        delivered = marked(text, self.running.settings.label)
        return reply.whole(self.head, delivered, self.writing.finish or "stop", self._usage(), self.about(delivered))

    async def events(self, include_usage: bool) -> AsyncIterator[str]:
        """The answer as server-sent events. Close it to free the sequence."""
        before, after = around(self.running.settings.label)
        try:
            yield reply.first(self.head) + (reply.piece(self.head, before) if before else "")
            async for text in self.writing.pieces():
                yield reply.piece(self.head, text)
            await asyncio.wrap_future(self.book())
            yield self._ending(before, after, include_usage)
        except TouyanError as error:
            yield (reply.piece(self.head, after) if after else "") + reply.failed(body_of(error, self.head.id))
        finally:
            self.book()

    def _ending(self, before: str, after: str, include_usage: bool) -> str:
        about = self.about(before + self.writing.text + after)
        parts = [reply.piece(self.head, after) if after else "", reply.last(self.head, self.writing.finish or "stop", about)]
        return "".join([*parts, reply.counted(self.head, self._usage()) if include_usage else "", reply.DONE])

    def about(self, delivered: str | None) -> dict[str, Any]:
        """The `touyan` field. Without a text, as in the header of a stream, the label is not signed."""
        cleared, signer = self.opened.cleared, None if delivered is None else self.running.signer
        about = about_model(self.running, self.opened) | {
            "seed": self.seed,
            "notice": NOTICE,
            "conditions": list(cleared.conditions),
        }
        if self.prompt.template:
            about["template"] = self.prompt.template
        return about | {"aigc": write_label(self.running.producer, self.head.id, delivered or "", signer)}

    def book(self) -> Future[None]:
        """Frees the sequence and writes down what was used, once."""
        self.writing.stop()
        if self._booked is None:
            cleared, name = self.opened.cleared, self.running.name
            use = Use(name, cleared.model, cleared.permit, self.caller.key.id, self.prompt_tokens, self.writing.tokens)
            answer = Answer(self.head.id, name, cleared.model, cleared.permit, self.prompt.words, self.writing.text)
            self._booked = self.running.ledger.write(self.caller.key, use, [answer] if self.writing.tokens else [])
        return self._booked

    def _usage(self) -> reply.Usage:
        return reply.Usage(self.prompt_tokens, self.writing.tokens)


async def begin(running: Running, caller: Caller, body: Completion | Chat) -> Answering:
    """Clears, asks and queues a request. Raises Refused, Invalid or Missing before a byte of the answer is sent."""
    opened = await asyncio.to_thread(running.address.for_caller, caller.actor.party)
    require_name(running, opened, body.model)
    kind: reply.Kind = "chat" if isinstance(body, Chat) else "completion"
    prompt = _chat_prompt(opened, body, running.settings.limits) if isinstance(body, Chat) else Prompt(body.text, body.text)
    ids = await asyncio.to_thread(encode, opened.engine, prompt, running.settings.limits.prompt_tokens)
    seed = (body.seed if body.seed is not None else int(running.store.seam.token(4), 16)) % 2**63
    writing = Writing(opened.batch, opened.engine.tokenizer, _ask(body, prompt, ids, seed, running.settings.limits))
    seam = running.store.seam
    head = reply.Head(f"{_PREFIX[kind]}-{seam.token(16)}", kind, seam.now_ms() // 1000, opened.model)
    writing.start()
    return Answering(running, caller, opened, prompt, head, seed, len(ids), writing)


def about_model(running: Running, opened: Opened) -> dict[str, Any]:
    """What every answer says of the model that gave it."""
    cleared = opened.cleared
    return {
        "service": running.name,
        "model": cleared.model,
        "permit": cleared.permit,
        "permit_kind": cleared.kind,
        "demo": cleared.is_demo,
    }


def require_name(running: Running, opened: Opened, asked: str) -> None:
    """Who asks for the service gets what it serves; who asks for one model gets that or an error. Raises Missing."""
    model = opened.model
    if asked in ("", running.name) or (len(asked) >= 12 and model.startswith(asked)):
        return
    hint = f"ask for {running.name!r} to get whatever it serves; see: GET /v1/models"
    raise Missing("model-not-served", f"the model {asked[:80]!r} is not served here", hint)


def _chat_prompt(opened: Opened, body: Chat, limits: Limits) -> Prompt:
    if len(body.messages) > limits.messages:
        raise Invalid("too-many-messages", f"{len(body.messages)} messages, {limits.messages} are allowed", "shorten the chat")
    roles = {"developer": "system"}
    messages = [Message(roles.get(t.role, t.role), t.text) for t in body.messages]
    return plain(messages) if opened.template is None else opened.template.prompt(messages)


def _ask(body: Generation, prompt: Prompt, ids: list[int], seed: int, limits: Limits) -> Ask:
    given = body.max_completion_tokens if isinstance(body, Chat) else None
    most = given or body.max_tokens or min(limits.default_max_tokens, limits.max_tokens)
    if most > limits.max_tokens:
        raise Invalid("too-many-tokens", f"max_tokens is {most}, {limits.max_tokens} are allowed", "ask for fewer tokens")
    if len(body.stops) > limits.stop_strings or any(len(s) > limits.stop_characters for s in body.stops):
        limit = f"{limits.stop_strings} stop strings of {limits.stop_characters} characters are allowed"
        raise Invalid("too-many-stops", limit, "give fewer or shorter ones")
    temperature = 1.0 if body.temperature is None else body.temperature
    sampling = Sampling(temperature, 1.0 if body.top_p is None else body.top_p, 0, seed)
    return Ask(ids, sampling, most, body.stops + prompt.stops, limits.request_s)
