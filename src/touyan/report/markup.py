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


Child: TypeAlias = "Markup | Words | str | int | Iterable[Child] | None"
Attribute: TypeAlias = "str | int | bool | None"

# Printable by their category, and yet nothing is seen of them (UTS 55): joiners, Hangul and Braille blanks, variation selectors.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_SPACES = re.compile(r"[^\S\u3000]+")
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_MARKS}{{3}}){_MARKS}+")
_VOID = frozenset({"br", "hr", "input", "meta", "link", "col", "img"})


def visible(text: str, max_chars: int = MAX_CHARS) -> str:
    """`text` cut to `max_chars` code points, white space folded, and what nobody would see spelt out as `⟨U+202E⟩`.

    Spelt out are controls, format characters such as directional overrides (UAX 9), lone surrogates, private use and blanks.
    """
    folded = _STACKED.sub(r"\1", _SPACES.sub(" ", text[:max_chars]))
    spelt = "".join(c if _is_seen(c) else f"⟨U+{ord(c):04X}⟩" for c in folded)
    return spelt + (f"… (+{len(text) - max_chars:,})" if len(text) > max_chars else "")


def _is_seen(character: str) -> bool:
    return character == "\u3000" or (character.isprintable() and not _BLANK.match(character))


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
    """An element. In names of attributes a final `_` falls away and others become `-`; True is bare, None and False are none."""
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
