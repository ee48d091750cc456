"""HTML as values: text is escaped unless it is `Markup`, and only this module makes `Markup`.

Owns escaping, and making visible what a hostile text would hide. Knows nothing of what a report says. Invariant: a `str` never
reaches the page raw; control, bidirectional and invisible characters are spelt out, and nothing is longer than it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

MAX_CHARS = 400


@dataclass(frozen=True, slots=True)
class Markup:
    """Finished HTML or SVG."""

    html: str


@dataclass(frozen=True, slots=True)
class Words:
    """The same thing in Simplified Chinese and in English; the reader chooses which is seen."""

    zh: str
    en: str


Child: TypeAlias = "Markup | Words | str | int | None | Iterable[Child]"
Attribute: TypeAlias = "str | int | bool | None"

# C0 and C1 controls, soft hyphen, Arabic letter mark, zero-width and directional marks, embeddings, overrides and isolates,
# invisible operators, variation selectors, byte order mark, interlinear marks, tags, lone surrogates. UAX 9 and UTS 55 say why.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_STACKED = re.compile("([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_VOID = frozenset({"br", "hr", "input", "meta", "link", "col", "img"})


def visible(text: str, max_chars: int = MAX_CHARS) -> str:
    """`text` cut to `max_chars` code points, with white space folded and every hidden character spelt out as `⟨U+202E⟩`."""
    cut = text[:max_chars]
    folded = re.sub(r"[ \t\r\n]+", " ", cut)
    spelt = _HIDDEN.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", _STACKED.sub(r"\1", folded))
    return spelt + (f"… (+{len(text) - max_chars:,})" if len(text) > max_chars else "")


def escaped(text: str, max_chars: int = MAX_CHARS) -> str:
    return escape(visible(text, max_chars), quote=True)


def render(child: Child) -> str:
    """The HTML of a child: text is escaped, None is nothing, Words are both languages, and what is iterable is joined."""
    match child:
        case None:
            return ""
        case Markup(html):
            return html
        case Words(zh, en):
            return f'<span lang="zh">{escaped(zh)}</span><span lang="en">{escaped(en)}</span>'
        case str() | int():
            return escaped(str(child))
        case _:
            return "".join(map(render, child))


def el(tag: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. Attribute names: a final `_` is dropped, other `_` become `-`; True is a bare attribute, None and False none."""
    given = "".join(_attribute(n.removesuffix("_").replace("_", "-"), v) for n, v in attributes.items())
    return Markup(f"<{tag}{given}>" if tag in _VOID else f"<{tag}{given}>{render(children)}</{tag}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escaped(str(value), 20_000)}"'


def quote(text: str, max_chars: int = MAX_CHARS) -> Markup:
    """Text that came from outside, isolated from the direction of what stands around it."""
    return Markup(f"<bdi>{escaped(text, max_chars)}</bdi>")


def code(text: str) -> Markup:
    return Markup(f"<code>{escaped(text)}</code>")


def joined(children: Iterable[Child], between: Child) -> list[Child]:
    """The children with `between` between them."""
    found: list[Child] = []
    for child in children:
        found += [between, child] if found else [child]
    return found
