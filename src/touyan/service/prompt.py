"""From chat messages to the prompt of a model.

A model that brings a chat template is asked in it (the Jinja template of its tokenizer, in the sandbox that `transformers` uses);
a base model is asked in a plain template that the answer names. Knows nothing of models. Invariant: what a user writes never
becomes a control token of a template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.core.errors import Broken, Invalid, missing_extra
from touyan.flow.backend import Tokenizer

PLAIN = "plain"
OWN = "model"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is given, and where it must stop."""

    text: str
    words: str
    """The same as people wrote it: what is kept for feedback."""
    stops: tuple[str, ...] = ()
    template: str = ""
    """`model`: its own chat template · `plain`: roles joined as text · empty: the text of the caller."""
    control: Mapping[str, int] = field(default_factory=dict[str, int])
    """Ids of the control tokens that a template writes as text; empty: the whole prompt is plain text."""

    def ids(self, tokenizer: Tokenizer) -> list[int]:
        """Token ids. A tokenizer never reads a control token out of a text, so those of a template are put in here."""
        if not self.control:
            return tokenizer.encode(self.text)
        before = len(tokenizer.encode(""))
        longest_first = sorted(map(re.escape, self.control), key=len, reverse=True)
        parts = re.split(f"({'|'.join(longest_first)})", self.text)
        return [i for part in parts if part for i in self._part(tokenizer, part, before)]

    def _part(self, tokenizer: Tokenizer, part: str, before: int) -> list[int]:
        return [self.control[part]] if part in self.control else tokenizer.encode(part)[before:]


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A tokenizer's own template."""

    source: str
    specials: Mapping[str, str]
    """bos_token, eos_token and others, as the template names them."""
    control: Mapping[str, int]
    """Ids of the tokenizer's control tokens, by their text."""

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """Raises Invalid where a message holds a control token, or the template refuses the roles."""
        _refuse_control(messages, self.control)
        text = _render(self.source, messages, self.specials)
        return Prompt(text, plain(messages).text, (), OWN, self.control)


def plain(messages: Sequence[Message]) -> Prompt:
    """Roles joined as text, for a base model: `user: …` and so on, then `assistant:`. It stops where a next turn would begin."""
    lines = [f"{m.role}: {m.content}" for m in messages]
    text = "\n".join([*lines, "assistant:"])
    return Prompt(text, text, ("\nuser:", "\nassistant:", "\nsystem:"), PLAIN)


def read_template(folder: Path) -> ChatTemplate | None:
    """The chat template of a model: `chat_template.jinja`, or a field of `tokenizer_config.json`, or none. Raises Broken."""
    path = folder / "tokenizer_config.json"
    if not path.exists():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        beside = folder / "chat_template.jinja"
        source = beside.read_text(encoding="utf-8") if beside.exists() else config.get("chat_template")
    except (ValueError, OSError) as error:
        raise Broken("bad-tokenizer", f"tokenizer_config.json cannot be read: {error}", "fetch the model again") from error
    if not isinstance(source, str):
        return None
    specials = {n: _token(config[n]) for n in ("bos_token", "eos_token", "pad_token", "unk_token") if config.get(n)}
    added = config.get("added_tokens_decoder") or {}
    control = {str(t["content"]): int(i) for i, t in added.items() if t.get("special")}
    return ChatTemplate(source, specials, control)


def _token(value: object) -> str:
    return str(value["content"]) if isinstance(value, Mapping) else str(value)


def _refuse_control(messages: Sequence[Message], control: Iterable[str]) -> None:
    for message in messages:
        for token in control:
            if token in message.content:
                raise Invalid(
                    "control-token",
                    f"a message holds the control token {token!r} of the model",
                    "leave it out: it would forge a turn",
                )


def _render(source: str, messages: Sequence[Message], specials: Mapping[str, str]) -> str:
    try:
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ModuleNotFoundError as error:
        raise missing_extra("jinja2", "serve") from error

    def refuse(message: str) -> Any:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    turns = [{"role": m.role, "content": m.content} for m in messages]
    try:
        known = {"messages": turns, "add_generation_prompt": True, "raise_exception": refuse}
        return environment.from_string(source).render(known, **specials)
    except TemplateError as error:
        hint = "use the roles system, user and assistant in the order it expects"
        raise Invalid(
            "template-refuses", f"the chat template of the model refuses these messages: {error}"[:300], hint
        ) from error
