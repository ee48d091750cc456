"""Every identifier in a batch of texts, of all kinds but names, overlaps settled.

Owns the list of recognisers and the trace that each of them needs. Knows nothing about masks. Invariant: what is found in a
text does not depend on the other texts, and no two identifiers overlap, but that an e-mail address may hold a number.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from touyan.corpus.personal.addresses import addresses
from touyan.corpus.personal.births import births
from touyan.corpus.personal.codes import codes, plates
from touyan.corpus.personal.gate import Trace, windows
from touyan.corpus.personal.homes import homes
from touyan.corpus.personal.identifier import NOBODYS, PRIORITY, Identifier, folded
from touyan.corpus.personal.landlines import landlines
from touyan.corpus.personal.network import accounts, emails, ip4, pairs
from touyan.corpus.personal.numbers import numbers
from touyan.corpus.personal.spelled import spelled

Recogniser: TypeAlias = Callable[[str], Iterator[Identifier]]
"""A folded passage of text -> the identifiers in it, in no particular order."""

RECOGNISERS: Mapping[Trace, tuple[Recogniser, ...]] = {
    "run": (numbers, landlines, codes, births),
    "vehicle": (codes,),
    "sign": (emails,),
    "dots": (ip4,),
    "pairs": (pairs,),
    "birth": (births,),
    "plate": (plates,),
    "word": (accounts,),
    "house": (addresses,),
}


def find_all(texts: Sequence[str], kinds: Collection[str] = PRIORITY, *, han_digits: bool = False) -> list[list[Identifier]]:
    """The identifiers of each text, in order of position; with `han_digits` also mobile numbers spelled 一三八…

    Kinds that are not asked for take nothing away from those that are, but what is an organisation's is nobody's number.
    """
    asked = NOBODYS.union(kinds)
    seen = windows(texts)
    hits: list[list[Identifier]] = [[] for _ in texts]
    for trace, rows in seen.items():
        for row, places in rows.items():
            for low, high in places:
                passage = folded(texts[row][low:high])
                hits[row].extend(_moved(each, low) for recognise in RECOGNISERS[trace] for each in recognise(passage))
    if han_digits:
        for text, each in zip(texts, hits, strict=True):
            each.extend(spelled(text))
    return [_chosen(text, each, asked, kinds) if each else [] for text, each in zip(texts, hits, strict=True)]


def find(text: str) -> list[Identifier]:
    """The identifiers of one text, in order of position."""
    return find_all([text])[0]


def _chosen(text: str, hits: list[Identifier], asked: Collection[str], kinds: Collection[str]) -> list[Identifier]:
    winners = settled(each for each in hits if each.kind in asked)
    return [each for each in homes(text, winners) if each.kind in kinds]


def settled(found: Iterable[Identifier]) -> list[Identifier]:
    """The identifiers that win: stronger kinds first, then longer ones, then earlier ones; numbers within an e-mail stay.

    What was found twice is there once.
    """
    winners: list[Identifier] = []
    inner: list[Identifier] = []
    for each in sorted(found, key=lambda i: (PRIORITY[i.kind], i.start - i.end, i.start)):
        outer = _overlapping(winners, each)
        if not outer:
            insort(winners, each, key=_start)
        elif each.kind != "email" and all(_holds(other, each) for other in outer) and not _overlapping(inner, each):
            insort(inner, each, key=_start)
    return sorted((*winners, *inner), key=lambda i: (i.start, -i.end))


def _overlapping(disjoint: Sequence[Identifier], found: Identifier) -> list[Identifier]:
    """Those of the neighbours of `found` in a sorted list that it overlaps."""
    place = bisect_right(disjoint, found.start, key=_start)
    beside = disjoint[max(0, place - 1) : place + 1]
    return [other for other in beside if found.start < other.end and other.start < found.end]


def _holds(outer: Identifier, inner: Identifier) -> bool:
    return outer.kind == "email" and outer.start <= inner.start and inner.end <= outer.end


def _start(found: Identifier) -> int:
    return found.start


def _moved(found: Identifier, offset: int) -> Identifier:
    return Identifier(found.start + offset, found.end + offset, found.kind, found.canonical)
