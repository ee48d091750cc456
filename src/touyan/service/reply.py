"""Answers in the shapes of the OpenAI interface, with our `touyan` field beside them.

Pure functions from what was written to JSON and server-sent events. Invariant: every answer that holds generated text holds its
explicit notice and its implicit label.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["completion", "chat"]
DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What every part of one answer repeats."""

    id: str
    kind: Kind
    created_s: int
    model: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request."""

    prompt: int
    completion: int

    def to_json(self) -> dict[str, int]:
        return {"prompt_tokens": self.prompt, "completion_tokens": self.completion, "total_tokens": self.prompt + self.completion}


def whole(head: Head, text: str, finish: str, usage: Usage, about: Mapping[str, Any]) -> dict[str, Any]:
    """A finished answer."""
    said = {"message": {"role": "assistant", "content": text, "refusal": None}} if head.kind == "chat" else {"text": text}
    choice = {"index": 0, **said, "finish_reason": finish, "logprobs": None}
    name = "chat.completion" if head.kind == "chat" else "text_completion"
    return {**_base(head, name), "choices": [choice], "usage": usage.to_json(), "touyan": dict(about)}


def first(head: Head) -> str:
    """The event that opens a streamed chat; nothing for a completion."""
    return _event(_chunk(head, {"role": "assistant", "content": ""}, None)) if head.kind == "chat" else ""


def piece(head: Head, text: str) -> str:
    """An event with more text."""
    return _event(_chunk(head, {"content": text} if head.kind == "chat" else text, None))


def last(head: Head, finish: str, about: Mapping[str, Any]) -> str:
    """The event that ends the text; it carries the whole label."""
    return _event(_chunk(head, {} if head.kind == "chat" else "", finish) | {"touyan": dict(about)})


def counted(head: Head, usage: Usage) -> str:
    """The event that tells the usage, where it was asked for."""
    return _event({**_base(head, _chunk_name(head)), "choices": [], "usage": usage.to_json()})


def failed(body: Mapping[str, Any]) -> str:
    """The event of an answer that was broken off."""
    return _event(body)


def _chunk(head: Head, said: dict[str, str] | str, finish: str | None) -> dict[str, Any]:
    content = {"delta": said} if head.kind == "chat" else {"text": said}
    return {**_base(head, _chunk_name(head)), "choices": [{"index": 0, **content, "finish_reason": finish, "logprobs": None}]}


def _chunk_name(head: Head) -> str:
    return "chat.completion.chunk" if head.kind == "chat" else "text_completion"


def _base(head: Head, name: str) -> dict[str, Any]:
    return {"id": head.id, "object": name, "created": head.created_s, "model": head.model}


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"
