"""The few pieces that every section is made of: section, table, pairs, badge, note.

Knows nothing of what a report says. Invariant: a table is a real table with headed columns, and every state is told in words,
never by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from touyan.core.canonical import short
from touyan.report.markup import Child, Markup, Words, code, el
from touyan.report.words import say

GOOD = frozenset({"done", "hit", "pass", "valid", "approved", "approve", "cleared"})
BAD = frozenset({"failed", "fail", "refused", "rejected", "reject", "revoked", "cancelled", "stopped", "withdrawn"})
OPEN = frozenset({"waiting", "running", "abstain", "submitted", "suspended", "expired", "draft"})


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report."""

    anchor: str
    title: Words
    note: Words
    """One or two sentences in the margin: what is seen here."""
    body: Child


@dataclass(frozen=True, slots=True)
class Column:
    head: Words
    class_: str = ""
    """`num` for figures, `wide` for the one that takes what room is left, `minor` for what a phone leaves out."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Child]], class_: str = "") -> Markup:
    """Rows under headed columns; scrolls sideways where it must."""
    head = el("tr", [el("th", c.head, class_=c.class_ or None, scope="col") for c in columns])
    body = [el("tr", [el("td", cell, class_=c.class_ or None) for c, cell in zip(columns, row, strict=True)]) for row in rows]
    return el("div", el("table", el("thead", head), el("tbody", body), class_=class_ or None), class_="scroll")


def pairs(items: Sequence[tuple[Words, Child]], class_: str = "pairs") -> Markup:
    """Names and values; empty values are left out."""
    given = [(name, value) for name, value in items if value not in (None, "", [], ())]
    return el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in given], class_=class_)


def tone(state: str) -> str:
    """`good`, `bad`, `open` or `calm`: the colour family of a state."""
    return "good" if state in GOOD else "bad" if state in BAD else "open" if state in OPEN else "calm"


def badge(state: str, words: Words | None = None) -> Markup:
    return el("span", words or say(state), class_=f"badge {tone(state)}")


def note(words: Words, class_: str = "note") -> Markup:
    return el("p", words, class_=class_)


def identifier(asset: str) -> Markup:
    """The first 12 digits, with the whole id to hover over and to copy from the appendix."""
    return el("code", short(asset), title=asset) if asset else code("–")


def heading(words: Words) -> Markup:
    return el("h3", words)


def listed(children: Sequence[Child], class_: str = "plain") -> Markup:
    return el("ul", [el("li", c) for c in children], class_=class_)
