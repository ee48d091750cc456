"""Every identifier in a batch of texts, of all kinds but names, overlaps settled.

Owns the list of recognisers and the trace that each of them needs. Knows nothing about masks. Invariant: what is found in a
text does not depend on the other texts, and no two identifiers overlap, but that an e-mail address may hold a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from touyan.corpus.personal.addresses import addresses
from touyan.corpus.personal.births import births
from touyan.corpus.personal.codes import codes, plates
from touyan.corpus.personal.gate import Trace, windows
from touyan.corpus.personal.identifier import PRIORITY, Identifier, folded
from touyan.corpus.personal.landlines import landlines
from touyan.corpus.personal.network import accounts, emails, ip4, pairs
from touyan.corpus.personal.numbers import numbers

Recogniser: TypeAlias = Callable[[str], Iterator[Identifier]]
"""A folded passage of text -> the identifiers in it, in no particular order."""

RECOGNISERS: Mapping[Trace, tuple[Recogniser, ...]] = {
    "digits": (numbers, landlines, codes, births),
    "sign": (emails,),
    "dots": (ip4,),
    "pairs": (pairs,),
    "birth": (births,),
    "plate": (plates,),
    "word": (accounts,),
    "house": (addresses,),
}


def find_all(texts: Sequence[str]) -> list[list[Identifier]]:
    """The identifiers of each text, in order of position."""
    seen = windows(texts)
    hits: list[set[Identifier]] = [set() for _ in texts]
    for trace, rows in seen.items():
        for row, places in rows.items():
            for low, high in places:
                passage = folded(texts[row][low:high])
                hits[row].update(_moved(each, low) for recognise in RECOGNISERS[trace] for each in recognise(passage))
    return [settled(each) if each else [] for each in hits]


def find(text: str) -> list[Identifier]:
    """The identifiers of one text, in order of position."""
    return find_all([text])[0]


def settled(found: set[Identifier]) -> list[Identifier]:
    """The identifiers that win: stronger kinds first, then longer ones, then earlier ones; numbers within an e-mail stay."""
    winners: list[Identifier] = []
    for each in sorted(found, key=lambda i: (PRIORITY[i.kind], i.start - i.end, i.start)):
        if all(each.end <= other.start or other.end <= each.start or _holds(other, each) for other in winners):
            winners.append(each)
    return sorted(winners, key=lambda i: (i.start, -i.end))


def _holds(outer: Identifier, inner: Identifier) -> bool:
    return outer.kind == "email" and outer.start <= inner.start and inner.end <= outer.end and inner.kind != "email"


def _moved(found: Identifier, offset: int) -> Identifier:
    return Identifier(found.start + offset, found.end + offset, found.kind, found.canonical)
